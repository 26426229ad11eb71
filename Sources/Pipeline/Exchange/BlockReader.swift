internal import Events

/// Reads one block: its header at once, its events into a batch when there is room for them. Texts stay where the block lies,
/// which must stand until the batch is done.
struct BlockReader {
  let header: ExchangeBlock.Header
  let rowCount: Int
  private let hasTraces: Bool
  private var reader: ByteReader
  private var columns: [(name: UnsafeRawBufferPointer, type: ColumnType)] = []

  /// Checks the block's envelope and reads its header.
  init(_ block: UnsafeBufferPointer<UInt8>) throws(ExchangeBlock.Damage) {
    guard block.count >= ExchangeBlock.bodyStart, block.prefix(3).elementsEqual(ExchangeBlock.magic.prefix(3)) else {
      throw .notABlock
    }
    guard block[3] == ExchangeBlock.magic[3] else { throw .unknownVersion(block[3]) }
    let body = UnsafeBufferPointer(rebasing: block[ExchangeBlock.bodyStart...])
    let checksum = UnsafeRawBufferPointer(block).loadUnaligned(fromByteOffset: 4, as: UInt64.self)
    guard UInt64(littleEndian: checksum) == ExchangeBlock.checksum(body) else { throw .checksum }
    try self.init(body: body)
  }

  private init(body: UnsafeBufferPointer<UInt8>) throws(ExchangeBlock.Damage) {
    var reader = ByteReader(UnsafeRawBufferPointer(body))
    do throws(DamagedBytes) {
      let flags = try reader.number()
      let source = try reader.number()
      let sourceCount = try reader.number()
      let watermark = try reader.fixed()
      let version = try reader.run(upTo: 1 << 10)
      let rows = try reader.number()
      let columnCount = try reader.count(upTo: ExchangeBlock.columnLimit)
      for _ in 0..<columnCount {
        let name = try reader.run(upTo: 1 << 10)
        guard let type = try ExchangeBlock.type(&reader) else { throw DamagedBytes("there is no such type") }
        columns.append((name, type))
      }
      guard source <= UInt64(Int32.max), sourceCount <= UInt64(Int32.max), source < sourceCount,
        rows <= UInt64(ExchangeBlock.rowLimit)
      else { throw DamagedBytes("a number is too large") }
      header = ExchangeBlock.Header(
        source: Int32(source), sourceCount: Int(sourceCount), watermark: watermark, isIdle: flags & 1 != 0,
        version: String(decoding: version, as: UTF8.self))
      hasTraces = flags & 2 != 0
      rowCount = Int(rows)
      self.reader = reader
    } catch {
      throw .malformed("its header makes no sense")
    }
  }

  /// Appends the events to `batch`, which has room for them, as rows of a record at `offset`.
  ///
  /// - Parameters:
  ///   - slots: the slots of the batch's fields by name.
  ///   - given: takes the source's watermark of each event.
  mutating func fill(
    _ batch: EventBatch, offset: Int64, slots: [[UInt8]: Int], given: GivenTime, arena: CellArena
  ) throws(ExchangeBlock.Damage) {
    guard rowCount > 0 else { return }
    let first = batch.count
    do throws(DamagedBytes) {
      let outOfOrder = try reader.fixed()
      let firstWatermark = try reader.fixed()
      let times = try readDifferences()
      try readWatermarks(times, firstWatermark, outOfOrder, given, first)
      let offsets = try readDifferences()
      let digests = try reader.raw(rowCount * SHA256.count)
      let headers = try readTraces()
      for row in 0..<rowCount {
        let start = row * SHA256.count
        let digest = UnsafeRawBufferPointer(rebasing: digests[start..<(start + SHA256.count)])
        let origin = EventOrigin(partition: header.source, offset: offsets[row])
        headers[row].withUnsafeBytes {
          batch.records.appendEvent(offset: offset, index: row, origin: origin, digest: digest, headers: $0)
        }
        batch.times[first + row] = times[row]
        batch.columns[batch.schema.timeField].states[first + row] = CellState.value.rawValue
        batch.decoded.append(Int32(truncatingIfNeeded: first + row))
      }
    } catch {
      throw .truncated
    }
    for slot in batch.columns.indices where slot != batch.schema.timeField {
      (batch.columns[slot].states + first).update(repeating: CellState.absent.rawValue, count: rowCount)
    }
    for column in columns {
      let target = slots[Array(column.name)].map { batch.columns[$0] }
      try readCells(column.type, into: target, first, arena)
    }
    guard reader.remaining == 0 else { throw .malformed("bytes follow its last column") }
  }

  private mutating func readDifferences() throws(DamagedBytes) -> [Int64] {
    var values = [Int64](repeating: 0, count: rowCount)
    var last: Int64 = 0
    for row in 0..<rowCount {
      last = last &+ (try reader.signed())
      values[row] = last
    }
    return values
  }

  private mutating func readWatermarks(
    _ times: [Int64], _ firstWatermark: Int64, _ outOfOrder: Int64, _ given: GivenTime, _ first: Int
  ) throws(DamagedBytes) {
    var last = firstWatermark
    for row in 0..<rowCount {
      let expected = BlockWatermarks.expected(after: last, time: times[row], outOfOrder: outOfOrder)
      last = expected &+ (try reader.signed())
      given.sourceWatermarks[first + row] = last
    }
  }

  private mutating func readTraces() throws(DamagedBytes) -> [[UInt8]] {
    var headers = [[UInt8]](repeating: [], count: rowCount)
    guard hasTraces else { return headers }
    for row in 0..<rowCount {
      let value = try reader.run()
      guard !value.isEmpty else { continue }
      headers[row] = RecordBatch.encode(headers: [RecordBatch.Header(name: "traceparent", value: Array(value))])
    }
    return headers
  }

  /// Reads a column; one that this pipeline does not have, or has with another type, is passed over.
  private mutating func readCells(
    _ type: ColumnType, into target: Column?, _ first: Int, _ arena: CellArena
  ) throws(ExchangeBlock.Damage) {
    var cells = CellReading(type, arena)
    let scratch = arena.take(type.stride)
    let isWanted = target?.type == type
    do throws(DamagedBytes) {
      let hasGaps = try reader.byte() != 0
      let states = hasGaps ? try reader.raw(rowCount) : nil
      for row in 0..<rowCount {
        let state = states?[row] ?? CellState.value.rawValue
        guard state == CellState.value.rawValue else {
          if isWanted { target?.states[first + row] = min(state, CellState.error.rawValue) }
          continue
        }
        let cell: UnsafeMutableRawPointer
        if isWanted, let target {
          cell = target.cells + (first + row) * type.stride
          target.states[first + row] = state
        } else {
          cell = scratch
        }
        try cells.read(&reader, into: cell)
      }
    } catch {
      throw .truncated
    }
  }
}
