internal import Detection
public import Events
public import Tables
public import Telemetry

/// One input partition: its batch, its stages, its state. It is handed records and hands over pairs; it does no I/O.
public final class PartitionTask {
  /// Where a partition is taken up.
  public struct Start: Sendable, Hashable {
    /// The offset of the first record that will be read.
    public var offset: Int64
    /// Outputs caused before this offset are muted: they were written before.
    public var committed: Int64
    /// The sequence number that was committed.
    public var sequence: Int64
    /// The largest event time before `offset`, in nanoseconds since 1970; `Int64.min`: there was none.
    public var largest: Int64
    /// Whether records before `offset` are gone that windows would have needed: they are held back until they lie wholly
    /// after the first event.
    public var isTrimmed = false
    /// Which version of the pipeline was in force where, as it was committed.
    public var active = VersionLedger()

    /// Where a partition is taken up.
    public init(offset: Int64, committed: Int64, sequence: Int64 = 0, largest: Int64 = .min) {
      self.offset = offset
      self.committed = committed
      self.sequence = sequence
      self.largest = largest
    }
  }

  /// Nanoseconds between two looks at what a restart would need.
  private static let replayLook: Int64 = 1_000_000_000

  /// Whose task it is.
  public let partition: PartitionID
  /// The records to be worked on: fill it, then call `process`.
  public let records: RecordBatch
  private let place: TaskStages.Place
  private(set) var stages: TaskStages
  /// nil: it has one version for good, and does not say which.
  private var versions: (all: TaskVersions, schedule: VersionSchedule)?
  private let committed: Int64
  private var next: Int64
  private var sequence: Int64
  private var replay: ReplayPoint?
  private var lastReplayLook = Int64.min

  /// A task that has read nothing, with one version of the pipeline for good.
  public convenience init(
    plan: PipelinePlan, tables: [TableSnapshot], partition: PartitionID, start: Start, productVersion: String,
    registry: MetricsRegistry
  ) {
    self.init(
      nil, plan, tables, partition: partition, start: start, productVersion: productVersion, registry: registry)
  }

  /// A task that has read nothing. It works on what was worked on before with the versions that were in force then, and on
  /// what is new with the newest; where each comes into force is told with its positions.
  public convenience init(
    versions: TaskVersions, partition: PartitionID, start: Start, productVersion: String, registry: MetricsRegistry
  ) {
    let version = versions.version(start.active.version(at: start.offset) ?? versions.newest.id)
    self.init(
      start.active.version(at: start.offset) ?? version.id, version.plan, version.tables, partition: partition,
      start: start, productVersion: productVersion,
      registry: registry, capacity: versions.newest.plan.limits.batchRecords)
    let schedule = VersionSchedule(
      ledger: start.active, committed: start.committed, newest: versions.newest.id)
    self.versions = (versions, schedule)
  }

  private init(
    _ version: VersionID?, _ plan: PipelinePlan, _ tables: [TableSnapshot], partition: PartitionID, start: Start,
    productVersion: String, registry: MetricsRegistry, capacity: Int? = nil
  ) {
    self.partition = partition
    records = RecordBatch(
      topic: partition.topic, partition: partition.number, capacity: capacity ?? plan.limits.batchRecords)
    place = TaskStages.Place(
      partition: partition, records: records, productVersion: productVersion, registry: registry)
    let origin = ReplayPoint(offset: start.offset, largest: start.largest)
    stages = TaskStages(version, plan, tables, place) { DetectStage($0, origin: origin, isTrimmed: start.isTrimmed) }
    committed = start.committed
    next = start.offset
    sequence = start.sequence
    replay = origin
  }

  /// The offset of the next record to be read.
  public var nextOffset: Int64 { next }
  /// The watermark in nanoseconds since 1970; `Int64.min` before the first event.
  public var watermark: Int64 { stages.detect.detector.clock.watermark }
  /// Whether what is read now was read before the start, and is read again to rebuild windows.
  public var isReplaying: Bool { next < committed }
  /// The version at work; nil where it has one for good.
  public var version: VersionID? { stages.version }

  /// Takes a newer version: it comes into force with the next batch of new records.
  public func offer(_ version: PipelineVersion) {
    guard versions != nil else { return }
    if let old = versions?.all.newest { versions?.all.earlier[old.id] = old }
    versions?.all.newest = version
    versions?.schedule.offer(version.id)
  }

