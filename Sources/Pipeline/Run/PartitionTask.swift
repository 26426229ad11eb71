internal import Detection
public import Events
public import Tables
public import Telemetry

/// One input partition: its batch, its stages, its state. It is handed records and hands over pairs; it does no I/O.
public final class PartitionTask {
  /// Nanoseconds between two looks at what a restart would need.
  private static let replayLook: Int64 = 1_000_000_000
  /// Most blocks of an exchange that are worked on together.
  private static let blocksInBatch = 16

  /// Whose task it is.
  public let partition: PartitionID
  /// The records to be worked on, events or the blocks of an exchange: fill it, then call `process`.
  public let records: RecordBatch
  let start: Start
  private let place: TaskStages.Place
  /// The version at work.
  private(set) var stages: TaskStages
  /// nil: it has one version for good, and does not say which.
  private var versions: (all: TaskVersions, schedule: VersionSchedule)?
  /// Why nothing more can be worked on; nil: it goes on.
  public private(set) var failure: PipelineFailure?
  /// What came of events that wait for the rest of their block.
  private var held: [Output] = []
  private(set) var isHolding = false
  private let committed: Int64
  private(set) var next: Int64
  private(set) var sequence: Int64
  private var replay: ReplayPoint?
  private var lastReplayLook = Int64.min
  /// Where the last snapshot stands that is written; nil: there is none.
  private var snapshotOffset: Int64?
  /// Where the first snapshot was cut, which may be written before that is told; nil: none was.
  var firstCut: Int64?
  /// Where the last snapshot was cut; before the first, where the partition was taken up.
  var lastCut: (offset: Int64, sequence: Int64)
  /// Whole keys of the store that the next cut takes away.
  var obsolete: [[UInt8]] = []

  /// A task that has read nothing, with one version of the pipeline for good.
  ///
  /// - Parameters:
  ///   - topology: what of the plan runs where: by the partition's topic, the rules of the source or those of an exchange; nil:
  ///     all rules run here.
  ///   - counts: the numbers of partitions; needed where the topology has exchanges.
  public convenience init(
    plan: PipelinePlan, tables: [TableSnapshot], partition: PartitionID, start: Start, productVersion: String,
    registry: MetricsRegistry, topology: Topology? = nil, counts: ExchangeCounts? = nil
  ) {
    self.init(
      nil, plan, tables, topology, partition: partition, start: start, productVersion: productVersion,
      registry: registry, counts: counts, capacity: plan.limits.batchRecords,
      exchanges: topology?.exchanges.map(\.topic) ?? [])
  }

  /// A task that has read nothing. It works on what was worked on before with the versions that were in force then, and on
  /// what is new with the newest; where each comes into force is told with its positions.
  ///
  /// - Parameter counts: the numbers of partitions; needed where the newest version has exchanges.
  public convenience init(
    versions: TaskVersions, partition: PartitionID, start: Start, productVersion: String, registry: MetricsRegistry,
    counts: ExchangeCounts? = nil
  ) {
    let id = start.active.version(at: start.offset) ?? versions.newest.id
    let (version, topology) = versions.version(id, for: partition.topic)
    self.init(
      id, version.plan, version.tables, topology, partition: partition, start: start, productVersion: productVersion,
      registry: registry, counts: counts, capacity: versions.newest.plan.limits.batchRecords,
      exchanges: versions.exchanges)
    let schedule = VersionSchedule(
      ledger: start.active, committed: start.committed, newest: versions.newest.id)
    self.versions = (versions, schedule)
  }

  private init(
    _ version: VersionID?, _ plan: PipelinePlan, _ tables: [TableSnapshot], _ topology: Topology?,
    partition: PartitionID, start: Start, productVersion: String, registry: MetricsRegistry, counts: ExchangeCounts?,
    capacity: Int, exchanges: [String]
  ) {
    self.partition = partition
    self.start = start
    let isBehind = topology?.exchange(ofTopic: partition.topic) != nil
    records = RecordBatch(
      topic: partition.topic, partition: partition.number, capacity: isBehind ? Self.blocksInBatch : capacity)
    place = TaskStages.Place(
      partition: partition, records: records, productVersion: productVersion, registry: registry, counts: counts,
      exchanges: exchanges)
    let origin = ReplayPoint(
      offset: start.offset, largest: start.largest, floor: start.floor, isTrimmed: start.isTrimmed)
    stages = TaskStages(version, plan, tables, topology, place) {
      DetectStage($0, origin: origin, isTrimmed: start.isTrimmed, seed: start.seed)
    }
    committed = start.committed
    next = start.offset
    sequence = start.sequence
    // The event time behind an exchange comes of all its blocks.
    replay = start.replay ?? (isBehind ? ReplayPoint(offset: 0, largest: .min) : origin)
    lastCut = (start.committed, start.sequence)
  }

