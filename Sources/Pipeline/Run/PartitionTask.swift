public import Detection
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
    /// From where the input would have to be read to make the state at `offset`; nil: from `offset`, with `largest`.
    public var replay: ReplayPoint?
    /// How many partitions the topic has; 0: not known, and no snapshot is made.
    public var partitionCount = 0
    /// What the hashes of the state that is restored start from; nil: there is none, and new ones are drawn.
    public var seed: HashSeed?

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
  let plan: PipelinePlan
  let start: Start
  let tables: [TableSnapshot]
  private let batch: EventBatch
  private let decode: DecodeStage
  private let enrich: EnrichStage
  let detect: DetectStage
  private let alert: AlertStage
  private let metrics: PartitionMetrics
  private let committed: Int64
  private(set) var next: Int64
  private(set) var sequence: Int64
  private var replay: ReplayPoint?
  private var lastReplayLook = Int64.min
  /// Where the last snapshot was cut; before the first, where the partition was taken up.
  var lastCut: (offset: Int64, sequence: Int64)
  /// Whole keys of the store that the next cut takes away.
  var obsolete: [[UInt8]] = []

  /// A task that has read nothing.
  public init(
    plan: PipelinePlan, tables: [TableSnapshot], partition: PartitionID, start: Start, productVersion: String,
    registry: MetricsRegistry
  ) {
    self.plan = plan
    self.tables = tables
    self.start = start
    self.partition = partition
    records = RecordBatch(
      topic: partition.topic, partition: partition.number, capacity: plan.limits.batchRecords)
    batch = EventBatch(schema: plan.schema, records: records)
    decode = DecodeStage(plan)
    enrich = EnrichStage(plan)
    let origin = ReplayPoint(offset: start.offset, largest: start.largest)
    detect = DetectStage(plan, origin: origin, isTrimmed: start.isTrimmed, seed: start.seed)
    alert = AlertStage(plan, topic: records.originTopic, tables: tables, productVersion: productVersion)
    metrics = PartitionMetrics(partition, rules: plan.rules, registry)
    committed = start.committed
    next = start.offset
    sequence = start.sequence
    lastCut = (start.committed, start.sequence)
    replay = start.replay ?? origin
  }

  /// The offset of the next record to be read.
  public var nextOffset: Int64 { next }
  /// The watermark in nanoseconds since 1970; `Int64.min` before the first event.
  public var watermark: Int64 { detect.detector.clock.watermark }
  /// Whether what is read now was read before the start, and is read again to rebuild windows.
  public var isReplaying: Bool { next < committed }

  /// Works on the records in `records` and empties it.
  ///
  /// - Parameter now: nanoseconds of a clock that only rises; it decides nothing but how often a restart's need is looked at.
  /// - Returns: what came of them; nil where they were all read before the start, or there were none.
  public func process(now: Int64) -> Pair? {
    guard records.count > 0 else { return nil }
    let first = records[0].offset
    precondition(first >= next, "\(partition): offset \(first) after \(next): the log went back")
    next = records[records.count - 1].offset + 1
    var clock = StageClock(metrics)
    decode.run(batch)
    clock.ended(.decode)
    enrich.run(batch, tables: tables)
    clock.ended(.enrich)
    let findings = detect.run(batch, tables: tables)
    clock.ended(.detect)
    let outputs = alert.run(batch, findings: findings, late: detect.detector.late, muted: committed)
    clock.ended(.alert)
    count()
    records.removeAll()
    guard next > committed || (next == committed && !outputs.isEmpty) else { return nil }
    lookAtReplay(now)
    sequence += 1
    return Pair(
      partition: partition, position: Position(offset: next, sequence: sequence, replay: replay), outputs: outputs)
  }

  /// An older answer stays right, so that it is asked for about once a second.
  private func lookAtReplay(_ now: Int64) {
    guard lastReplayLook == .min || now - lastReplayLook >= Self.replayLook else { return }
    lastReplayLook = now
    replay = detect.detector.replayPoint() ?? replay
    metrics.sizes(detect.detector.sizes)
  }

  private func count() {
    var bytes = 0
    var replayed = 0
    for row in 0..<records.count {
      bytes += max(0, records[row].valueCount)
      if records[row].offset < committed { replayed += 1 }
    }
    metrics.batch(
      records: records.count, bytes: bytes, replayed: replayed, late: detect.detector.late.count, next: next,
      watermark: watermark)
    metrics.failures(batch.failures)
    metrics.rules(detect.detector.takeCounts(), isReplaying: replayed == records.count)
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
