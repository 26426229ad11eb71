import Configuration
import Detection
import Events
import Foundation
import Tables
import Telemetry
import TestSupport
import Testing

@testable import Pipeline

/// A pipeline with rules of three keys, in memory: tasks of a source and of its exchanges, on logs that are arrays. Who does
/// what when, how much at once, and who dies is drawn from a seed.
struct ExchangeWorld {
  static let file = """
    tocsin: 1
    pipeline: test
    sources:
      payments:
        topic: payments
        format: json
        key: card
        time: { field: ts, out_of_order: 5s, idle: 30s }
        fields:
          ts:     { at: /ts, type: timestamp_ms }
          card:   { at: $key, type: string, entity: card }
          to:     { at: /to, type: string, entity: merchant, optional: true }
          place:  { at: /place, type: int }
          amount: { at: /amount, type: decimal(2) }
          twice:  { type: double, value: "double(amount) * 2.0" }
          memo:   { at: /memo, type: string, optional: true }
          tags:   { at: /tags, type: list(string), optional: true }
    rules:
      - { id: single, where: "amount > 380", message: "{card} paid {to}" }
      - id: card-minute
        by: card
        per: 1m
        let: { n: count() }
        condition: n >= 5
      - id: to-minute
        by: to
        per: 1m
        where: amount > 20
        let: { n: count(), total: sum(amount), cards: count_distinct(card) }
        condition: n >= 4
        except: [{ where: "to == 'm0'", reason: "known" }]
        message: "{n} payments to {to}: {total} of {cards} cards"
      - id: to-trailing
        by: to
        over: 1m
        let: { n: count(), most: max(twice), last: latest(memo), first: earliest(memo) }
        condition: [n >= 6, most > 100.0]
        severity: { low: "true", high: "n >= 9" }
        update_every: 10s
        keep_firing_for: 20s
        evidence: 3
      - id: to-place
        by: [to, place]
        per: 5m
        where: "!has(event.tags) || 'x' in tags"
        let: { n: count() }
        condition: n >= 3
      - id: to-large
        by: to
        where: amount > 350
        keep_firing_for: 40s
        update_every: 5s
        message: "{to} got {amount}"
    exchange: { partitions: 3, lead: 1m }
    outputs:
      alerts:      { topic: alerts, source: //test/tocsin }
      late:        { topic: payments.late }
      dead_letter: { topic: payments.dead }
    """

  static func plan() throws -> PipelinePlan {
    let read = PipelineFile.read(bytes: Array(file.utf8), path: "/test.yaml", environment: [:])
    return try #require(read.plan, "\(read.diagnostics.rendered())")
  }

  /// A record of the source.
  struct Record {
    var partition: Int
    var card: String
    var value: String
    var trace: String?
  }

  let plan: PipelinePlan
  let topology: Topology
  let counts: ExchangeCounts
  let registry = MetricsRegistry()
  var random: SeededRandom
  var now: Int64 = 1_000_000_000
  /// The source's partitions, and those of each exchange.
  private(set) var sources: [[Record]]
  private(set) var exchanges: [[[Message]]]
  private(set) var alerts: [Output] = []
  private(set) var others: [Output] = []
  private var sourceTasks: [Running]
  private var exchangeTasks: [[Running]]
  private(set) var watermarks: [PartitionID: Int64] = [:]
  /// The versions of the pipeline that there are, and the one that is offered; empty: there is one for good.
  private let versions: [PipelineVersion]
  private var newest = 0

  /// A message of an exchange's log.
  struct Message {
    var offset: Int64
    var value: [UInt8]
  }

  /// A task, and what the group has committed of its partition.
  private struct Running {
    var task: PartitionTask
    var committed: Position?
  }

  init(_ records: [Record], partitions: Int, seed: UInt64, versions: [PipelineVersion] = []) throws {
    self.versions = versions
    plan = try Self.plan()
    topology = Topology(plan)
    counts = ExchangeCounts(source: partitions, exchanges: topology.exchanges.map { $0.partitions ?? partitions })
    random = SeededRandom(seed)
    sources = (0..<partitions).map { partition in records.filter { $0.partition == partition } }
    exchanges = counts.exchanges.map { Array(repeating: [], count: $0) }
    sourceTasks = []
    exchangeTasks = []
    let (source, behind) = (partitions, counts.exchanges)
    sourceTasks = (0..<source).map { Running(task: makeTask(PartitionID("payments", Int32($0)), nil)) }
    exchangeTasks = topology.exchanges.map { exchange in
      (0..<behind[exchange.number]).map {
        Running(task: makeTask(PartitionID(exchange.topic, Int32($0)), nil))
      }
    }
  }

