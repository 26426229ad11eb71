import Configuration
import Detection
import Events
import Foundation
import Tables
import Telemetry
import TestSupport
import Testing

@testable import Pipeline

/// One partition from bytes to outputs, on a pipeline with every kind of rule there is.
@Suite struct PartitionTaskTests {
  static let partition = PartitionID("payments", 3)

  static let file = """
    tocsin: 1
    pipeline: test
    params: { limit: 900.0 }
    sources:
      payments:
        topic: payments
        format: json
        key: card
        time: { field: ts, out_of_order: 5s, idle: 30s }
        fields:
          ts:     { at: /ts, type: timestamp_ms }
          card:   { at: $key, type: string, entity: card }
          to:     { at: /to, type: string }
          amount: { at: /amount, type: decimal(2) }
          usd:    { type: double, value: "double(amount) * rates[to].rate" }
          memo:   { at: /memo, type: string, optional: true }
    tables:
      rates:
        load: { file: rates.csv, format: csv }
        key: string
        columns: { rate: { type: double } }
        kind: reference
        else: { rate: 1.0 }
      bad:
        load: { file: bad.txt, format: text }
        key: string
    rules:
      - id: listed
        where: to in bad
        message: "{card} paid {to}"
        severity: high
      - id: listed-episode
        by: card
        where: to in bad
        keep_firing_for: 30s
        update_every: 10s
      - id: burst
        by: card
        over: 1m
        let: { n: count(), total: sum(usd), payees: count_distinct(to), last: latest(memo) }
        condition: [n >= 6, total > params.limit]
        severity: { low: "true", high: "n >= 9" }
        update_every: 20s
        evidence: 3
      - id: minute
        by: card
        per: 1m
        let: { n: count() }
        condition: n >= 5
        except: [{ where: "to == 'm0'", reason: "known" }]
    outputs:
      alerts:      { topic: alerts, source: //test/tocsin }
      late:        { topic: payments.late }
      dead_letter: { topic: payments.dead }
    """

  /// A record of the input.
  struct Record {
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [RecordBatch.Header] = []
  }

  let plan: PipelinePlan
  let tables: [TableSnapshot]

