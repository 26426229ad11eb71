import Events
import Expressions

@testable import Detection

/// Feeds events to a detector as the pipeline does: one record batch, one decoder and one event batch, used again and again,
/// so that whatever still points into an earlier batch shows.
final class DetectorRun {
  static let capacity = 512

  let detector: PartitionDetector
  private let records: RecordBatch
  private let batch: EventBatch
  private let decoder: EventDecoder
  /// Of the next batch.
  var tables: [any ReferenceTable]

  convenience init(
    _ rules: [RulePlan], outOfOrder: Int64 = 0, stateBytes: Int = 1 << 30, episodes: Int = 1 << 20,
    origin: ReplayPoint = ReplayPoint(offset: 0, largest: .min), isTrimmed: Bool = false,
    schema: Schema = TestEvent.schema, tables: [any ReferenceTable] = [], seed: HashSeed = .random()
  ) {
    self.init(
      PartitionDetector(
        rules: rules, schema: schema, outOfOrder: outOfOrder, capacity: Self.capacity,
        limits: PartitionDetector.Limits(stateBytes: stateBytes, episodes: episodes), origin: origin,
        isTrimmed: isTrimmed, seed: seed),
      schema: schema, tables: tables)
  }

  init(_ detector: PartitionDetector, schema: Schema = TestEvent.schema, tables: [any ReferenceTable] = []) {
    self.detector = detector
    records = RecordBatch(topic: "t", partition: 0, capacity: Self.capacity)
    batch = EventBatch(schema: schema, records: records)
    decoder = EventDecoder(schema: schema, maximumRecordBytes: 1 << 20)
    self.tables = tables
  }

  /// One batch.
  func feed(_ events: ArraySlice<TestEvent>) -> [Finding] {
    feed(records: events.map { ($0.offset, $0.json) })
  }

  func feed(records values: [(offset: Int64, value: [UInt8])]) -> [Finding] {
    records.removeAll()
    for value in values {
      value.value.withUnsafeBytes { records.append(offset: value.offset, timestamp: 0, key: nil, value: $0) }
    }
    decoder.decode(batch)
    return detector.detect(batch, tables: tables)
  }

  /// All events, in batches whose sizes `size` gives.
  func feedAll(_ events: [TestEvent], size: () -> Int = { capacity }) -> [Finding] {
    var findings: [Finding] = []
    var start = 0
    while start < events.count {
      let end = min(events.count, start + size())
      findings += feed(events[start..<end])
      start = end
    }
    return findings
  }
}

/// Where two runs differ first, for a person; nil: nowhere.
func difference(_ expected: [Finding], _ found: [Finding]) -> String? {
  for (left, right) in zip(expected, found) where left != right {
    return "expected \("\(left)".prefix(4_000))\nfound    \("\(right)".prefix(4_000))"
  }
  return expected.count == found.count ? nil : "expected \(expected.count) findings, found \(found.count)"
}
