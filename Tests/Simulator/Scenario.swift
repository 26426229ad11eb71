import Events
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

  let plan: PipelinePlan
  /// Whether snapshots are made.
  let keepsState: Bool
  /// What is lost where something is.
  let loss: Loss
  /// All partitions that are read: those of the source, then those of the exchanges.
  let partitions: [PartitionID]
  let sources: [PartitionID]
  /// nil: there are no exchanges.
  let topology: Topology?
  let counts: ExchangeCounts
  private var inputs: [PartitionID: [InputRecord]] = [:]
  private var ends: [PartitionID: Int64] = [:]
  /// Larger values are refused by the output topics.
  private var largest = Int.max
  /// What an undisturbed run writes.
  private(set) var expected: [Stream: [Written]] = [:]
  private var undisturbed: [Stream: [Output]] = [:]

  init(_ random: inout SeededRandom, mutation: Mutation?) {
    let hasExchanges = random.chance(350)
    var plan = hasExchanges ? Self.exchangePlan : Self.plan
    if hasExchanges { plan.source.idle = random.pick([2, 30, 30]) * second }
    if mutation == .nothingIsLate { plan.source.outOfOrder = 1_000 * second }
    plan.limits.batchRecords = random.pick([3, 8, 16])
    plan.limits.unsettledBytes = random.pick([6_000, 20_000, 1 << 20])
    keepsState = random.chance(800)
    plan.snapshot.every = (keepsState ? random.pick([1, 3, 10]) : 3_600) * second
    self.plan = plan
    let mayLose = random.chance(500) ? Loss.nothing : random.pick(Loss.allCases)
    // What is deleted from exchanges is in their state only.
    loss = hasExchanges ? .nothing : mayLose
    let sources = (0..<(2 + random.below(hasExchanges ? 2 : 3))).map { PartitionID("payments", Int32($0)) }
    let topology = hasExchanges ? Topology(plan) : nil
    let behind = topology?.exchanges.flatMap { exchange in
      (0..<(exchange.partitions ?? sources.count)).map { PartitionID(exchange.topic, Int32($0)) }
    }
    (self.sources, self.topology, partitions) = (sources, topology, sources + (behind ?? []))
    counts = ExchangeCounts(
      source: sources.count, exchanges: topology?.exchanges.map { $0.partitions ?? sources.count } ?? [])
    for partition in sources { makeRecords(partition, &random) }
    for partition in sources {
      for output in run(partition) where output.destination != .exchange {
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

  /// What is to be written where a partition is read from an offset on without its state.
  func expected(_ partition: PartitionID, from offset: Int64) -> [Stream: [Written]] {
    var found: [Stream: [Written]] = [:]
    var start = PartitionTask.Start(offset: offset, committed: offset)
    start.isTrimmed = offset > 0
    for output in run(partition, start) {
      guard let written = written(output) else { continue }
      found[Stream(partition: partition, destination: output.destination), default: []].append(Written(written))
    }
    return found
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

  func isWritable(_ output: Output) -> Bool {
    output.destination == .exchange || output.value?.count ?? 0 <= largest
  }

  func isSource(_ partition: PartitionID) -> Bool { partition.topic == "payments" }

  /// The partition of an exchange that a block goes to.
  func target(_ place: Output.Place) -> PartitionID? {
    guard let topology, topology.exchanges.indices.contains(place.exchange) else { return nil }
    return PartitionID(topology.exchanges[place.exchange].topic, place.partition)
  }

  /// How many partitions a topic has.
  func count(of topic: String) -> Int { partitions.filter { $0.topic == topic }.count }

  /// What becomes of an output in the end: itself, its substitute, or nothing.
  func written(_ output: Output) -> Output? {
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
    for _ in 0..<(20 + random.below(topology == nil ? 70 : 40)) {
      time += random.within(0...4_000)
      if random.chance(30) { time += 60_000 }
      // Transactions of the producers leave control records, and what they aborted is never seen.
      if random.chance(200) { offset += 1 + Int64(random.below(4)) }
      records.append(record(partition, offset, time, cards, &random))
      offset += 1
    }
    inputs[partition] = records
    ends[partition] = offset + Int64(random.below(3))
  }

  private func record(
    _ partition: PartitionID, _ offset: Int64, _ time: Int64, _ cards: Int, _ random: inout SeededRandom
  ) -> InputRecord {
    var at = time
    if random.chance(100) { at -= random.within(0...3_900) }
    if random.chance(50) { at -= random.within(4_000...90_000) }
    let card = "c\(random.below(cards))"
    let key = Array(card.utf8)
    let amount = random.below(100)
    let shop = topology == nil ? nil : "s\(random.below(4))"
    let fields = shop.map { "\"shop\":\"\($0)\",\"serial\":\(Int64(partition.number) << 20 | offset)," } ?? ""
    var value = "{\"ts\":\(at),\(fields)\"amount\":\(amount)}"
    let event = ReferenceModel.Event(offset: offset, time: at, card: card, amount: amount, shop: shop)
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

  /// The outputs of an undisturbed run over a partition, from its beginning if nothing else is said.
  private func run(_ partition: PartitionID, _ start: PartitionTask.Start? = nil) -> [Output] {
    let first = records(partition).first?.offset ?? 0
    let task = task(partition, start ?? PartitionTask.Start(offset: first, committed: first))
    return feed(task, records(partition))
  }

  /// A task of an undisturbed run.
  func task(_ partition: PartitionID, _ start: PartitionTask.Start) -> PartitionTask {
    var plan = plan
    plan.limits.batchRecords = 128
    return makeTask(partition, start, plan, productVersion: "simulated")
  }

  func makeTask(
    _ partition: PartitionID, _ start: PartitionTask.Start, _ plan: PipelinePlan, productVersion: String,
    counts: ExchangeCounts? = nil
  ) -> PartitionTask {
    PartitionTask(
      plan: plan, tables: [], partition: partition, start: start, productVersion: productVersion,
      registry: MetricsRegistry(), topology: topology.map { _ in Topology(plan) },
      counts: topology.map { _ in counts ?? self.counts })
  }

  private func feed(_ task: PartitionTask, _ records: some Sequence<InputRecord>) -> [Output] {
    for record in records where record.offset >= task.nextOffset { record.append(to: task.records) }
    return (task.process(now: 0)?.outputs ?? []) + (task.flush(now: 0)?.outputs ?? [])
  }

  // MARK: State

  /// Events long after all others, one of each card: they tell what is open in a state.
  private func probe(_ partition: PartitionID) -> [InputRecord] {
    let latest = records(partition).compactMap(\.event?.time).max() ?? 1_767_225_600_000
    return (0..<8).map { number in
      let time = latest + 10_000 + 40_000 * Int64(number / 4)
      return InputRecord(
        offset: end(partition) + Int64(number), timestamp: -1, key: Array("c\(number % 4)".utf8),
        value: Array("{\"ts\":\(time),\"amount\":70}".utf8))
    }
  }

  /// Whether a task whose state is made from a snapshot at this offset goes on as an undisturbed one does.
  ///
  /// - Parameter restore: makes the state.
  func goesOn(
    _ partition: PartitionID, from stored: StoredMarker, _ restore: (PartitionTask) throws -> Void
  ) -> Bool {
    let offset = stored.marker.offset
    var start = PartitionTask.Start(offset: offset, committed: offset, sequence: stored.marker.sequence)
    start.seed = stored.marker.seed
    let task = task(partition, start)
    guard (try? restore(task)) != nil else { return false }
    let rest = records(partition) + probe(partition)
    let first = records(partition).first?.offset ?? 0
    let whole = self.task(partition, PartitionTask.Start(offset: first, committed: first))
    let expected = feed(whole, rest).filter { $0.cause >= offset && $0.destination != .exchange }
    return feed(task, rest).filter { $0.destination != .exchange }.map { Written($0) } == expected.map { Written($0) }
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