  init() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try "to,rate\nm1,2.0\nm2,0.5\n".write(
      to: folder.appendingPathComponent("rates.csv"), atomically: true, encoding: .utf8)
    try "m7\nm8\n".write(to: folder.appendingPathComponent("bad.txt"), atomically: true, encoding: .utf8)
    let read = PipelineFile.read(
      bytes: Array(Self.file.utf8), path: folder.appendingPathComponent("test.yaml").path, environment: [:])
    let plan = try #require(read.plan, "\(read.diagnostics.rendered())")
    self.plan = plan
    tables = try plan.tables.map { try TableLoader.load($0) }
  }

  func records(_ count: Int, seed: UInt64) -> [Record] {
    var random = SeededRandom(seed)
    var time = 1_767_225_600_000
    return (0..<count).map { _ in
      time += Int.random(in: 0...1_500, using: &random)
      var at = time
      if Int.random(in: 0..<8, using: &random) == 0 { at -= Int.random(in: 0...4_000, using: &random) }
      if Int.random(in: 0..<40, using: &random) == 0 { at -= Int.random(in: 10_000...90_000, using: &random) }
      let key = Array("c\(Int.random(in: 0..<6, using: &random))".utf8)
      let to = "m\(Int.random(in: 0..<9, using: &random))"
      let amount = "\(Int.random(in: 1...400, using: &random)).\(Int.random(in: 10...99, using: &random))"
      let memo = Bool.random(using: &random) ? ",\"memo\":\"n\(Int.random(in: 0...99, using: &random))\"" : ""
      var value = "{\"ts\":\(at),\"to\":\"\(to)\",\"amount\":\"\(amount)\"\(memo)}"
      switch Int.random(in: 0..<50, using: &random) {
      case 0: value = String(value.dropLast(3))
      case 1: value = "{\"ts\":\(at),\"to\":7,\"amount\":\"1.00\"}"
      case 2: return Record(key: nil, value: Array(value.utf8))
      case 3: return Record(key: key, value: nil)
      default: break
      }
      return Record(key: key, value: Array(value.utf8), headers: [RecordBatch.Header(name: "h", value: [1, 2])])
    }
  }

  func task(
    _ start: PartitionTask.Start = PartitionTask.Start(offset: 0, committed: 0),
    registry: MetricsRegistry = MetricsRegistry()
  ) -> PartitionTask {
    PartitionTask(
      plan: plan, tables: tables, partition: Self.partition, start: start, productVersion: "0",
      registry: registry)
  }

  func append(_ record: Record, offset: Int, to batch: RecordBatch) {
    batch.append(offset: Int64(offset), key: record.key, value: record.value, headers: record.headers)
  }

  /// The pairs of a run over records from `from` on, in batches of random sizes.
  func run(
    _ task: PartitionTask, _ records: [Record], from: Int = 0, to end: Int? = nil, seed: UInt64
  ) -> [Pair] {
    var random = SeededRandom(seed)
    var pairs: [Pair] = []
    var next = from
    var now: Int64 = 0
    let end = end ?? records.count
    while next < end {
      let size = min(end - next, [1, 2, 7, 60, 512].randomElement(using: &random) ?? 1)
      for offset in next..<(next + size) { append(records[offset], offset: offset, to: task.records) }
      next += size
      now += 2_000_000_000
      if let pair = task.process(now: now) { pairs.append(pair) }
    }
    return pairs
  }

  @Test(arguments: 0..<12) func whereABatchIsCutNeverShows(seed: Int) {
    let records = records(900, seed: UInt64(seed))
    let whole = run(task(), records, seed: 1).flatMap(\.outputs)
    let cut = run(task(), records, seed: UInt64(seed) + 100).flatMap(\.outputs)
    #expect(whole.count > 50)
    #expect(Set(whole.map(\.destination)) == [.alerts, .late, .deadLetter])
    #expect(whole == cut)
    #expect(whole.map(\.cause) == whole.map(\.cause).sorted())
  }

  /// Stopped at any place and started again from what was committed there: the outputs are those of one undisturbed run.
  @Test(arguments: 0..<30) func aRestartGoesOnAsIfNothingHadBeen(seed: Int) throws {
    let records = records(900, seed: UInt64(seed))
    let undisturbed = run(task(), records, seed: 1).flatMap(\.outputs)
    var random = SeededRandom(UInt64(seed) &+ 77)
    var outputs: [Output] = []
    var start = PartitionTask.Start(offset: 0, committed: 0)
    var stops = (0..<3).map { _ in Int.random(in: 1..<900, using: &random) }.sorted()
    stops.append(900)
    for stop in stops {
      let pairs = run(task(start), records, from: Int(start.offset), to: stop, seed: random.next())
      outputs += pairs.flatMap(\.outputs)
      guard let last = pairs.last else { continue }
      let committed = Position(offset: last.position.offset, metadata: last.position.metadata)
      #expect(committed == last.position)
      start = PartitionTask.Start(committed)
    }
    #expect(outputs == undisturbed)
  }

  @Test func everyRecordEndsInOnePlace() throws {
    let records = records(600, seed: 5)
    let registry = MetricsRegistry()
    let task = PartitionTask(
      plan: plan, tables: tables, partition: Self.partition, start: PartitionTask.Start(offset: 0, committed: 0),
      productVersion: "0", registry: registry)
    let outputs = run(task, records, seed: 9).flatMap(\.outputs)
    let dead = outputs.filter { $0.destination == .deadLetter }
    let late = outputs.filter { $0.destination == .late }
    #expect(!dead.isEmpty && !late.isEmpty)
    #expect(Int64(dead.count) == registry.total(PipelineMetrics.deadLetters))
    #expect(Int64(late.count) == registry.total(PipelineMetrics.late))
    #expect(registry.total(PipelineMetrics.records) == 600)
    #expect(Set(dead.map(\.cause)).isDisjoint(with: late.map(\.cause)))
    for output in dead + late {
      let record = records[Int(output.cause)]
      #expect(output.key == record.key && output.value == record.value)
      #expect(output.headers.starts(with: record.headers))
      let names = output.headers.map(\.name)
      #expect(names.contains("tocsin-reason") && names.contains("tocsin-offset"))
    }
  }

  @Test func aHugeRecordHasASmallerDeadLetterAtHand() throws {
    let task = task()
    append(Record(key: [1], value: Array(repeating: 0x78, count: 3 << 20)), offset: 0, to: task.records)
    let output = try #require(task.process(now: 0)?.outputs.first)
    #expect(output.destination == .deadLetter)
    #expect(output.value?.count == 3 << 20)
    let substitute = try #require(output.substitute)
    #expect(substitute.value?.count == 16 << 10)
    #expect(substitute.headers.contains { $0.name == "tocsin-truncated" })
    #expect(substitute.headers.contains { $0.name == "tocsin-reason" && $0.value == Array("too_large".utf8) })
  }

  @Test func aTimeInTheFutureIsADeadLetter() throws {
    let task = task()
    let value = Array("{\"ts\":4102444800000,\"to\":\"m1\",\"amount\":\"1.00\"}".utf8)
    task.records.append(offset: 0, timestamp: 1_767_225_600_000, key: [1], value: value)
    let output = try #require(task.process(now: 0)?.outputs.first)
    #expect(output.headers.contains { $0.name == "tocsin-reason" && $0.value == Array("time_in_future".utf8) })
    #expect(task.watermark == .min)
  }

  @Test func alertsCarryTheTraceOfTheirCause() throws {
    let task = task()
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    var record = Record(
      key: Array("c1".utf8), value: Array("{\"ts\":1767225600000,\"to\":\"m7\",\"amount\":\"1.00\"}".utf8))
    record.headers = [RecordBatch.Header(name: "traceparent", value: Array(trace.utf8))]
    append(record, offset: 0, to: task.records)
    let alerts = try #require(task.process(now: 0)).outputs
    #expect(alerts.count == 2)
    #expect(alerts.allSatisfy { $0.headers.contains { $0.name == "ce_traceparent" && $0.value == Array(trace.utf8) } })
  }
}