  private func makeTask(_ partition: PartitionID, _ committed: Position?) -> PartitionTask {
    let start = committed.map { PartitionTask.Start($0) } ?? PartitionTask.Start(offset: 0, committed: 0)
    if !versions.isEmpty {
      let earlier = Dictionary(uniqueKeysWithValues: versions.map { ($0.id, $0) })
      return PartitionTask(
        versions: TaskVersions(
          newest: versions[newest], earlier: earlier, exchanges: topology.exchanges.map(\.topic)), partition: partition,
        start: start,
        productVersion: "0", registry: registry, counts: counts)
    }
    return PartitionTask(
      plan: plan, tables: [], partition: partition, start: start, productVersion: "0", registry: registry,
      topology: topology, counts: counts)
  }

  // MARK: Steps

  /// Runs until everything was read, everyone has heard, and nothing is left to tell.
  ///
  /// - Parameters:
  ///   - deaths: how many times in all a task dies with what it had not committed.
  ///   - changes: whether another version is offered to all tasks now and then.
  mutating func run(deaths: Int = 0, idleAtEnd: Bool = true, changes: Bool = false) {
    var deaths = deaths
    while !isDone {
      step()
      if deaths > 0, Int.random(in: 0..<60, using: &random) == 0 {
        deaths -= 1
        kill()
      }
      if changes, Int.random(in: 0..<5, using: &random) == 0 { offer() }
    }
    // All are quiet for so long that nobody waits for anybody.
    for _ in 0..<(idleAtEnd ? 3 : 1) {
      now += 31_000_000_000
      for partition in sources.indices { tick(partition) }
      while !isDone { step() }
    }
  }

  private mutating func offer() {
    newest = Int.random(in: versions.indices, using: &random)
    for task in sourceTasks + exchangeTasks.flatMap({ $0 }) { task.task.offer(versions[newest]) }
  }

  /// The versions that tasks are at.
  var versionsAtWork: Set<VersionID> {
    Set((sourceTasks + exchangeTasks.flatMap { $0 }).compactMap(\.task.version))
  }

  private var isDone: Bool {
    sources.indices.allSatisfy {
      sourceTasks[$0].task.nextOffset == Int64(sources[$0].count) && !sourceTasks[$0].task.isHolding
    }
      && exchanges.indices.allSatisfy { number in
        exchanges[number].indices.allSatisfy { place in
          exchanges[number][place].last.map { exchangeTasks[number][place].task.nextOffset > $0.offset } ?? true
        }
      }
  }

  mutating func step() {
    now += Int64.random(in: 1_000_000...80_000_000, using: &random)
    if Bool.random(using: &random) {
      let partition = Int.random(in: sources.indices, using: &random)
      feed(source: partition)
      tick(partition)
    } else {
      let number = Int.random(in: exchanges.indices, using: &random)
      feed(exchange: number, Int.random(in: exchanges[number].indices, using: &random))
    }
  }

  mutating func tick(_ partition: Int) {
    if let pair = sourceTasks[partition].task.tick(now: now, isQuiet: true) { commit(pair, source: partition) }
  }

  mutating func feed(source partition: Int, atMost: Int? = nil) {
    let task = sourceTasks[partition].task
    let next = Int(task.nextOffset)
    let size = atMost ?? [1, 3, 20, 150].randomElement(using: &random) ?? 1
    for offset in next..<min(sources[partition].count, next + size) {
      let record = sources[partition][offset]
      let headers = record.trace.map { [RecordBatch.Header(name: "traceparent", value: Array($0.utf8))] } ?? []
      task.records.append(
        offset: Int64(offset), key: Array(record.card.utf8), value: Array(record.value.utf8), headers: headers)
    }
    if let pair = task.process(now: now) { commit(pair, source: partition) }
  }

  mutating func feed(exchange number: Int, _ place: Int) {
    let task = exchangeTasks[number][place].task
    let size = [1, 2, 5, 16].randomElement(using: &random) ?? 1
    for message in exchanges[number][place].lazy.filter({ $0.offset >= task.nextOffset }).prefix(size) {
      task.records.append(offset: message.offset, key: nil, value: message.value)
    }
    let before = task.watermark
    let pair = task.process(now: now)
    #expect(task.failure == nil && task.watermark >= before)
    watermarks[task.partition] = max(watermarks[task.partition] ?? .min, task.watermark)
    guard let pair else { return }
    exchangeTasks[number][place].committed = pair.position
    take(pair)
  }

  private mutating func commit(_ pair: Pair, source partition: Int) {
    sourceTasks[partition].committed = Position(offset: pair.position.offset, metadata: pair.position.metadata)
    take(pair)
  }

