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
  private var times: [UInt8] = []
  private var watermarks: [UInt8] = []
  private var offsets: [UInt8] = []
  private var digests: [UInt8] = []
  private var traces: [UInt8] = []
  private var hasTraces = false
  private var lastTime: Int64 = 0
  private var lastOffset: Int64 = 0
  private var lastWatermark: Int64 = 0
  private var firstWatermark: Int64 = .min
  private(set) var rowCount = 0

  init(schema: Schema, slots: [Int], outOfOrder: Int64) {
    self.slots = slots
    self.outOfOrder = outOfOrder
    timeField = schema.timeField
    columns = slots.map { CellStream(schema.fields[$0].type.columnType) }
    var directory: [UInt8] = []
    directory.append(varint: UInt64(slots.count))
    for slot in slots {
      directory.append(text: schema.fields[slot].name)
      directory += ExchangeBlock.tag(schema.fields[slot].type.columnType)
    }
    self.directory = directory
  }

  /// Events after which a block is full.
  static let fullRows = 512
  /// Bytes after which a block is full.
  static let fullBytes = 128 << 10

  /// Whether it should be made a block now.
  var isFull: Bool { rowCount >= Self.fullRows || byteCount >= Self.fullBytes }

  private var byteCount: Int {
    columns.reduce(times.count + watermarks.count + offsets.count + digests.count + traces.count) { $0 + $1.byteCount }
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
    times.append(signed: time &- lastTime)
    lastTime = time
    offsets.append(signed: record.origin.offset &- lastOffset)
    lastOffset = record.origin.offset
    let expected = BlockWatermarks.expected(after: lastWatermark, time: time, outOfOrder: outOfOrder)
    watermarks.append(signed: watermark &- expected)
    lastWatermark = watermark
    appendDigest(batch, row)
    appendTrace(batch, row)
    for place in columns.indices { columns[place].append(batch.columns[slots[place]], row: row) }
    rowCount += 1
  }

  private mutating func appendDigest(_ batch: EventBatch, _ row: Int) {
    let start = digests.count
    digests.append(contentsOf: Self.noDigest)
    digests.withUnsafeMutableBufferPointer { target in
      if let base = target.baseAddress { _ = batch.records.digest(row, into: base + start) }
    }
  }

  private mutating func appendTrace(_ batch: EventBatch, _ row: Int) {
    guard case .value(let value) = batch.records.header(row, named: Self.traceHeader) else {
      traces.append(0)
      return
    }
    hasTraces = true
    traces.append(varint: UInt64(value.count))
    traces.append(contentsOf: value.buffer)
  }

  /// The block of all that was gathered, which is forgotten.
  mutating func take(_ header: ExchangeBlock.Header) -> [UInt8] {
    var block = Self.start(header, hasTraces: hasTraces, rows: rowCount, directory: rowCount == 0 ? [0] : directory)
    if rowCount > 0 {
      block.append(word: UInt64(bitPattern: outOfOrder))
      block.append(word: UInt64(bitPattern: firstWatermark))
      block += times
      block += watermarks
      block += offsets
      block += digests
      if hasTraces { block += traces }
      for column in columns {
        block.append(column.hasGaps ? 1 : 0)
        if column.hasGaps { block += column.states }
        block += column.bytes
      }
    }
    removeAll()
    Self.seal(&block)
    return block
  }

  /// A block that says only how far its partition has come.
  static func empty(_ header: ExchangeBlock.Header) -> [UInt8] {
    var block = start(header, hasTraces: false, rows: 0, directory: [0])
    seal(&block)
    return block
  }

  private static func start(
    _ header: ExchangeBlock.Header, hasTraces: Bool, rows: Int, directory: [UInt8]
  ) -> [UInt8] {
    var block = ExchangeBlock.magic
    block.append(word: 0)
    block.append(varint: (header.isIdle ? 1 : 0) | (hasTraces ? 2 : 0))
    block.append(varint: UInt64(UInt32(bitPattern: header.source)))
    block.append(varint: UInt64(header.sourceCount))
    block.append(word: UInt64(bitPattern: header.watermark))
    block.append(text: header.version)
    block.append(varint: UInt64(rows))
    block += directory
    return block
  }

  private static func seal(_ block: inout [UInt8]) {
    let checksum = block.withUnsafeBufferPointer {
      ExchangeBlock.checksum(UnsafeBufferPointer(rebasing: $0[ExchangeBlock.bodyStart...]))
    }
    withUnsafeBytes(of: checksum.littleEndian) { bytes in
      for index in 0..<8 { block[4 + index] = bytes[index] }
    }
  }

  private mutating func removeAll() {
    for place in columns.indices { columns[place].removeAll() }
    times.removeAll(keepingCapacity: true)
    watermarks.removeAll(keepingCapacity: true)
    offsets.removeAll(keepingCapacity: true)
    digests.removeAll(keepingCapacity: true)
    traces.removeAll(keepingCapacity: true)
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
