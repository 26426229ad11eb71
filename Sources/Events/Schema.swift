/// A field of a pipeline's events, checked and resolved.
public struct Field: Sendable, Hashable {
  /// Where the value comes from.
  public enum Origin: Sendable, Hashable {
    /// A JSON Pointer (RFC 6901) into the record's value, as its unescaped reference tokens.
    case pointer([String])
    /// The record's key, as text.
    case key
    /// A header of the record (the last one of that name), as text.
    case header(String)
    case topic, partition, offset
    /// The record's Kafka timestamp.
    case timestamp
    /// Computed by an expression from the other fields; the decoder leaves the column absent.
    case derived
  }

  /// What stands in for a value that is missing or null. A value of a wrong type is always a dead letter.
  public enum Absence: Sendable, Hashable {
    /// The event is a dead letter.
    case required
    /// The cell is absent.
    case optional
    /// This value is taken.
    case defaultValue(Scalar)
  }

  /// The name that expressions use.
  public var name: String
  /// What its values are.
  public var type: FieldType
  /// Where they come from.
  public var origin: Origin
  /// What holds for an event without it.
  public var absence: Absence
  /// The kind of thing that the field names (wallet, card, account, ...), if any.
  public var entity: String?

  /// A field; by default an event without it is a dead letter, and it names no entity.
  public init(
    name: String, type: FieldType, origin: Origin, absence: Absence = .required, entity: String? = nil
  ) {
    self.name = name
    self.type = type
    self.origin = origin
    self.absence = absence
    self.entity = entity
  }
}

/// The fields of a pipeline's events. A field's place in `fields` is its slot in the batch's columns.
public struct Schema: Sendable, Hashable {
  /// The fields by slot.
  public var fields: [Field]
  /// Slot of the field that holds the event's time (of a timestamp type).
  public var timeField: Int

  /// The fields by slot, and the slot of the one that holds the event's time.
  public init(fields: [Field], timeField: Int) {
    self.fields = fields
    self.timeField = timeField
  }

  /// The slot of a field; nil where there is none of the name.
  public func slot(of name: String) -> Int? { fields.firstIndex { $0.name == name } }
}

/// A single value off the hot path: a default, a table's cell, a parameter, a value shown in an alert.
public enum Scalar: Sendable, Hashable {
  case null
  case string(String)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case bool(Bool)
  case decimal(Int128, scale: Int)
  /// Nanoseconds since 1970.
  case timestamp(Int64)
  /// Nanoseconds.
  case duration(Int64)
  case list([Scalar])
}
