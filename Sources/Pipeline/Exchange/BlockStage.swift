internal import Detection
internal import Events

/// Behind an exchange: turns the blocks that a task has read into batches of events, with the event time that goes for each.
///
/// An event's watermark is the smallest of its own partition's, as it was when the event was read there, and of what was
/// known of all others. So what was on time where it was read is on time here, unless its partition had been declared idle.
/// After its events a block moves its partition's watermark; where that moves the whole, a row that is no event carries it.
final class BlockStage {
  /// Rows of a batch: at least one whole block and the row that ends it.
  static let batchRows = 2 * (ExchangeBlock.rowLimit + 1)

  private(set) var clock = ExchangeClock()
  let batch: EventBatch
  private let given: GivenTime
  private let slots: [[UInt8]: Int]
  private let arena = CellArena()
  private let dropsRepeats: Bool
  private let partition: PartitionID
  /// The version of the pipeline file that the last block of each partition of the source was made with.
  private var versions: [Int32: String] = [:]
  /// Rows whose events came before, because a source without transactions told them again.
  private(set) var repeats = 0

  /// - Parameter dropsRepeats: whether events may come twice, and are known by their offsets.
  init(partition: PartitionID, sourceTopic: String, schema: Schema, dropsRepeats: Bool) {
    self.partition = partition
    self.dropsRepeats = dropsRepeats
    let rows = RecordBatch(
      topic: partition.topic, partition: partition.number, originTopic: sourceTopic, capacity: Self.batchRows)
    batch = EventBatch(schema: schema, records: rows)
    given = GivenTime(capacity: Self.batchRows)
    batch.givenTime = given
    slots = Dictionary(
      schema.fields.enumerated().map { (Array($0.element.name.utf8), $0.offset) },
      uniquingKeysWith: { first, _ in first })
  }

  /// Takes up where another version's stage has got to.
  func restore(_ other: BlockStage) {
    clock = other.clock
    versions = other.versions
  }

  /// Whether every partition of the source that is not idle has passed to this version of the pipeline file.
  func hasPassed(_ version: String) -> Bool {
    clock.sources.indices.allSatisfy { clock.sources[$0].isIdle || versions[Int32($0)] == version }
  }

  /// Takes up the clock that was saved with the state.
  func restore(_ clock: ExchangeClock) { self.clock = clock }

  /// Fills the batch with whole blocks from the one at `next` on.
  ///
  /// - Returns: the place of the first block that found no room, or the number of blocks.
  func fill(_ blocks: RecordBatch, from next: Int) throws(PipelineFailure) -> Int {
    batch.reset()
    batch.records.removeAll()
    arena.removeAll()
    var next = next
    while next < blocks.count {
      do throws(ExchangeBlock.Damage) {
        var reader = try BlockReader(blocks.value(next)?.buffer ?? UnsafeBufferPointer(start: nil, count: 0))
        guard batch.count + reader.rowCount + 1 <= batch.capacity else { return next }
        try take(&reader, offset: blocks[next].offset)
      } catch {
        throw PipelineFailure(
          .fatal,
          "\(partition) at offset \(blocks[next].offset): the block can't be read: \(error). Its events would be lost to the "
            + "rules behind it, so nothing goes on; docs/exchange.md says what can be done")
      }
      next += 1
    }
    return next
  }

  private func take(_ reader: inout BlockReader, offset: Int64) throws(ExchangeBlock.Damage) {
    let header = reader.header
    let source = Int(header.source)
    clock.expect(header.sourceCount)
    guard source < clock.sources.count else { throw .malformed("the source has too many partitions") }
    clock.wake(source)
    versions[header.source] = header.version
    let first = batch.count
    try reader.fill(batch, offset: offset, slots: slots, given: given, arena: arena)
    let others = clock.others(than: source)
    for row in first..<batch.count {
      clock.advance(to: min(others, given.sourceWatermarks[row]))
      given.watermarks[row] = clock.watermark
    }
    if dropsRepeats { drop(from: first, source) }
    if batch.count > first { clock.note(batch.records[batch.count - 1].origin.offset, of: source) }
    let before = clock.watermark
    let after = clock.end(of: source, watermark: header.watermark, isIdle: header.isIdle)
    if after > before { mark(offset, header.source, after) }
  }

  /// A row that is no event moves the watermark.
  private func mark(_ offset: Int64, _ source: Int32, _ watermark: Int64) {
    let row = batch.count
    batch.records.appendEvent(
      offset: offset, index: ExchangeBlock.rowLimit, origin: EventOrigin(partition: source, offset: -1), digest: nil)
    given.watermarks[row] = watermark
    given.sourceWatermarks[row] = watermark
  }

  private func drop(from first: Int, _ source: Int) {
    let last = clock.lastOffset(of: source)
    for row in first..<batch.count where batch.records[row].origin.offset <= last {
      batch.decoded.remove(Int32(truncatingIfNeeded: row))
      repeats += 1
    }
  }
}
