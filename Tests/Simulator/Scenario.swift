import Configuration
import Events
import Foundation
import Pipeline
import Telemetry

/// What one run reads, and what it has to write: made from a seed.
struct Scenario {
  /// The outputs of one partition to one topic: their order is fixed.
  struct Stream: Hashable, Comparable {
    var partition: PartitionID
    var destination: Output.Destination

    static func < (left: Stream, right: Stream) -> Bool {
      (left.partition, left.destination.rawValue) < (right.partition, right.destination.rawValue)
    }
  }

  /// A written record.
  struct Written: Hashable {
    var cause: Int64
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [RecordBatch.Header]

    init(_ output: Output) {
      (cause, key, value, headers) = (output.cause, output.key, output.value, output.headers)
    }

    /// What tells alerts of one cause apart.
    var identity: [UInt8]? { headers.first { $0.name == "ce_id" }?.value }
  }

  static let pipeline = """
    tocsin: 1
    pipeline: simulated
    sources:
      payments:
        topic: payments
        format: json
        key: card
        time: { field: ts, out_of_order: 4s, idle: 30s }
        fields:
          ts:     { at: /ts, type: timestamp_ms }
          card:   { at: $key, type: string, entity: card }
          amount: { at: /amount, type: int }
    rules:
      - id: large
        where: amount >= 97
      - id: hot
        by: card
        where: amount >= 85
        keep_firing_for: 20s
        update_every: 8s
      - id: burst
        by: card
        over: 40s
        let: { n: count(), total: sum(amount) }
        condition: [n >= 4, total >= 150]
        severity: { low: "true", high: "n >= 6" }
        update_every: 10s
        keep_firing_for: 5s
        evidence: 3
      - id: minute
        by: card
        per: 30s
        let: { n: count(), most: max(amount) }
        condition: [n >= 3, most >= 60]
        update_every: 5s
        evidence: 2
    outputs:
      alerts:      { topic: alerts, source: //test/tocsin }
      late:        { topic: payments.late }
      dead_letter: { topic: payments.dead }
    """

  /// The pipeline, read once.
  static let plan: PipelinePlan = {
    let read = PipelineFile.read(bytes: Array(pipeline.utf8), path: "simulated.yaml", environment: [:])
    guard let plan = read.plan else { preconditionFailure(read.diagnostics.rendered()) }
    return plan
  }()

  let plan: PipelinePlan
  let partitions: [PartitionID]
  private var inputs: [PartitionID: [InputRecord]] = [:]
  private var ends: [PartitionID: Int64] = [:]
  /// Larger values are refused by the output topics.
  private var largest = Int.max
  /// What an undisturbed run writes.
  private(set) var expected: [Stream: [Written]] = [:]
  private var undisturbed: [Stream: [Output]] = [:]

  init(_ random: inout SeededRandom, mutation: Mutation?) {
    var plan = Self.plan
    if mutation == .nothingIsLate { plan.source.outOfOrder = 1_000 * second }
    plan.limits.batchRecords = random.pick([3, 8, 16])
    plan.limits.unsettledBytes = random.pick([6_000, 20_000, 1 << 20])
    self.plan = plan
    partitions = (0..<(2 + random.below(3))).map { PartitionID("payments", Int32($0)) }
    for partition in partitions { makeRecords(partition, &random) }
    for partition in partitions {
      for output in run(partition) {
        undisturbed[Stream(partition: partition, destination: output.destination), default: []].append(output)
      }
    }
    if random.chance(250) {
      let sizes = undisturbed.values.joined().map { $0.value?.count ?? 0 }.sorted()
      // Some alerts are given up; or only what is huge, which has a substitute.
      let size = sizes.dropFirst(sizes.count * 4 / 5).first ?? 0
      largest = random.chance(500) ? size : 17_000
    }
    expected = undisturbed.mapValues { outputs in outputs.compactMap { written($0).map { Written($0) } } }
  }

