public import Events

/// Runs all rules over the batches of one partition: its event time, its windows, its episodes. It does no I/O and asks for
/// no time; the same events in the same order give the same findings, however they are cut into batches.
public final class PartitionDetector {
  /// How much state it may hold.
  public struct Limits: Sendable, Hashable {
    /// Window state of one rule, in bytes.
    public var stateBytes: Int
    /// Open episodes of one rule.
    public var episodes: Int

    /// Bounds for each rule.
    public init(stateBytes: Int, episodes: Int) {
      self.stateBytes = stateBytes
      self.episodes = episodes
    }
  }

  /// The partition's event time.
  public internal(set) var clock: EventClock
  /// What the hashes of keys start from: stored state can be read back only with the seed that it was written with.
  public let seed: HashSeed
  /// Rows of the last batch whose events were late, in offset order.
  public let late: Selection
  /// Rules that begin now have missed events up to this time; `Int64.min`: none.
  var floor: Int64
  var isTrimmed: Bool
  let runners: [RuleRunner]
  let codec: EpisodeCodec
  /// The tables of the last batch.
  var tables: [any ReferenceTable] = []
  /// Rules that a change of the pipeline took away, until the next cut tells that their state is gone.
  var retired: [RuleRunner] = []
  /// What was read back of rules that are no longer there.
  var orphans: Set<StateKey> = []
  /// By row of the last batch, decoded or not, the watermark after that row.
  public let watermarks: UnsafeMutablePointer<Int64>
  /// Rows of the last batch whose events were on time.
  public let onTime: Selection
  var replayLog = ReplayLog()
  private let members: WindowMembers

  /// A detector that has seen no event.
  ///
  /// - Parameters:
  ///   - capacity: most rows of a batch.
  ///   - origin: where the partition is read from. With a `largest` time, what came before is missing: rules hold still until
  ///     their windows lie wholly after it, and after its `floor`.
  ///   - isTrimmed: more than that is missing, and nobody knows how much: what came before the first event may have times up
  ///     to its own and `outOfOrder` more.
  ///   - seed: of stored state that will be read back.
  public init(
    rules: [RulePlan], schema: Schema, outOfOrder: Int64, capacity: Int, limits: Limits,
    origin: ReplayPoint = ReplayPoint(offset: 0, largest: .min), isTrimmed: Bool = false,
    seed: HashSeed = .random()
  ) {
    self.seed = seed
    codec = EpisodeCodec(schema)
    self.isTrimmed = isTrimmed || origin.isTrimmed
    clock = EventClock(outOfOrder: outOfOrder, largest: origin.largest)
    floor = max(origin.largest, origin.floor)
    members = WindowMembers(rows: max(capacity, 1))
    late = Selection(capacity: capacity)
    onTime = Selection(capacity: capacity)
    watermarks = .allocate(capacity: max(capacity, 1))
    runners = rules.enumerated().map { number, plan in
      switch plan.kind {
      case .event:
        EventRuleRunner(
          plan, number: number, schema: schema, capacity: capacity, seed: seed, episodeLimit: limits.episodes)
      case .window(let window):
        WindowRuleRunner(
          plan, window, number: number, schema: schema, capacity: capacity, seed: seed,
          episodeLimit: limits.episodes, stateLimit: limits.stateBytes)
      }
    }
    for runner in runners { runner.floor = floor }
  }

  deinit { watermarks.deallocate() }

  /// Runs the rules over a batch whose derived fields are computed.
  ///
  /// - Parameter tables: one version of each, the same for the whole batch.
  /// - Returns: what was found, by what caused it, then by rule.
  public func detect(_ batch: EventBatch, tables: [any ReferenceTable]) -> [Finding] {
    if batch.count > 0 { replayLog.note(ReplayPoint(offset: batch.records[0].offset, largest: clock.largest)) }
    if isTrimmed, batch.decoded.count > 0 {
      isTrimmed = false
      let first = batch.times[Int(batch.decoded.rows[0])]
      floor = max(floor, EventClock.saturated(first, plus: clock.outOfOrder))
      for runner in runners { runner.raiseFloor(to: floor) }
    }
    notice(tables)
    clock.advance(batch, watermarks: watermarks, onTime: onTime, late: late)
    let context = BatchContext(
      batch: batch, tables: tables, watermarks: watermarks, onTime: onTime, watermark: clock.watermark,
      members: members)
    for runner in runners { runner.run(context) }
    return collect()
  }

  /// Where a table's version changed, open alerts name its entries by other numbers.
  private func notice(_ tables: [any ReferenceTable]) {
    let isSame = self.tables.count == tables.count && zip(self.tables, tables).allSatisfy { $0 === $1 }
    guard !isSame else { return }
    for runner in runners { runner.episodes.resolve(from: self.tables, to: tables) }
    self.tables = tables
  }

  private func collect() -> [Finding] {
    var findings: [Finding] = []
    for runner in runners where !runner.episodes.findings.isEmpty {
      findings += runner.episodes.findings
      runner.episodes.findings.removeAll(keepingCapacity: true)
    }
    guard findings.count > 1 else { return findings }
    return findings.enumerated().sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
      .map(\.element)
  }

  /// What happened in each rule since the last call, by the rule's number.
  public func takeCounts() -> [RuleCounts] { runners.map { $0.takeCounts() } }

  /// Bytes of window state, keys, and open episodes of each rule, by its number.
  public var sizes: [(stateBytes: Int, keys: Int, episodes: Int)] {
    runners.map { ($0.stateByteCount, $0.keyCount, $0.episodes.count) }
  }

  /// From where the partition must be read again so that windows and episodes come out as they are now; nil before the
  /// first batch. It looks at every open episode: ask about once a second, an older answer stays right.
  public func replayPoint() -> ReplayPoint? {
    let watermark = clock.watermark
    let need = runners.reduce(ReplayNeed.nothing) { $0.combined(with: $1.replayNeed(watermark: watermark)) }
    guard var place = replayLog.place(for: need) else { return nil }
    // What was missing at the start is missing in a replay too.
    place.floor = floor > place.largest ? floor : .min
    place.isTrimmed = isTrimmed
    return place
  }
}