  /// Where the log is an exchange.
  var blocks: BlockStage? { stages.blocks }
  /// Where the log is the source, and rules of other keys want its events.
  var exchange: ExchangeStage? { stages.exchange }
  /// The offset of the next record to be read.
  public var nextOffset: Int64 { next }
  /// The watermark in nanoseconds since 1970; `Int64.min` before the first event.
  public var watermark: Int64 { stages.detect.detector.clock.watermark }
  /// What is in force where; nil: the task has one version for good.
  var ledger: VersionLedger? { versions?.schedule.ledger }
  /// Whether what is read now was read before the start, and is read again to rebuild windows.
  public var isReplaying: Bool { next < committed }
  /// The version at work; nil where it has one for good.
  public var version: VersionID? { stages.version }

  /// Takes a newer version: it comes into force with the next batch of new records; behind an exchange, once all partitions of
  /// the source have passed the change.
  public func offer(_ version: PipelineVersion) {
    guard let old = versions?.all.newest else { return }
    versions?.all.earlier[old.id] = old
    versions?.all.newest = version
    versions?.schedule.offer(version.id)
  }

  /// Works on the records in `records` and empties it.
  ///
  /// - Parameter now: nanoseconds of a clock that only rises; it decides nothing but how often a restart's need is looked at.
  /// - Returns: what came of them; nil where they were all read before the start, there were none, they wait for the rest of
  ///   a block (`flush`), or they can't be worked on (`failure`).
  public func process(now: Int64) -> Pair? {
    guard records.count > 0, failure == nil else { return nil }
    let first = records[0].offset
    precondition(first >= next, "\(partition): offset \(first) after \(next): the log went back")
    var pair: Pair?
    while records.count > 0 {
      let rest = chooseVersion(now)
      next = records[records.count - 1].offset + 1
      let outputs = stages.blocks.map { workThrough($0) } ?? work(now)
      records.removeAll()
      guard failure == nil else { return pair }
      if let found = handOver(outputs, now) {
        if pair == nil { pair = found } else { pair?.append(found) }
      }
      rest?.move(rowsFrom: 0, to: records)
    }
    return pair
  }

  /// Goes past what is no record, up to where the log ends: marks of transactions, and what was never committed. Were the
  /// group left in front of it, it would have a lag for ever, and where retention takes it, records would seem to be lost.
  ///
  /// - Parameter end: no record below it is still to come.
  /// - Returns: the pair that says so; nil where there is nothing to say, or it waits for the rest of a block.
  public func pass(to end: Int64, now: Int64) -> Pair? {
    guard end > next, failure == nil else { return nil }
    next = end
    stages.metrics.reached(next)
    return handOver([], now)
  }

  /// One batch of events.
  private func work(_ now: Int64) -> [Output] {
    let (stages, detector) = (stages, stages.detect.detector)
    var clock = StageClock(stages.metrics)
    stages.decode.run(stages.batch)
    clock.ended(.decode)
    stages.enrich.run(stages.batch, tables: stages.tables)
    clock.ended(.enrich)
    let findings = stages.detect.run(stages.batch, tables: stages.tables)
    clock.ended(.detect)
    if let exchange = stages.exchange {
      exchange.gather(stages.batch, detector, tables: stages.tables, muted: committed, now: now)
      if next > committed { stages.filterMetrics?.add(exchange.takeCounts()) }
      clock.ended(.exchange)
    }
    let outputs = stages.alert.run(stages.batch, findings: findings, late: detector.late, muted: committed)
    clock.ended(.alert)
    count(late: detector.late.count)
    return outputs
  }

  /// Blocks of an exchange, as many batches of events as they take.
  private func workThrough(_ blocks: BlockStage) -> [Output] {
    let (stages, detector) = (stages, stages.detect.detector)
    var outputs: [Output] = []
    var late = 0
    var place = 0
    while place < records.count {
      var clock = StageClock(stages.metrics)
      do throws(PipelineFailure) {
        place = try blocks.fill(records, from: place)
      } catch {
        failure = error
        return []
      }
      clock.ended(.decode)
      let findings = stages.detect.run(stages.batch, tables: stages.tables)
      clock.ended(.detect)
      outputs += stages.alert.run(stages.batch, findings: findings, late: detector.late, muted: committed)
      clock.ended(.alert)
      late += detector.late.count
    }
    count(late: late)
    return outputs
  }