  func records(_ partition: PartitionID) -> [InputRecord] { inputs[partition] ?? [] }

  /// What an undisturbed run makes, whether it can be written or not.
  func undisturbed(_ partition: PartitionID, _ destination: Output.Destination) -> [Output] {
    undisturbed[Stream(partition: partition, destination: destination)] ?? []
  }

  /// The offset after the last record and the control records behind it.
  func end(_ partition: PartitionID) -> Int64 { ends[partition] ?? 0 }

  /// Whether the output topics refuse some of what is written.
  var refusesSome: Bool { largest < .max }

  func isWritable(_ output: Output) -> Bool { output.value?.count ?? 0 <= largest }

  /// What becomes of an output in the end: itself, its substitute, or nothing.
  private func written(_ output: Output) -> Output? {
    if isWritable(output) { return output }
    guard let substitute = output.substitute else { return nil }
    let less = Output(
      output.destination, key: output.key, value: substitute.value, headers: substitute.headers, cause: output.cause)
    return isWritable(less) ? less : nil
  }

  private mutating func makeRecords(_ partition: PartitionID, _ random: inout SeededRandom) {
    var time: Int64 = 1_767_225_600_000
    var offset: Int64 = random.chance(300) ? Int64(random.below(50)) : 0
    let cards = 1 + random.below(4)
    var records: [InputRecord] = []
    for _ in 0..<(20 + random.below(70)) {
      time += random.within(0...4_000)
      if random.chance(30) { time += 60_000 }
      // Transactions of the producers leave control records, and what they aborted is never seen.
      if random.chance(200) { offset += 1 + Int64(random.below(4)) }
      records.append(record(offset, time, cards, &random))
      offset += 1
    }
    inputs[partition] = records
    ends[partition] = offset + Int64(random.below(3))
  }

  private func record(
    _ offset: Int64, _ time: Int64, _ cards: Int, _ random: inout SeededRandom
  ) -> InputRecord {
    var at = time
    if random.chance(100) { at -= random.within(0...3_900) }
    if random.chance(50) { at -= random.within(4_000...90_000) }
    let card = "c\(random.below(cards))"
    let key = Array(card.utf8)
    let amount = random.below(100)
    var value = "{\"ts\":\(at),\"amount\":\(amount)}"
    let event = ReferenceModel.Event(offset: offset, time: at, card: card, amount: amount)
    switch random.below(60) {
    case 0: value = String(value.dropLast(3))
    case 1: value = "{\"ts\":\(at),\"amount\":\"much\"}"
    case 2: value = "{\"ts\":\(at)," + String(repeating: "x", count: 17 << 10)
    case 3: return InputRecord(offset: offset, timestamp: -1, key: nil, value: Array(value.utf8))
    case 4: return InputRecord(offset: offset, timestamp: -1, key: key, value: nil)
    default: break
    }
    let isWhole = value.hasSuffix("\(amount)}")
    return InputRecord(
      offset: offset, timestamp: -1, key: key, value: Array(value.utf8), event: isWhole ? event : nil)
  }

  /// The outputs of an undisturbed run over a partition.
  private func run(_ partition: PartitionID) -> [Output] {
    var plan = plan
    plan.limits.batchRecords = 128
    let records = records(partition)
    let first = records.first?.offset ?? 0
    let task = PartitionTask(
      plan: plan, tables: [], partition: partition, start: PartitionTask.Start(offset: first, committed: first),
      productVersion: "simulated", registry: MetricsRegistry())
    for record in records { record.append(to: task.records) }
    return task.process(now: 0)?.outputs ?? []
  }
}

extension InputRecord {
  func append(to batch: RecordBatch) {
    (key ?? []).withUnsafeBytes { keyBytes in
      (value ?? []).withUnsafeBytes { valueBytes in
        batch.append(
          offset: offset, timestamp: timestamp, key: key == nil ? nil : keyBytes,
          value: value == nil ? nil : valueBytes)
      }
    }
  }
}
