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
  /// The records to be worked on, events or the blocks of an exchange: fill it, then call `process`.
  public let records: RecordBatch
  private let plan: PipelinePlan
  private let tables: [TableSnapshot]
  private let batch: EventBatch
  private let decode: DecodeStage
  private let enrich: EnrichStage
  private let detect: DetectStage
  private let alert: AlertStage
  private let metrics: PartitionMetrics
  /// Where the log is an exchange.
  let blocks: BlockStage?
  /// Where the log is the source, and rules of other keys want its events.
  let exchange: ExchangeStage?
  private let filterMetrics: FilterMetrics?
  /// Why nothing more can be worked on; nil: it goes on.
  public private(set) var failure: PipelineFailure?
  /// What came of events that wait for the rest of their block.
  private var held: [Output] = []
  private(set) var isHolding = false
  private let committed: Int64
  private var next: Int64
  private var sequence: Int64
  private var replay: ReplayPoint?
  private var lastReplayLook = Int64.min

  /// Most blocks of an exchange that are worked on together.
  private static let blocksInBatch = 16

  /// A task that has read nothing.
  ///
  /// - Parameters:
  ///   - topology: what of the plan runs where: by the partition's topic, the rules of the source or those of an exchange; nil:
  ///     all rules run here.
  ///   - counts: the numbers of partitions; needed where the topology has exchanges.
  public init(
    plan whole: PipelinePlan, tables: [TableSnapshot], partition: PartitionID, start: Start, productVersion: String,
    registry: MetricsRegistry, topology: Topology? = nil, counts: ExchangeCounts? = nil
  ) {
    let behind = topology?.exchange(ofTopic: partition.topic)
    let plan = behind?.plan ?? topology?.source ?? whole
    self.plan = plan
    self.tables = tables
    self.partition = partition
    records = RecordBatch(
      topic: partition.topic, partition: partition.number,
      capacity: behind == nil ? plan.limits.batchRecords : Self.blocksInBatch)
    blocks = behind.map { _ in
      BlockStage(
        partition: partition, sourceTopic: plan.source.topic, schema: plan.schema,
        dropsRepeats: plan.delivery == .atLeastOnce)
    }
    let batch = blocks?.batch ?? EventBatch(schema: plan.schema, records: records)
    self.batch = batch
    if behind == nil, let topology, let counts, !topology.exchanges.isEmpty {
      exchange = ExchangeStage(topology, batch: batch, counts: counts)
      filterMetrics = FilterMetrics(topology.exchanges.flatMap(\.plan.rules), registry)
    } else {
      exchange = nil
      filterMetrics = nil
    }
    decode = DecodeStage(plan)
    enrich = EnrichStage(plan)
    let origin = ReplayPoint(offset: start.offset, largest: start.largest)
    detect = DetectStage(plan, origin: origin, isTrimmed: start.isTrimmed)
    alert = AlertStage(plan, topic: batch.records.originTopic, tables: tables, productVersion: productVersion)
    metrics = PartitionMetrics(partition, rules: plan.rules, registry)
    committed = start.committed
    next = start.offset
    sequence = start.sequence
    // The event time behind an exchange comes of all its blocks.
    replay =
      behind == nil ? ReplayPoint(offset: start.offset, largest: start.largest) : ReplayPoint(offset: 0, largest: .min)
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
  /// - Returns: what came of them; nil where they were all read before the start, there were none, they wait for the rest of
  ///   a block (`flush`), or they can't be worked on (`failure`).
  public func process(now: Int64) -> Pair? {
    guard records.count > 0, failure == nil else { return nil }
    let first = records[0].offset
    precondition(first >= next, "\(partition): offset \(first) after \(next): the log went back")
    next = records[records.count - 1].offset + 1
    let outputs = blocks.map { workThrough($0) } ?? work(now)
    records.removeAll()
    guard failure == nil else { return nil }
    return handOver(outputs, now)
  }

  /// One batch of events.
  private func work(_ now: Int64) -> [Output] {
    var clock = StageClock(metrics)
    decode.run(batch)
    clock.ended(.decode)
    enrich.run(batch, tables: tables)
    clock.ended(.enrich)
    let findings = detect.run(batch, tables: tables)
    clock.ended(.detect)
    if let exchange {
      exchange.gather(batch, detect.detector, tables: tables, muted: committed, now: now)
      if next > committed { filterMetrics?.add(exchange.takeCounts()) }
      clock.ended(.exchange)
    }
    let outputs = alert.run(batch, findings: findings, late: detect.detector.late, muted: committed)
    clock.ended(.alert)
    count(late: detect.detector.late.count)
    return outputs
  }

  /// Blocks of an exchange, as many batches of events as they take.
  private func workThrough(_ blocks: BlockStage) -> [Output] {
    var outputs: [Output] = []
    var late = 0
    var place = 0
    while place < records.count {
      var clock = StageClock(metrics)
      do throws(PipelineFailure) {
        place = try blocks.fill(records, from: place)
      } catch {
        failure = error
        return []
      }
      clock.ended(.decode)
      let findings = detect.run(batch, tables: tables)
      clock.ended(.detect)
      outputs += alert.run(batch, findings: findings, late: detect.detector.late, muted: committed)
      clock.ended(.alert)
      late += detect.detector.late.count
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
    if blocks == nil { replay = detect.detector.replayPoint() ?? replay }
    metrics.sizes(detect.detector.sizes)
  }

  private func count(late: Int) {
    var bytes = 0
    var replayed = 0
    for row in 0..<records.count {
      bytes += max(0, records[row].valueCount)
      if records[row].offset < committed { replayed += 1 }
    }
    metrics.batch(
      records: records.count, bytes: bytes, replayed: replayed, late: late, next: next,
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
