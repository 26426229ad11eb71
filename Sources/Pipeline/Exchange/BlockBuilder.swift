internal import Detection
internal import Events

/// Gathers the events for one partition of an exchange and makes blocks of them.
struct BlockBuilder {
  private static let traceHeader = Array("traceparent".utf8)
  private static let noDigest = [UInt8](repeating: 0, count: SHA256.count)

  private let slots: [Int]
  /// Names and types of the columns, as they stand in every block.
  private let directory: [UInt8]
  private let timeField: Int
  private let outOfOrder: Int64
  private var columns: [CellStream]
  private var times = ByteWriter()
  private var watermarks = ByteWriter()
  private var offsets = ByteWriter()
  private var digests = ByteWriter()
  private var traces = ByteWriter()
  private var hasTraces = false
  private var lastTime: Int64 = 0
  private var lastOffset: Int64 = 0
  private var lastWatermark: Int64 = 0
  private var firstWatermark: Int64 = .min
  private(set) var rowCount = 0
  /// The watermark after the event that was taken in last.
  var lastMark: Int64 { lastWatermark }

  init(schema: Schema, slots: [Int], outOfOrder: Int64) {
    self.slots = slots
    self.outOfOrder = outOfOrder
    timeField = schema.timeField
    columns = slots.map { CellStream(schema.fields[$0].type.columnType) }
    var directory = ByteWriter()
    directory.list(slots) { writer, slot in
      writer.text(schema.fields[slot].name)
      writer.raw(ExchangeBlock.tag(schema.fields[slot].type.columnType))
    }
    self.directory = directory.bytes
  }

  /// Events after which a block is full.
  static let fullRows = 512
  /// Bytes after which a block is full.
  static let fullBytes = 128 << 10

  /// Whether it should be made a block now.
  var isFull: Bool { rowCount >= Self.fullRows || byteCount >= Self.fullBytes }

  /// Bytes of an event from which on it gets a block of its own, so that no other is lost with it where the block can never be
  /// written.
  static let largeRowBytes = 32 << 10

  /// Whether an event should have a block of its own.
  func isLarge(_ batch: EventBatch, row: Int) -> Bool {
    let record = batch.records[row]
    let raw = record.valueCount + record.keyCount + record.headersCount
    // Few are even near; fields that are computed take a multiple of what they are made of, at most.
    guard raw >= Self.largeRowBytes / 8 else { return false }
    var bytes = record.headersCount
    for slot in slots where batch.columns[slot].states[row] == CellState.value.rawValue {
      switch batch.schema.fields[slot].type.columnType {
      case .string, .bytes: bytes += batch.columns[slot].views[row].count
      case .list: bytes += raw
      default: break
      }
    }
    return bytes >= Self.largeRowBytes
  }

  private var byteCount: Int {
    columns.reduce(
      times.bytes.count + watermarks.bytes.count + offsets.bytes.count + digests.bytes.count + traces.bytes.count
    ) { $0 + $1.byteCount }
  }

  /// Takes in the event of a row.
  ///
  /// - Parameter watermark: of its partition, after it.
  mutating func append(_ batch: EventBatch, row: Int, watermark: Int64) {
    let record = batch.records[row]
    let time = batch.times[row]
    if rowCount == 0 {
      firstWatermark = watermark
      lastWatermark = watermark
    }
    times.signed(time &- lastTime)
    lastTime = time
    offsets.signed(record.origin.offset &- lastOffset)
    lastOffset = record.origin.offset
    let expected = BlockWatermarks.expected(after: lastWatermark, time: time, outOfOrder: outOfOrder)
    watermarks.signed(watermark &- expected)
    lastWatermark = watermark
    appendDigest(batch, row)
    appendTrace(batch, row)
    for place in columns.indices { columns[place].append(batch.columns[slots[place]], row: row) }
    rowCount += 1
  }

  private mutating func appendDigest(_ batch: EventBatch, _ row: Int) {
    let start = digests.bytes.count
    digests.raw(Self.noDigest)
    digests.bytes.withUnsafeMutableBufferPointer { target in
      if let base = target.baseAddress { _ = batch.records.digest(row, into: base + start) }
    }
  }

  private mutating func appendTrace(_ batch: EventBatch, _ row: Int) {
    guard case .value(let value) = batch.records.header(row, named: Self.traceHeader) else {
      traces.byte(0)
      return
    }
    hasTraces = true
    traces.run(value.buffer)
  }

  /// The block of all that was gathered, which is forgotten.
  mutating func take(_ header: ExchangeBlock.Header) -> [UInt8] {
    var block = Self.start(header, hasTraces: hasTraces, rows: rowCount, directory: rowCount == 0 ? [0] : directory)
    if rowCount > 0 {
      block.fixed(outOfOrder)
      block.fixed(firstWatermark)
      block.raw(times.bytes)
      block.raw(watermarks.bytes)
      block.raw(offsets.bytes)
      block.raw(digests.bytes)
      if hasTraces { block.raw(traces.bytes) }
      for column in columns {
        block.flag(column.hasGaps)
        if column.hasGaps { block.raw(column.states) }
        block.raw(column.bytes)
      }
    }
    removeAll()
    return Self.sealed(&block)
  }

  /// A block that says only how far its partition has come.
  static func empty(_ header: ExchangeBlock.Header) -> [UInt8] {
    var block = start(header, hasTraces: false, rows: 0, directory: [0])
    return sealed(&block)
  }

  private static func start(
    _ header: ExchangeBlock.Header, hasTraces: Bool, rows: Int, directory: [UInt8]
  ) -> ByteWriter {
    var block = ByteWriter()
    block.raw(ExchangeBlock.magic)
    block.fixed(UInt64(0))
    let flags: UInt8 = (header.isIdle ? 1 : 0) | (hasTraces ? 2 : 0)
    block.number(flags)
    block.number(UInt32(bitPattern: header.source))
    block.count(header.sourceCount)
    block.fixed(header.watermark)
    block.text(header.version)
    block.count(rows)
    block.raw(directory)
    return block
  }

  /// The whole block, with its checksum.
  private static func sealed(_ block: inout ByteWriter) -> [UInt8] {
    let checksum = block.bytes.withUnsafeBufferPointer {
      ExchangeBlock.checksum(UnsafeBufferPointer(rebasing: $0[ExchangeBlock.bodyStart...]))
    }
    withUnsafeBytes(of: checksum.littleEndian) { bytes in
      for index in 0..<8 { block.bytes[4 + index] = bytes[index] }
    }
    return block.bytes
  }

  private mutating func removeAll() {
    for place in columns.indices { columns[place].removeAll() }
    times.removeAll()
    watermarks.removeAll()
    offsets.removeAll()
    digests.removeAll()
    traces.removeAll()
    hasTraces = false
    (lastTime, lastOffset, lastWatermark, firstWatermark, rowCount) = (0, 0, 0, .min, 0)
  }
}

/// Watermarks of the events in a block go as differences from what the events at hand let expect, which is mostly right.
enum BlockWatermarks {
  @inline(__always)
  static func expected(after last: Int64, time: Int64, outOfOrder: Int64) -> Int64 {
    let (own, overflow) = time.subtractingReportingOverflow(outOfOrder)
    return overflow ? last : max(last, own)
  }
}