  /// A transaction went through: its outputs can be read.
  private mutating func take(_ pair: Pair) {
    for output in pair.outputs {
      guard let place = output.place, let value = output.value else {
        if output.destination == .alerts { alerts.append(output) } else { others.append(output) }
        continue
      }
      let partition = Int(place.partition)
      // Control records leave gaps.
      let gap = Int64.random(in: 1...3, using: &random)
      let offset = exchanges[place.exchange][partition].last.map { $0.offset + gap } ?? 0
      exchanges[place.exchange][partition].append(Message(offset: offset, value: value))
    }
  }

  /// A task dies; another takes its partition up where the group has committed it.
  private mutating func kill() {
    let place = Int.random(in: 0..<(sourceTasks.count + exchangeTasks.count), using: &random)
    if place < sourceTasks.count {
      let old = sourceTasks[place]
      sourceTasks[place].task = makeTask(old.task.partition, old.committed)
    } else {
      let number = place - sourceTasks.count
      let partition = Int.random(in: exchangeTasks[number].indices, using: &random)
      let old = exchangeTasks[number][partition]
      exchangeTasks[number][partition].task = makeTask(old.task.partition, old.committed)
    }
  }

  // MARK: The reference

  /// What one task finds that sees everything in this order.
  static func reference(_ records: [Record]) throws -> [Output] {
    let plan = try plan()
    let task = PartitionTask(
      plan: plan, tables: [], partition: PartitionID("payments", 0),
      start: PartitionTask.Start(offset: 0, committed: 0), productVersion: "0", registry: MetricsRegistry())
    var outputs: [Output] = []
    for (offset, record) in records.enumerated() {
      task.records.append(offset: Int64(offset), key: Array(record.card.utf8), value: Array(record.value.utf8))
      if task.records.isFull || offset == records.count - 1 { outputs += task.process(now: 0)?.outputs ?? [] }
    }
    return outputs
  }

  // MARK: Events

  /// Events whose times rise but for a jitter; `lateOnes`: some lie far behind.
  static func records(_ count: Int, partitions: Int, lateOnes: Bool, traces: Bool = false, seed: UInt64) -> [Record] {
    var random = SeededRandom(seed)
    var time = 1_767_225_600_000
    return (0..<count).map { number in
      time += Int.random(in: 0...900, using: &random)
      // Whole seconds, so that ends of windows are met exactly.
      var at = Bool.random(using: &random) ? time : time / 1_000 * 1_000
      if Int.random(in: 0..<6, using: &random) == 0 { at -= Int.random(in: 0...3_000, using: &random) }
      if lateOnes, Int.random(in: 0..<30, using: &random) == 0 { at -= Int.random(in: 10_000...90_000, using: &random) }
      let card = Int.random(in: 0..<9, using: &random)
      var parts = ["\"ts\":\(at)", "\"place\":\(Int.random(in: 0..<3, using: &random))"]
      parts.append(
        "\"amount\":\"\(Int.random(in: 1...400, using: &random)).\(Int.random(in: 10...99, using: &random))\"")
      if Int.random(in: 0..<20, using: &random) > 0 {
        parts.append("\"to\":\"m\(Int.random(in: 0..<5, using: &random))\"")
      }
      if Bool.random(using: &random) { parts.append("\"memo\":\"n\(Int.random(in: 0...99, using: &random))\"") }
      if Bool.random(using: &random) { parts.append("\"tags\":[\"x\",\"é\(number % 3)\"]") }
      return Record(
        partition: card % partitions, card: "c\(card)", value: "{\(parts.joined(separator: ","))}",
        trace: traces && Bool.random(using: &random) ? "00-\(number)" : nil)
    }
  }
}

/// What an alert says, for comparison.
struct AlertView: Hashable, Comparable {
  var rule: String
  var key: String
  var window: String
  var state: String

  init(_ output: Output) throws {
    let body = try JSONSerialization.jsonObject(with: Data(output.value ?? [])) as? [String: Any] ?? [:]
    let finding = body["finding_info"] as? [String: Any]
    let own = (body["unmapped"] as? [String: Any])?["tocsin"] as? [String: Any]
    rule = (finding?["analytic"] as? [String: Any])?["name"] as? String ?? "?"
    // Without a key, the subject is the record's place, which depends on how partitions are numbered.
    key = (own?["key"] as? [String])?.joined(separator: "|") ?? ""
    let bounds = own?["window"] as? [String: Any]
    window = "\(bounds?["from"] ?? "")-\(bounds?["to"] ?? "")"
    state = "\(body["activity_name"] ?? "?")"
  }

  static func < (left: AlertView, right: AlertView) -> Bool {
    (left.rule, left.key, left.window, left.state) < (right.rule, right.key, right.window, right.state)
  }
}
