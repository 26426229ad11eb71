/// The events of one `RecordBatch` as columns: one per declared field, in the schema's order.
///
/// Row n is record n. Rows that could not be decoded carry a `DecodeFailure` and are not in `decoded`. It is reused for
/// batch after batch of one partition; its views point into the record batch and into its own text arena.
public final class EventBatch {
  /// What the columns are, in their order.
  public let schema: Schema
  /// Most rows: that of the record batch.
  public let capacity: Int
  /// The records that the rows come from.
  public let records: RecordBatch
  /// Rows whose event was decoded, in offset order.
  public let decoded: Selection
  /// What went wrong, by row, in offset order.
  public private(set) var failures: [DecodeFailure] = []
  /// The event time that was measured elsewhere; nil: it goes by the events at hand.
  public var givenTime: GivenTime?
  /// A column per field of the schema; a derived field's is absent until it is computed.
  public let columns: [Column]
  private let storage: [ColumnStorage]

  /// Columns for a schema, over the records of one batch.
  public init(schema: Schema, records: RecordBatch) {
    self.schema = schema
    self.records = records
    capacity = records.capacity
    decoded = Selection(capacity: capacity)
    storage = schema.fields.map { ColumnStorage(type: $0.type.columnType, capacity: records.capacity) }
    columns = storage.map(\.column)
  }

  /// The event times in nanoseconds since 1970, by row; only rows in `decoded` have one.
  public var times: UnsafeMutablePointer<Int64> { columns[schema.timeField].ints }
  /// Rows: the records at hand, decoded or not.
  public var count: Int { records.count }

  /// Forgets what was decoded; columns are written over by the next decoding.
  public func reset() {
    decoded.removeAll()
    failures.removeAll(keepingCapacity: true)
  }

  /// Makes a row a dead letter. One that had been decoded is taken out of `decoded`; the first failure of a row counts.
  public func fail(row: Int, reason: DecodeFailure.Reason, field: Int? = nil, detail: String) {
    decoded.remove(Int32(row))
    let place = failures.lastIndex { $0.row <= row }.map { $0 + 1 } ?? 0
    guard place == 0 || failures[place - 1].row != row else { return }
    failures.insert(DecodeFailure(row: row, reason: reason, field: field, detail: detail), at: place)
  }
}

/// Event time by row as it was measured where the events were read, for a batch of events that came through an exchange.
public final class GivenTime {
  /// By row, the watermark after that row: the smallest of all source partitions. In nanoseconds since 1970.
  public let watermarks: UnsafeMutablePointer<Int64>
  /// By row, the watermark of the row's own source partition after it; an event before it was late there.
  public let sourceWatermarks: UnsafeMutablePointer<Int64>

  /// Room for `capacity` rows.
  public init(capacity: Int) {
    watermarks = .allocate(capacity: max(capacity, 1))
    sourceWatermarks = .allocate(capacity: max(capacity, 1))
    watermarks.initialize(repeating: .min, count: max(capacity, 1))
    sourceWatermarks.initialize(repeating: .min, count: max(capacity, 1))
  }

  deinit {
    watermarks.deallocate()
    sourceWatermarks.deallocate()
  }
}

/// Why a record is a dead letter.
public struct DecodeFailure: Sendable, Hashable {
  /// The register of reasons; raw values stand in dead letters, metrics and documentation.
  public enum Reason: String, Sendable, Hashable, CaseIterable {
    case emptyValue = "empty_value"
    case nullValue = "null_value"
    case tooLarge = "too_large"
    case notJSON = "not_json"
    case invalidUTF8 = "invalid_utf8"
    case notAnObject = "not_an_object"
    case duplicateKey = "duplicate_key"
    case tooDeep = "too_deep"
    case missing = "missing_field"
    case null = "null_field"
    case wrongType = "wrong_type"
    case outOfRange = "out_of_range"
    case derivedFailed = "derived_field_failed"
    case timeInFuture = "time_in_future"
  }

  /// The record's row.
  public var row: Int
  /// Why.
  public var reason: Reason
  /// Slot of the field concerned, if one is.
  public var field: Int?
  /// What was found, for a person: short, and never the whole record.
  public var detail: String

  /// A failure of a row, by its reason, the slot of the field concerned and what was found.
  public init(row: Int, reason: Reason, field: Int? = nil, detail: String) {
    self.row = row
    self.reason = reason
    self.field = field
    self.detail = detail
  }
}
