internal import Events
internal import Expressions

/// One batch as rules see it.
struct BatchContext {
  var batch: EventBatch
  var tables: [any ReferenceTable]
  /// By row, decoded or not, the watermark after that row.
  var watermarks: UnsafeMutablePointer<Int64>
  var onTime: Selection
  /// The watermark after the batch.
  var watermark: Int64
  /// Room for a rule's pieces.
  var members: WindowMembers

  /// The first record that moved the watermark to this time.
  func cause(_ time: Int64) -> Cause {
    var low = 0
    var high = batch.count - 1
    while low < high {
      let middle = (low + high) / 2
      if watermarks[middle] >= time { high = middle } else { low = middle + 1 }
    }
    return cause(row: low)
  }

  func cause(row: Int) -> Cause {
    let record = batch.records[row]
    return Cause(offset: record.offset, order: record.order)
  }

  /// A row as episodes see it.
  func point(_ row: Int) -> EventPoint {
    let record = batch.records[row]
    return EventPoint(
      row: row, cause: Cause(offset: record.offset, order: record.order), origin: record.origin,
      time: batch.times[row], watermark: watermarks[row])
  }
}

/// What runs one rule in one partition: which events it concerns, and the parts of an alert that both kinds of rule share.
class RuleRunner: EpisodeTeller {
  let plan: RulePlan
  let identity: RuleIdentity
  let number: Int
  /// Events up to this time may be missing (they came before the rule); `Int64.min`: none are.
  var floor = Int64.min
  let schema: Schema
  let hasher: KeyHasher
  private(set) var counts: RuleCounts
  /// The frame of the batch at hand.
  var frame = Frame(count: 0, columns: [])
  let selected: Selection
  let hashes: UnsafeMutablePointer<KeyHash>
  /// The conditions of a window rule, or the filters of an event rule: each a line of the explanation.
  let explained: [Program]
  private(set) final var episodes: EpisodeTable!
  private let filter: RowFilter

  init(
    _ plan: RulePlan, number: Int, schema: Schema, capacity: Int, seed: HashSeed, explained: [Program],
    episodeLimit: Int
  ) {
    self.plan = plan
    identity = RuleIdentity(plan.identity)
    self.number = number
    self.schema = schema
    hasher = KeyHasher(seed: seed)
    counts = RuleCounts(exceptions: plan.exceptions.count)
    selected = Selection(capacity: capacity)
    hashes = .allocate(capacity: max(capacity, 1))
    filter = RowFilter(plan, capacity: capacity)
    self.explained = explained.flatMap { $0.conjuncts.isEmpty ? [$0] : $0.conjuncts }
    episodes = EpisodeTable(plan, number: number, limit: episodeLimit, teller: self)
  }

  deinit { hashes.deallocate() }

  /// Runs the rule over a batch; what it finds is collected in `episodes.findings`.
  func run(_ context: BatchContext) { preconditionFailure("a rule runs") }

  /// What a replay must not begin after, so that the rule's state comes out as it is: an offset, and a time that all events
  /// before its beginning must not exceed.
  func replayNeed(watermark: Int64) -> ReplayNeed { preconditionFailure("a rule knows what it needs") }

  // MARK: State

  /// Whether nothing was stored of it when state was read back.
  final var isNew = false
  /// Whether every window that can still be asked for lies within what the rule saw.
  var isPrimed: Bool {
    get { true }
    set {}
  }

  /// More is missing than was known.
  final func raiseFloor(to time: Int64) {
    floor = max(floor, time)
    isPrimed = false
  }

  /// Records for the next cut, at most.
  var changeCount: Int { episodes.changeCount }

  /// Adds what changed since the last cut.
  func cut(into cutter: inout StateCutter, _ codec: EpisodeCodec, _ tables: [any ReferenceTable]) {
    episodes.cut(into: &cutter, codec, tables)
  }

  /// Adds a tombstone for each record that a cut has told.
  func cutRemoval(into cutter: inout StateCutter) { episodes.cutRemoval(into: &cutter) }