  // MARK: Handing over

  /// A pair, unless events wait for the rest of their block: then all that came with them waits too, but no alert.
  private func handOver(_ outputs: [Output], _ now: Int64) -> Pair? {
    guard next > committed || (next == committed && !outputs.isEmpty) else { return nil }
    held += outputs
    lookAtReplay(now)
    if let exchange, exchange.isGathering, !exchange.isDue(now: now),
      !held.contains(where: { $0.destination == .alerts })
    {
      isHolding = true
      return nil
    }
    return takePair(now)
  }

  func takePair(_ now: Int64) -> Pair {
    let outputs = held + (exchange?.take(cause: next - 1, now: now) ?? [])
    held.removeAll()
    isHolding = false
    sequence += 1
    var position = Position(offset: next, sequence: sequence, replay: replay)
    position.past = start.past
    if let versions { position.active = versions.schedule.ledger }
    if let exchange {
      position.watermark = watermark
      position.isIdle = exchange.isIdle
    }
    return Pair(partition: partition, position: position, outputs: outputs)
  }

  /// An older answer stays right, so that it is asked for about once a second.
  private func lookAtReplay(_ now: Int64) {
    guard lastReplayLook == .min || now - lastReplayLook >= Self.replayLook else { return }
    lastReplayLook = now
    if stages.blocks == nil { replay = stages.detect.detector.replayPoint() ?? replay }
    forgetVersions()
    stages.metrics.sizes(stages.detect.detector.sizes)
  }

  private func count(late: Int) {
    var bytes = 0
    var replayed = 0
    for row in 0..<records.count {
      bytes += max(0, records[row].valueCount)
      if records[row].offset < committed { replayed += 1 }
    }
    stages.metrics.batch(
      records: records.count, bytes: bytes, replayed: replayed, late: late, next: next,
      watermark: watermark)
    stages.metrics.failures(stages.batch.failures)
    stages.metrics.rules(stages.detect.detector.takeCounts(), isReplaying: replayed == records.count)
  }

  // MARK: Versions

  /// A snapshot at this offset is written: a restart goes on from there.
  func noteSnapshot(writtenAt offset: Int64) {
    snapshotOffset = offset
    forgetVersions()
  }

  /// What lies before both the last snapshot and the place from which a restart without one reads is not asked for any more; of
  /// a full ledger also what only the latter would need.
  private func forgetVersions() {
    guard let replay, let schedule = versions?.schedule else { return }
    versions?.schedule.forget(before: min(replay.offset, snapshotOffset ?? firstCut ?? replay.offset))
    if schedule.ledger.isFull, let snapshotOffset { versions?.schedule.forget(before: snapshotOffset) }
  }

  /// Brings the version for the batch at hand into force. Records that are for a later one are taken out and returned.
  private func chooseVersion(_ now: Int64) -> RecordBatch? {
    guard let newest = versions?.all.newest else { return nil }
    let first = records[0].offset
    var rest: RecordBatch?
    if let end = versions?.schedule.end(ofBatchFrom: first), records[records.count - 1].offset >= end,
      let row = (0..<records.count).first(where: { records[$0].offset >= end })
    {
      let later = RecordBatch(topic: records.topic, partition: records.partition, capacity: records.count - row)
      records.move(rowsFrom: row, to: later)
      rest = later
    }
    let mayEnter = stages.blocks?.hasPassed(newest.plan.version) ?? true
    if let id = versions?.schedule.version(ofBatchFrom: first, mayEnter: mayEnter), id != stages.version {
      bringIn(id, now)
    }
    return rest
  }

  private func bringIn(_ id: VersionID, _ now: Int64) {
    guard let (version, topology) = versions?.all.version(id, for: partition.topic) else { return }
    let old = stages
    // Events that wait for the rest of their block go with the version that chose them.
    if let exchange = old.exchange, exchange.isGathering { held += exchange.take(cause: next - 1, now: now) }
    old.metrics.sizes(old.plan.rules.map { _ in (0, 0, 0) })
    stages = TaskStages(id, version.plan, version.tables, topology, place, after: old) {
      DetectStage($0, adopting: old.detect)
    }
    // What was in force before is not asked for any more once nothing is read again.
    if next >= committed { versions?.all.earlier = [:] }
    lastReplayLook = .min
  }
}
