internal import CSimdjson

/// Decodes a batch's records: from the bytes of each straight into the cells of the declared fields. One per partition
/// task; it owns the memory that unescaped and normalised text lies in, until the next batch.
public final class EventDecoder {
  private let schema: Schema
  private let maximumRecordBytes: Int
  private let handle: OpaquePointer
  private let slots: UnsafeMutablePointer<csj_slot>
  /// At an address of their own: read in place, a plan is not copied for each cell.
  private let plans: UnsafeMutableBufferPointer<FieldPlan>
  private let reader: CellReader
  private var topicName: ConstantCell?

  /// By place in `plans`: what stands for an absent value, and the header's name.
  private let defaults: [ConstantCell?]
  private let headerNames: [[UInt8]]

  /// Where a field stands, without what would have to be counted as a reference for each cell.
  private enum Place {
    case pointer, key, header, topic, partition, offset, timestamp

    /// nil: the decoder leaves the column alone.
    init?(_ origin: Field.Origin) {
      switch origin {
      case .pointer: self = .pointer
      case .key: self = .key
      case .header: self = .header
      case .topic: self = .topic
      case .partition: self = .partition
      case .offset: self = .offset
      case .timestamp: self = .timestamp
      case .derived: return nil
      }
    }
  }

  private struct FieldPlan {
    /// Its own place in `plans`.
    var number: Int
    var slot: Int
    var place: Place
    var type: FieldType
    var isRequired: Bool
    var pointer = -1
  }

  /// - Parameter maximumRecordBytes: a longer value is a dead letter.
  /// - Precondition: every default of the schema is of its field's type (the pipeline file's reader checks it).
  public init(schema: Schema, maximumRecordBytes: Int) {
    self.schema = schema
    self.maximumRecordBytes = maximumRecordBytes
    guard let handle = csj_decoder_new() else { preconditionFailure("no memory for a JSON decoder") }
    self.handle = handle
    var plans: [FieldPlan] = []
    var defaults: [ConstantCell?] = []
    var headerNames: [[UInt8]] = []
    var pointers = 0
    for (slot, field) in schema.fields.enumerated() {
      guard let place = Place(field.origin) else { continue }
      var plan = FieldPlan(
        number: plans.count, slot: slot, place: place, type: field.type, isRequired: field.absence == .required)
      if case .pointer(let tokens) = field.origin {
        plan.pointer = Self.declare(tokens, handle)
        pointers = max(pointers, plan.pointer + 1)
      }
      if case .header(let name) = field.origin { headerNames.append(Array(name.utf8)) } else { headerNames.append([]) }
      defaults.append(Self.defaultCell(field))
      plans.append(plan)
    }
    self.plans = .allocate(capacity: plans.count)
    _ = self.plans.initialize(from: plans)
    self.defaults = defaults
    self.headerNames = headerNames
    slots = .allocate(capacity: max(pointers, 1))
    reader = CellReader { count in csj_allocate(handle, count) }
  }

  deinit {
    csj_decoder_free(handle)
    slots.deallocate()
    plans.deinitialize()
    plans.deallocate()
  }

  private static func defaultCell(_ field: Field) -> ConstantCell? {
    guard case .defaultValue(let value) = field.absence else { return nil }
    guard let cell = ConstantCell(value, type: field.type.columnType) else {
      preconditionFailure("the default of `\(field.name)` is not of its type")
    }
    return cell
  }

  private static func declare(_ tokens: [String], _ handle: OpaquePointer) -> Int {
    let copies = tokens.map { token in
      let bytes = Array(token.utf8CString)
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
      copy.update(from: bytes, count: bytes.count)
      return copy
    }
    defer { for copy in copies { copy.deallocate() } }
    let pointers = copies.map { Optional(UnsafePointer($0)) }
    return Int(csj_add_field(handle, pointers, pointers.count))
  }

  /// Fills `columns`, `decoded` and `failures` from the batch's records. Strings point into the record batch or into this
  /// decoder, which keeps them until its next `decode`.
  public func decode(_ batch: EventBatch) {
    csj_reset(handle)
    batch.reset()
    let decoded = batch.decoded
    for row in 0..<batch.count {
      guard parse(row, batch) else { continue }
      guard fill(row, batch) else { continue }
      decoded.append(Int32(truncatingIfNeeded: row))
    }
  }

  /// Whether the record's value is a JSON object; its declared places are in `slots` then.
  private func parse(_ row: Int, _ batch: EventBatch) -> Bool {
    guard let value = batch.records.value(row) else {
      batch.fail(row: row, reason: .nullValue, detail: "the record has no value (a tombstone)")
      return false
    }
    guard value.count <= maximumRecordBytes else {
      batch.fail(
        row: row, reason: .tooLarge, detail: "\(value.count) bytes; limits.record_bytes is \(maximumRecordBytes)")
      return false
    }
    var field: Int32 = -1
    let status = csj_decode(handle, value.start, value.count, slots, &field)
    if status == csj_ok { return true }
    let failure = Self.failure(status)
    batch.fail(row: row, reason: failure.reason, field: slot(ofPointer: Int(field)), detail: failure.detail)
    return false
  }

  private func slot(ofPointer pointer: Int) -> Int? {
    pointer < 0 ? nil : plans.first { $0.pointer == pointer }?.slot
  }