  /// Works on the records in `records` and empties it.
  ///
  /// - Parameter now: nanoseconds of a clock that only rises; it decides nothing but how often a restart's need is looked at.
  /// - Returns: what came of them; nil where they were all read before the start, or there were none.
  public func process(now: Int64) -> Pair? {
    guard records.count > 0 else { return nil }
    let first = records[0].offset
    precondition(first >= next, "\(partition): offset \(first) after \(next): the log went back")
    var pair: Pair?
    while records.count > 0 {
      let rest = chooseVersion()
      if let found = work(now) {
        if pair == nil { pair = found } else { pair?.append(found) }
      }
      rest?.move(rowsFrom: 0, to: records)
    }
    return pair
  }

  private func work(_ now: Int64) -> Pair? {
    next = records[records.count - 1].offset + 1
    var clock = StageClock(stages.metrics)
    stages.decode.run(stages.batch)
    clock.ended(.decode)
    stages.enrich.run(stages.batch, tables: stages.tables)
    clock.ended(.enrich)
    let findings = stages.detect.run(stages.batch, tables: stages.tables)
    clock.ended(.detect)
    let outputs = stages.alert.run(
      stages.batch, findings: findings, late: stages.detect.detector.late, muted: committed)
    clock.ended(.alert)
    count()
    records.removeAll()
    guard next > committed || (next == committed && !outputs.isEmpty) else { return nil }
    lookAtReplay(now)
    sequence += 1
    let position = Position(
      offset: next, sequence: sequence, replay: replay, active: versions?.schedule.ledger ?? VersionLedger())
    return Pair(partition: partition, position: position, outputs: outputs)
  }

  /// An older answer stays right, so that it is asked for about once a second.
  private func lookAtReplay(_ now: Int64) {
    guard lastReplayLook == .min || now - lastReplayLook >= Self.replayLook else { return }
    lastReplayLook = now
    replay = stages.detect.detector.replayPoint() ?? replay
    if let replay { versions?.schedule.forget(before: replay.offset) }
    stages.metrics.sizes(stages.detect.detector.sizes)
  }

  private func count() {
    var bytes = 0
    var replayed = 0
    for row in 0..<records.count {
      bytes += max(0, records[row].valueCount)
      if records[row].offset < committed { replayed += 1 }
    }
    stages.metrics.batch(
      records: records.count, bytes: bytes, replayed: replayed, late: stages.detect.detector.late.count, next: next,
      watermark: watermark)
    stages.metrics.failures(stages.batch.failures)
    stages.metrics.rules(stages.detect.detector.takeCounts(), isReplaying: replayed == records.count)
  }

  // MARK: Versions

  /// Brings the version for the batch at hand into force. Records that are for a later one are taken out and returned.
  private func chooseVersion() -> RecordBatch? {
    guard versions != nil else { return nil }
    let first = records[0].offset
    var rest: RecordBatch?
    if let end = versions?.schedule.end(ofBatchFrom: first), records[records.count - 1].offset >= end,
      let row = (0..<records.count).first(where: { records[$0].offset >= end })
    {
      let later = RecordBatch(topic: records.topic, partition: records.partition, capacity: records.count - row)
      records.move(rowsFrom: row, to: later)
      rest = later
    }
    if let id = versions?.schedule.version(ofBatchFrom: first), id != stages.version { bringIn(id) }
    return rest
  }

  private func bringIn(_ id: VersionID) {
    guard let version = versions?.all.version(id) else { return }
    let old = stages
    old.metrics.sizes(old.plan.rules.map { _ in (0, 0, 0) })
    stages = TaskStages(id, version.plan, version.tables, place) { DetectStage($0, adopting: old.detect) }
    // What was in force before is not asked for any more once nothing is read again.
    if next >= committed { versions?.all.earlier = [:] }
    lastReplayLook = .min
  }
}

/// Times the stages of one batch.
private struct StageClock {
  private let metrics: PartitionMetrics
  private var last = Committer.now()

  init(_ metrics: PartitionMetrics) { self.metrics = metrics }

  mutating func ended(_ stage: PartitionMetrics.Stage) {
    let now = Committer.now()
    metrics.stage(stage, nanoseconds: now - last)
    last = now
  }
}
