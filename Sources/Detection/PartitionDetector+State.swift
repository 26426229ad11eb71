public import Events
internal import Expressions

/// A partition's state as records that change, and back. A detector that was restored from the latest value of each key, and
/// the header of the last cut, goes on as the one that was cut would have: equal findings, equal sizes.
extension PartitionDetector {
  /// How many records the next cut will have, at most: cheap to ask. Before the first cut that is all state.
  public var changeCount: Int {
    runners.reduce(orphans.count) { $0 + $1.changeCount } + retired.reduce(0) { $0 + $1.episodes.count + $1.keyCount }
  }

  /// What changed since the last cut, between two batches; forgets that it changed. The first cut holds everything, and only
  /// from then on changes are noted. What a former cut told and is gone now has a tombstone.
  public func cutState() -> StateCut {
    var cutter = StateCutter(RuleIdentity([]))
    for key in orphans { cutter.remove(key) }
    orphans = []
    for runner in retired {
      cutter.rule = runner.identity
      runner.cutRemoval(into: &cutter)
    }
    retired = []
    for runner in runners {
      cutter.rule = runner.identity
      runner.cut(into: &cutter, codec, tables)
    }
    return StateCut(header: header(), records: cutter.records)
  }

  private func header() -> [UInt8] {
    var writer = ByteWriter()
    writer.fixed(clock.largest)
    writer.fixed(clock.newest)
    writer.fixed(clock.watermark)
    writer.fixed(floor)
    writer.flag(isTrimmed)
    writer.list(runners) { writer, runner in
      writer.raw(runner.identity.bytes)
      writer.fixed(runner.floor)
      writer.flag(runner.isPrimed)
    }
    return writer.bytes
  }

  // MARK: Restoring

  /// Sets what has no key to what a cut's header says. It may be called again with a later cut's header, before or after
  /// records.
  ///
  /// - Parameters:
  ///   - replay: where a replay would have to begin without stored state, as the committed position says: places before the
  ///     cut are not in it. nil: nobody knows; `replayPoint` then means a replay on top of the stored state.
  ///   - isTrimmed: records between the cut and the first that will be read are gone; rules hold still until their windows
  ///     lie wholly after them.
  public func beginRestore(
    header: [UInt8], replay: ReplayPoint? = nil, isTrimmed: Bool = false
  ) throws(StateError) {
    let result: Result<Void, StateError> = header.withUnsafeBytes { bytes in
      do throws(DamagedBytes) {
        var reader = ByteReader(bytes)
        return .success(try read(header: &reader))
      } catch {
        return .failure(StateError(error, in: "header"))
      }
    }
    try result.get()
    if isTrimmed { self.isTrimmed = true }
    replayLog = ReplayLog()
    if let replay { replayLog.note(replay) }
  }

  private func read(header reader: inout ByteReader) throws(DamagedBytes) {
    let largest = try reader.fixed()
    let newest = try reader.fixed()
    let watermark = try reader.fixed()
    guard watermark <= largest else { throw DamagedBytes("the watermark lies after all events") }
    let floor = try reader.fixed()
    let isTrimmed = try reader.flag()
    var rules: [RuleIdentity: (floor: Int64, isPrimed: Bool)] = [:]
    for _ in 0..<(try reader.count(upTo: reader.remaining)) {
      rules[try RuleIdentity(&reader)] = (try reader.fixed(), try reader.flag())
    }
    try reader.end()
    clock = EventClock(outOfOrder: clock.outOfOrder, largest: largest, newest: newest, lowest: watermark)
    self.floor = floor
    self.isTrimmed = isTrimmed
    for runner in runners {
      let stored = rules[runner.identity]
      runner.floor = stored?.floor ?? max(floor, newest)
      runner.isPrimed = stored?.isPrimed ?? false
      runner.isNew = stored == nil
    }
  }

  /// Takes in a record: of each key the last one counts, in whatever order keys come. It must be the state of a detector with
  /// the same seed.
  ///
  /// - Parameter value: nil: a tombstone.
  public func restore(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?) throws(StateError) {
    let key = try StateKey(key)
    guard let runner = runner(of: key.rule) else {
      if value == nil { orphans.remove(key) } else { orphans.insert(key) }
      return
    }
    do throws(DamagedBytes) {
      try runner.restore(key, value, codec)
    } catch {
      throw StateError(error, in: "rule \(runner.plan.id)")
    }
  }

  private func runner(of identity: RuleIdentity) -> RuleRunner? {
    // Rules are few.
    runners.first { $0.identity == identity }
  }

  /// All records are there. What is left out gets a tombstone in the next cut.
  public func finishRestore() -> RestoreOutcome {
    var outcome = RestoreOutcome()
    for runner in runners { runner.finishRestore(watermark: clock.watermark, &outcome) }
    var dropped: [RuleIdentity: Int] = [:]
    for key in orphans { dropped[key.rule, default: 0] += 1 }
    outcome.dropped = dropped.map { RestoreOutcome.DroppedRule(identity: $0.key.bytes, records: $0.value) }
      .sorted { $0.identity.lexicographicallyPrecedes($1.identity) }
    outcome.startedAnew = runners.filter(\.isNew).map(\.number)
    outcome.tombstones = changeCount
    return outcome
  }

  // MARK: Changed rules

  /// A detector for changed rules that takes over, between two batches, the state of those whose identity is the same; the
  /// fields may have other slots. The others begin anew: they hold still until their windows lie wholly after what the old
  /// detector has seen. What rules that are gone had stored gets tombstones in the next cut. The old detector is left
  /// without state and must not be used any more.
  public convenience init(
    rules: [RulePlan], schema: Schema, outOfOrder: Int64, capacity: Int, limits: Limits, adopting old: PartitionDetector
  ) {
    self.init(
      rules: rules, schema: schema, outOfOrder: outOfOrder, capacity: capacity, limits: limits,
      isTrimmed: old.isTrimmed, seed: old.seed)
    clock = EventClock(
      outOfOrder: outOfOrder, largest: old.clock.largest, newest: old.clock.newest, lowest: old.clock.watermark)
    floor = old.floor
    tables = old.tables
    replayLog = old.replayLog
    orphans = old.orphans
    retired = old.retired
    for runner in runners { runner.floor = max(floor, clock.newest) }
    for runner in old.runners {
      let heir = self.runner(of: runner.identity)
      if heir?.adopt(runner, from: old.codec, to: codec) == true { continue }
      // Of a rule that no cut has told there is nothing to take back.
      if runner.episodes.changes.isTracking { retired.append(runner) }
    }
  }
}
