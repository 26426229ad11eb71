internal import Detection
internal import Events
internal import Expressions

/// How many partitions the topics have that a task writes its blocks to.
public struct ExchangeCounts: Sendable, Hashable {
  /// Partitions of the source.
  public var source: Int
  /// Partitions of each exchange's topic, by its number.
  public var exchanges: [Int]

  /// Numbers of partitions.
  public init(source: Int, exchanges: [Int]) {
    self.source = source
    self.exchanges = exchanges
  }
}

extension ExchangeCounts {
  /// Bytes that the topic of an exchange, and the client, must take in one record: more than any block of several events has. A
  /// block of one event may be larger.
  public static let recordBytesMin = 256 << 10
}

/// At the source: sends the events that rules of other keys want on their way, as blocks for the partitions of the exchanges.
///
/// Events are gathered for a moment, and what they wait for goes with them: the task hands over no position past an event
/// that it has not handed over too. Every partition of every exchange hears about once a second how far this one has come,
/// also where no event goes there.
final class ExchangeStage {
  /// Nanoseconds of processing time within which a moved watermark is told everywhere.
  static let tellEvery: Int64 = 1_000_000_000

  private struct Target {
    var builder: BlockBuilder
    /// Blocks that are full, or hold one large event.
    var ready: [Block] = []
    /// The watermark that it was told.
    var told = Int64.min
    /// Whether it takes the partition for idle.
    var isToldIdle = false
  }

  private struct Block {
    var bytes: [UInt8]
    /// How far its partition has come with it: what takes its place must not say more, since others follow.
    var watermark: Int64
    /// What is written and told where the block can never be written; nil: nothing more than how far its partition has come.
    var loss: Loss?
  }

  private struct Loss {
    var lost: Output.Substitute.Lost
    var deadLetter: Output?
  }

  private struct Route {
    var plan: ExchangePlan
    var filters: [(rule: RulePlan, filter: RowFilter)]
    var keys: [Column]
    var targets: [Target]
  }

  private static let hasher = KeyHasher(seed: KeyHasher.fixedSeed("tocsin exchange"))

  private let version: String
  private let partition: Int32
  private let sourceCount: Int
  private let idleAfter: Int64
  private let gather: Int64
  private let hasDeadLetters: Bool
  private var routes: [Route]
  private let selected: Selection
  private let wanted: UnsafeMutablePointer<Bool>
  private(set) var counts: [RuleCounts] = []
  private var watermark = Int64.min
  /// When all were last told how far this one has come; nil: never.
  private var lastNews: Int64?
  /// When the last record came, or looking began.
  private var lastRecord: Int64?
  /// When the oldest event that is gathered came; nil: there is none.
  private var gatheringSince: Int64?
  private var hasFullBlock = false
  /// Whether the partition has been quiet for so long that it holds nobody back.
  private(set) var isIdle = false

  /// - Parameter counts: the topics' partitions, by the exchanges of the topology.
  init(_ topology: Topology, batch: EventBatch, counts: ExchangeCounts) {
    let plan = topology.source
    version = plan.version
    partition = batch.records.partition
    sourceCount = counts.source
    idleAfter = plan.source.idle
    gather = plan.exchange.gather
    hasDeadLetters = plan.outputs.deadLetter != nil
    selected = Selection(capacity: batch.capacity)
    wanted = .allocate(capacity: max(batch.capacity, 1))
    wanted.initialize(repeating: false, count: max(batch.capacity, 1))
    routes = topology.exchanges.map { exchange in
      let builder = BlockBuilder(
        schema: plan.schema, slots: exchange.columnSlots, outOfOrder: plan.source.outOfOrder)
      let rules = exchange.plan.rules.map { rule in
        var rule = rule
        rule.isPrefiltered = false
        return rule
      }
      return Route(
        plan: exchange, filters: rules.map { ($0, RowFilter($0, capacity: batch.capacity)) },
        keys: exchange.keySlots.map { batch.columns[$0] },
        targets: Array(repeating: Target(builder: builder), count: max(1, counts.exchanges[exchange.number])))
    }
    resetCounts()
  }

  deinit { wanted.deallocate() }

  /// What the rules' filters let go since the last call, by the rules of the exchanges in their order.
  func takeCounts() -> [RuleCounts] {
    defer { resetCounts() }
    return counts
  }

  private func resetCounts() {
    counts = routes.flatMap { $0.filters.map { RuleCounts(exceptions: $0.rule.exceptions.count) } }
  }

  // MARK: Events

  /// Gathers the events of a batch that the detector has just seen.
  ///
  /// - Parameter muted: events before this offset were sent before.
  func gather(
    _ batch: EventBatch, _ detector: PartitionDetector, tables: [any ReferenceTable], muted: Int64, now: Int64
  ) {
    if batch.count > 0 {
      lastRecord = now
      isIdle = false
    }
    watermark = detector.clock.watermark
    let frame = Frame(count: batch.count, columns: batch.columns, tables: tables)
    var number = 0
    for place in routes.indices {
      var isAnyWanted = false
      for (rule, filter) in routes[place].filters {
        let rows: Selection
        if case .window = rule.kind { rows = detector.onTime } else { rows = batch.decoded }
        filter.select(rows, frame, times: batch.times, into: selected, counts: &counts[number])
        number += 1
        for index in 0..<selected.count { wanted[Int(selected.rows[index])] = true }
        isAnyWanted = isAnyWanted || selected.count > 0
      }
      if isAnyWanted { send(batch, detector, muted, place, now) }
    }
  }

