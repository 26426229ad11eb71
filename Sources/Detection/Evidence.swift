public import Events

/// An event that led to an alert.
public struct Evidence: Sendable, Hashable {
  /// Where its record stands in the source topic.
  public var origin: EventOrigin
  /// The event's time, in nanoseconds since 1970.
  public var time: Int64
  /// SHA-256 of the record's value.
  public var digest: [UInt8]
  /// What the event says, for the one that caused the alert; empty for earlier ones, of which only the key is known.
  public var fields: [FieldValue]

  /// A field of an event.
  public struct FieldValue: Sendable, Hashable {
    /// The field's slot.
    public var slot: Int
    /// Its value.
    public var value: Scalar

    /// A field's value.
    public init(slot: Int, value: Scalar) {
      self.slot = slot
      self.value = value
    }
  }

  /// An event that led to an alert.
  public init(origin: EventOrigin, time: Int64, digest: [UInt8], fields: [FieldValue] = []) {
    self.origin = origin
    self.time = time
    self.digest = digest
    self.fields = fields
  }

  /// The event of a row, with these fields.
  init(_ batch: EventBatch, row: Int, slots: [Int]) {
    origin = batch.records[row].origin
    time = batch.times[row]
    digest = batch.records.digest(row)
    fields = slots.compactMap { slot in
      batch.columns[slot].scalar(row).map { FieldValue(slot: slot, value: $0) }
    }
  }
}