  /// Takes a record in; nil: it is no more.
  func restore(_ key: StateKey, _ value: UnsafeRawBufferPointer?, _ codec: EpisodeCodec) throws(DamagedBytes) {
    guard key.kind == .episode else { throw DamagedBytes("it has no windows, but there is a record of them") }
    try episodes.restore(EpisodeKey(hash: key.hash, window: key.number), value, codec)
  }

  /// All records are there.
  func finishRestore(watermark: Int64, _ outcome: inout RestoreOutcome) {
    episodes.scheduleAll()
    outcome.episodes += episodes.count
  }

  /// Takes over the state of a rule of equal identity, which is left without; false: its cells are others, after all.
  func adopt(_ old: RuleRunner, from oldCodec: EpisodeCodec, to codec: EpisodeCodec) -> Bool {
    floor = old.floor
    isPrimed = old.isPrimed
    episodes.adopt(old.episodes, from: oldCodec, to: codec)
    return true
  }

  /// Bytes of window state.
  var stateByteCount: Int { 0 }
  /// Keys with window state.
  var keyCount: Int { 0 }

  func takeCounts() -> RuleCounts {
    defer { counts = RuleCounts(exceptions: plan.exceptions.count) }
    counts.unopened += episodes.takeUnopened()
    return counts
  }

  final func noteErrors(_ number: Int) { counts.errors += number }
  final func noteEvicted() { counts.evicted += 1 }
  final func noteRefused() { counts.refused += 1 }

  final func noteFindings(_ findings: ArraySlice<Finding>) {
    for finding in findings {
      switch finding.transition {
      case .opened: counts.opened += 1
      case .updated: counts.updated += 1
      case .closed: counts.closed += 1
      }
    }
  }

  // MARK: Selection

  /// Leaves in `selected` the rows that pass the filters, are not excepted, and have a key; hashes their keys.
  final func select(_ rows: Selection, _ batch: EventBatch) {
    filter.select(rows, frame, times: batch.times, into: selected, counts: &counts)
    counts.selected += selected.count
    if !plan.keySlots.isEmpty, selected.count > 0 {
      hasher.hash(plan.keySlots.map { frame.columns[$0] }, rows: selected, into: hashes)
    }
  }

  // MARK: Telling

  func telling(_ point: EventPoint) -> Telling { preconditionFailure("a rule tells") }

  func refresh(_ values: inout [Finding.NamedValue], _ point: EventPoint) {}

  func severity(_ point: EventPoint) -> Severity {
    var hits: [TableHit] = []
    for step in plan.severities {
      guard let condition = step.condition else { return step.severity }
      if case .success(.bool(true)) = condition.value(frame, row: point.row, hits: &hits) { return step.severity }
    }
    return .informational
  }

  /// Slots of the fields that the causing event shows.
  final var causeSlots: [Int] { plan.evidenceLimit > 0 ? plan.evidenceSlots : [] }

  final func key(_ point: EventPoint) -> [Scalar] {
    plan.keySlots.map { frame.columns[$0].scalar(point.row) ?? .null }
  }

  final func observations(_ point: EventPoint, of names: [String: String] = [:]) -> [Observation] {
    explained.map { program in
      guard let sides = program.comparison else { return Observation(text: program.text) }
      return Observation(
        text: program.text, metric: sides.left.text, observed: scalar(sides.left, point), operator: sides.operator,
        threshold: scalar(sides.right, point), of: names[sides.left.text])
    }
  }

  private func scalar(_ program: Program, _ point: EventPoint) -> Scalar? {
    var hits: [TableHit] = []
    return (try? program.value(frame, row: point.row, hits: &hits).get())?.scalar
  }

  /// The entries of tables that the rule asks about, all of them: `||` would stop at the first.
  final func hits(_ point: EventPoint) -> [TableHit] {
    plan.memberships.compactMap { $0.hit(in: frame, row: point.row) }
  }
}

/// What a replay must not begin after.
struct ReplayNeed: Sendable, Hashable {
  /// It begins at this offset or before.
  public var offset: Int64
  /// No event before its beginning has a time after this one, in nanoseconds since 1970.
  public var time: Int64

  static let nothing = ReplayNeed(offset: .max, time: .max)

  /// The stricter of both.
  func combined(with other: ReplayNeed) -> ReplayNeed {
    ReplayNeed(offset: min(offset, other.offset), time: min(time, other.time))
  }
}