  private static func failure(_ status: csj_status) -> (reason: DecodeFailure.Reason, detail: String) {
    switch status {
    case csj_empty: (.emptyValue, "the record's value is empty")
    case csj_invalid_utf8: (.invalidUTF8, "the value is not valid UTF-8")
    case csj_not_an_object: (.notAnObject, "the value is JSON, but not an object")
    case csj_duplicate_key: (.duplicateKey, "a declared field stands twice in the object")
    case csj_too_deep: (.tooDeep, "objects and lists within each other more than \(csj_depth_max) deep")
    case csj_out_of_memory: (.tooLarge, "no memory to parse it")
    default: (.notJSON, "the value is not JSON, or is cut off")
    }
  }

  /// Whether all fields of the row could be filled.
  private func fill(_ row: Int, _ batch: EventBatch) -> Bool {
    for index in 0..<plans.count {
      guard fill(plans[index], row, batch) else { return false }
    }
    return true
  }

  @inline(__always)
  private func fill(_ plan: borrowing FieldPlan, _ row: Int, _ batch: EventBatch) -> Bool {
    let column = batch.columns[plan.slot]
    switch plan.place {
    case .pointer:
      let slot = slots[plan.pointer]
      guard slot.kind > csj_null.rawValue, var raw = RawValue(slot) else {
        return absent(plan, column, row, batch, reason: slot.kind == csj_null.rawValue ? .null : .missing)
      }
      if raw.kind == .array, let elements = csj_elements(handle) {
        raw.elements = UnsafeBufferPointer(
          start: elements + Int(slot.first_element), count: Int(slot.element_count))
      }
      return store(raw, plan, column, row, batch)
    case .key:
      guard let key = batch.records.key(row) else { return absent(plan, column, row, batch, reason: .missing) }
      return storeText(key.buffer, plan, column, row, batch)
    case .header:
      return storeHeader(plan, column, row, batch)
    case .topic, .partition, .offset, .timestamp:
      return storeMetadata(plan, column, row, batch)
    }
  }

  @inline(__always)
  private func store(_ raw: RawValue, _ plan: borrowing FieldPlan, _ column: Column, _ row: Int, _ batch: EventBatch)
    -> Bool
  {
    do throws(CellProblem) {
      try reader.read(raw, plan.type, into: column.cells + row * column.type.stride)
      column.states[row] = CellState.value.rawValue
      return true
    } catch {
      batch.fail(
        row: row, reason: error.reason, field: plan.slot, detail: "expected \(error.expected), found \(raw.found)")
      return false
    }
  }

  private func absent(
    _ plan: borrowing FieldPlan, _ column: Column, _ row: Int, _ batch: EventBatch, reason: DecodeFailure.Reason
  ) -> Bool {
    if plan.isRequired {
      batch.fail(
        row: row, reason: reason, field: plan.slot,
        detail: reason == .null ? "the field is null" : "the record does not have the field")
      return false
    }
    if let cell = defaults[plan.number] {
      cell.write(to: column, row: row)
    } else {
      column.states[row] = CellState.absent.rawValue
    }
    return true
  }
}

// Fields that do not stand in the record's value.
extension EventDecoder {
  private func storeText(
    _ bytes: UnsafeBufferPointer<UInt8>, _ plan: borrowing FieldPlan, _ column: Column, _ row: Int, _ batch: EventBatch
  ) -> Bool {
    guard Self.isUTF8(bytes) else {
      batch.fail(row: row, reason: .invalidUTF8, field: plan.slot, detail: "the text is not valid UTF-8")
      return false
    }
    return store(RawValue(kind: .text, bytes: bytes), plan, column, row, batch)
  }

  private func storeHeader(
    _ plan: borrowing FieldPlan, _ column: Column, _ row: Int, _ batch: EventBatch
  ) -> Bool {
    switch batch.records.header(row, named: headerNames[plan.number]) {
    case .missing: absent(plan, column, row, batch, reason: .missing)
    case .null: absent(plan, column, row, batch, reason: .null)
    case .value(let view): storeText(view.buffer, plan, column, row, batch)
    }
  }

  private func storeMetadata(_ plan: borrowing FieldPlan, _ column: Column, _ row: Int, _ batch: EventBatch) -> Bool {
    let record = batch.records[row]
    switch plan.place {
    case .topic:
      topicCell(batch.records.topic)?.write(to: column, row: row)
    case .partition: column.ints[row] = Int64(batch.records.partition)
    case .offset: column.ints[row] = record.offset
    default:
      let (nanoseconds, overflow) = record.timestamp.multipliedReportingOverflow(by: 1_000_000)
      guard record.timestamp >= 0 else { return absent(plan, column, row, batch, reason: .missing) }
      guard !overflow else {
        batch.fail(
          row: row, reason: .outOfRange, field: plan.slot, detail: "the record's timestamp is \(record.timestamp) ms")
        return false
      }
      column.ints[row] = nanoseconds
    }
    column.states[row] = CellState.value.rawValue
    return true
  }

  /// The topic's name as a cell, made once: a decoder works for one partition.
  private func topicCell(_ topic: String) -> ConstantCell? {
    if topicName == nil { topicName = ConstantCell(.string(topic), type: .string) }
    return topicName
  }

  private static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    // Most keys are ASCII.
    if bytes.allSatisfy({ $0 < 0x80 }) { return true }
    return String(validating: bytes, as: UTF8.self) != nil
  }
}