  /// Hands the wanted rows to the builders of their partitions.
  private func send(_ batch: EventBatch, _ detector: PartitionDetector, _ muted: Int64, _ place: Int, _ now: Int64) {
    let targets = UInt64(routes[place].targets.count)
    for row in 0..<batch.count where wanted[row] {
      wanted[row] = false
      guard batch.records[row].offset >= muted else { continue }
      let target = Int(Self.hasher.hash(routes[place].keys, row: row).low % targets)
      let watermark = detector.watermarks[row]
      let isLarge = routes[place].targets[target].builder.isLarge(batch, row: row)
      // The events before it go before it.
      if isLarge { finishBlock(place, target, routes[place].targets[target].builder.lastMark) }
      routes[place].targets[target].builder.append(batch, row: row, watermark: watermark)
      if gatheringSince == nil { gatheringSince = now }
      guard isLarge || routes[place].targets[target].builder.isFull else { continue }
      finishBlock(place, target, watermark)
      if isLarge { noteLoss(batch, row, place, target) }
    }
  }

  /// Makes a block of what a partition's builder holds.
  private func finishBlock(_ place: Int, _ target: Int, _ watermark: Int64) {
    guard routes[place].targets[target].builder.rowCount > 0 else { return }
    let bytes = routes[place].targets[target].builder.take(header(watermark: watermark))
    routes[place].targets[target].ready.append(Block(bytes: bytes, watermark: watermark))
    hasFullBlock = true
  }

  /// The last block of a partition holds one large event, which may be too large.
  private func noteLoss(_ batch: EventBatch, _ row: Int, _ place: Int, _ target: Int) {
    let last = routes[place].targets[target].ready.count - 1
    let count = routes[place].targets[target].ready[last].bytes.count
    guard count > ExchangeCounts.recordBytesMin else { return }
    let topic = routes[place].plan.topic
    routes[place].targets[target].ready[last].loss = Loss(
      lost: Output.Substitute.Lost(offset: batch.records[row].offset, exchange: topic, blockBytes: count),
      deadLetter: hasDeadLetters ? RejectedRecord.oversized(row, batch, exchange: topic, blockBytes: count) : nil)
  }

  // MARK: Blocks

  private func header(watermark: Int64) -> ExchangeBlock.Header {
    ExchangeBlock.Header(
      source: partition, sourceCount: sourceCount, watermark: watermark, isIdle: isIdle, version: version)
  }

  /// Whether events wait that can wait no longer, at `now`.
  func isDue(now: Int64) -> Bool {
    guard let gatheringSince else { return false }
    return hasFullBlock || now - gatheringSince >= gather
  }

  /// When they can wait no longer; nil: none do.
  var dueTime: Int64? { gatheringSince.map { $0 + gather } }

  /// Whether events wait for the rest of their block.
  var isGathering: Bool { gatheringSince != nil }

  /// Whether there is news that some partition should be told now, though no event goes there.
  func hasNews(now: Int64) -> Bool {
    guard routes.contains(where: { $0.targets.contains { $0.told < watermark || $0.isToldIdle != isIdle } }) else {
      return false
    }
    // Who is taken for idle and is not any more must be heard of before the others move on.
    if routes.contains(where: { $0.targets.contains { $0.isToldIdle != isIdle } }) { return true }
    return lastNews.map { now - $0 >= Self.tellEvery } ?? true
  }

  /// Looks whether the partition has become idle.
  ///
  /// - Parameter isQuiet: whether nothing waits to be read, and it is not we who don't read on.
  func look(isQuiet: Bool, now: Int64) {
    guard isQuiet, let lastRecord else {
      lastRecord = now
      return
    }
    if now - lastRecord >= idleAfter { isIdle = true }
  }

  /// All that waits, as outputs; with news, a block for each partition of each exchange.
  ///
  /// - Parameter cause: the offset of the last record that was read.
  func take(cause: Int64, now: Int64) -> [Output] {
    let isNews = hasNews(now: now)
    if isNews { lastNews = now }
    var outputs: [Output] = []
    for place in routes.indices {
      for target in routes[place].targets.indices {
        for block in takeBlocks(&routes[place].targets[target], isNews) {
          let to = Output.Place(exchange: routes[place].plan.number, partition: Int32(target))
          outputs.append(
            Output(
              .exchange, key: nil, value: block.bytes, headers: [], cause: cause, substitute: substitute(block),
              place: to))
        }
      }
    }
    gatheringSince = nil
    hasFullBlock = false
    return outputs
  }

  /// Where a block can never be written, its partition's watermark still gets through.
  private func substitute(_ block: Block) -> Output.Substitute? {
    guard block.bytes.count > ExchangeCounts.recordBytesMin else { return nil }
    let news = BlockBuilder.empty(header(watermark: block.watermark))
    return Output.Substitute(
      value: news, headers: [], also: block.loss?.deadLetter.map { [$0] } ?? [], lost: block.loss?.lost)
  }

  private func takeBlocks(_ target: inout Target, _ isNews: Bool) -> [Block] {
    var blocks = target.ready
    target.ready.removeAll()
    if target.builder.rowCount > 0 {
      blocks.append(Block(bytes: target.builder.take(header(watermark: watermark)), watermark: watermark))
    } else if isNews, target.told < watermark || target.isToldIdle != isIdle {
      blocks.append(Block(bytes: BlockBuilder.empty(header(watermark: watermark)), watermark: watermark))
    } else {
      return blocks
    }
    target.told = watermark
    target.isToldIdle = isIdle
    return blocks
  }
}
