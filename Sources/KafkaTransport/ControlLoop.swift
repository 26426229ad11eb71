internal import Dispatch
internal import Events
internal import Kafka
internal import Pipeline
internal import Synchronization
internal import Telemetry

/// The control thread's work: it polls the consumer, takes partitions over and gives them up. It touches no record.
final class ControlLoop {
  private struct Held {
    var worker: PartitionWorker
    /// Where the partition ended when it was taken over.
    var end: Int64
  }

  /// Milliseconds of one poll: how soon a stop or an answer from another thread is seen.
  private static let pollTimeout: Int32 = 50

  private let runner: KafkaRunner
  private let consumer: KafkaConsumer
  private let committer: Committer
  private let keeper: VersionKeeper?
  private let takeOver: TakeOver
  private let setGroup: (GroupMetadata?) -> Void
  private let endHangingOffsets: @Sendable (PartitionID, GroupMetadata) -> Void
  private var held: [PartitionID: Held] = [:]
  /// Partitions that are being taken over: the assignment is answered when their places are known.
  private var pending: Set<TopicPartition> = []
  private let epoch = Epoch()
  private var watermark: SourceWatermark
  private let counts: ExchangeCounts
  /// Where there are exchanges.
  private let lead: LeadWatch?
  /// Whether the ends of exchanges have been asked for since the source was read to its end.
  private var hasAskedEnds = false
  private var log: Logger { runner.log }

  /// Counts assignments, so that the answer to an older one is known as such.
  private final class Epoch: Sendable {
    private let number = Atomic<Int>(0)
    var current: Int { number.load(ordering: .acquiring) }
    func advance() { number.add(1, ordering: .acquiringAndReleasing) }
  }

  init(
    runner: KafkaRunner, consumer: KafkaConsumer, committer: Committer, keeper: VersionKeeper?,
    setGroup: @escaping (GroupMetadata?) -> Void,
    endHangingOffsets: @escaping @Sendable (PartitionID, GroupMetadata) -> Void, counts: ExchangeCounts
  ) {
    self.counts = counts
    let topology = runner.topology
    lead =
      topology.exchanges.isEmpty ? nil : LeadWatch(consumer, topology.source, partitionCount: counts.source)
    self.endHangingOffsets = endHangingOffsets
    self.runner = runner
    self.consumer = consumer
    self.committer = committer
    self.keeper = keeper
    self.setGroup = setGroup
    takeOver = TakeOver(
      consumer: consumer, origin: runner.options.origin, exchanges: Set(topology.exchanges.map(\.topic)), keeper: keeper
    )
    watermark = SourceWatermark(idleAfter: runner.plan.source.idle)
  }

  func run() throws(PipelineFailure) {
    do throws(KafkaError) {
      try consumer.subscribe([runner.plan.source.topic] + runner.topology.exchanges.map(\.topic))
    } catch {
      throw PipelineFailure(error)
    }
    log.info(
      "joining the group",
      ["group": runner.settings.group, "topic": runner.plan.source.topic, "partitions": "\(counts.source)"])
    var lastTick = ContinuousClock.now
    while !runner.isStopRequested {
      if let event = consumer.poll(timeoutMilliseconds: Self.pollTimeout) { handle(event) }
      for message in runner.takeMessages() { handle(message) }
      if ContinuousClock.now - lastTick >= .seconds(1) {
        lastTick = .now
        tick()
      }
      if let lead, lead.isHoldingBack {
        lead.look(sources, now: Int64(bitPattern: DispatchTime.now().uptimeNanoseconds))
      }
      if runner.options.stopsAtEnd, hasReadAll { runner.stop() }
    }
    stop()
  }

  // MARK: Events

  private func handle(_ event: ControlEvent) {
    switch event {
    case .assign(let partitions, let rebalance): assigned(partitions, rebalance)
    case .revoke(let partitions, let isLost, let rebalance): revoked(partitions, isLost: isLost, rebalance)
    case .error(let error):
      ClientLog.tell(error, log)
      if error.class == .fatal || error.class == .configuration { runner.fail(PipelineFailure(error)) }
    case .log(let line): ClientLog.tell(line, Logger(module: "librdkafka"))
    case .statistics: break
    case .strayRecord(let partition, let offset):
      runner.fail(
        PipelineFailure(.fatal, "\(partition): record \(offset) came by a queue that nobody reads; please report this"))
    }
  }

  private func handle(_ message: KafkaRunner.Message) {
    switch message {
    case .places(.failure(let failure), _): runner.fail(failure)
    case .places(.success(let places), let rebalance): begin(places, rebalance)
    case .version(let version):
      keeper?.take(version)
      for held in held.values { held.worker.offer(version) }
    }
  }

  /// From now on offsets go out with the membership of now. A cooperative rebalance moves the generation on while partitions
  /// are kept: what they have unsettled, and what a revoked one has, would be refused under the old one. Nobody else is given
  /// a partition of ours before we have answered.
  private func renewGroup() {
    if let group = consumer.groupMetadata(), group.isMember { setGroup(group) }
  }

  private func assigned(_ partitions: [TopicPartition], _ rebalance: RebalanceProtocol) {
    epoch.advance()
    renewGroup()
    if partitions.isEmpty {
      answer { () throws(KafkaError) in try consumer.assign([], rebalance) }
      return
    }
    log.info("partitions were assigned", ["partitions": partitions.map(\.description).joined(separator: ", ")])
    pending = Set(partitions)
    let (epoch, asked) = (epoch, epoch.current)
    let runner = runner
    takeOver.begin(
      partitions, isCancelled: { epoch.current != asked || runner.isStopRequested },
      onStuck: { [committer, endHangingOffsets] partition, group in
        committer.perform { endHangingOffsets(partition, group) }
      },
      answer: { places in
        if epoch.current == asked { runner.tell(.places(places, rebalance)) }
      })
  }

  /// Starts workers where their partitions are to be taken up.
  private func begin(_ places: [TakeOver.Place], _ rebalance: RebalanceProtocol) {
    guard Set(places.map { TopicPartition($0.partition.topic, $0.partition.number) }) == pending else { return }
    pending = []
    var offsets: [TopicPartitionOffset] = []
    var starts: [(PartitionWorker, KafkaPartitionLog)] = []
    do throws(KafkaError) {
      for place in places {
        let worker = makeWorker(place)
        let partition = TopicPartition(place.partition.topic, place.partition.number)
        let queue = try consumer.partitionQueue(partition) { [weak worker] in worker?.wake() }
        starts.append((worker, KafkaPartitionLog(queue)))
        offsets.append(TopicPartitionOffset(partition, offset: place.start.offset))
        held[place.partition] = Held(worker: worker, end: place.end)
      }
      try consumer.assign(offsets, rebalance)
    } catch {
      return runner.fail(PipelineFailure(error))
    }
    renewGroup()
    for (worker, log) in starts { worker.start(log) }
    tellReplay(places)
  }

  private func makeWorker(_ place: TakeOver.Place) -> PartitionWorker {
    return PartitionWorker(task: makeTask(place), committer: committer) { [weak runner] worker, event in
      switch event {
      case .failed(let failure): runner?.fail(failure)
      case .caughtUp(let records):
        runner?.log.info(
          "windows are as they were at the stop", ["partition": "\(worker.partition)", "records": "\(records)"])
      }
    }
  }

  private func makeTask(_ place: TakeOver.Place) -> sending PartitionTask {
    guard let keeper else {
      return PartitionTask(
        plan: runner.plan, tables: runner.tables, partition: place.partition, start: place.start,
        productVersion: runner.productVersion, registry: runner.registry, topology: runner.topology, counts: counts)
    }
    return PartitionTask(
      versions: TaskVersions(
        newest: keeper.newest, earlier: place.versions, group: runner.settings.group),
      partition: place.partition,
      start: place.start, productVersion: runner.productVersion, registry: runner.registry, counts: counts)
  }

  private func tellReplay(_ places: [TakeOver.Place]) {
    for place in places where place.start.offset < place.start.committed {
      log.info(
        "reading again, with outputs muted, to rebuild the windows that are open",
        [
          "partition": "\(place.partition)", "from": "\(place.start.offset)", "to": "\(place.start.committed)",
          "records": "\(place.start.committed - place.start.offset)",
        ])
    }
  }

  private func revoked(_ partitions: [TopicPartition], isLost: Bool, _ rebalance: RebalanceProtocol) {
    epoch.advance()
    if !isLost { renewGroup() }
    pending.subtract(partitions)
    log.info(
      isLost ? "partitions were lost" : "partitions were revoked",
      ["partitions": partitions.map(\.description).joined(separator: ", ")])
    give(
      up: partitions.map { PartitionID($0.topic, $0.partition) }, isLost: isLost, patience: KafkaRunner.revokePatience)
    answer { () throws(KafkaError) in try consumer.unassign(partitions, rebalance) }
  }

  private func answer(_ body: () throws(KafkaError) -> Void) {
    do throws(KafkaError) {
      try body()
    } catch {
      runner.fail(PipelineFailure(error))
    }
  }

  /// Stops workers, waits until what they handed over is settled, and forgets the partitions.
  private func give(up partitions: [PartitionID], isLost: Bool, patience: Int) {
    let workers = partitions.compactMap { held.removeValue(forKey: $0)?.worker }
    for worker in workers { worker.stop() }
    let names = Set(workers.map(\.partition))
    guard !names.isEmpty else { return }
    if isLost {
      committer.drop(names)
    } else if !committer.drain(names, timeoutMilliseconds: patience, meanwhile: renewGroup) {
      log.warning("some outputs could not be settled in time; whoever reads the partitions next makes them again")
    }
    for name in names { runner.registry.removeGauges(label: "partition", value: "\(name.number)") }
  }

  // MARK: Time and end

  private var sources: [PartitionID: PartitionWorker] {
    held.filter { $0.key.topic == runner.plan.source.topic }.mapValues(\.worker)
  }

  private func tick() {
    let now = Int64(bitPattern: DispatchTime.now().uptimeNanoseconds)
    let sources = sources
    watermark.update(sources.mapValues(\.state), now: now)
    if let lead {
      // Each looks then, too, whether there is news for exchanges.
      lead.look(sources, now: now)
    }
    RunnerMetrics.update(runner.registry, watermark, sources.keys)
    runner.tick()
  }

  /// Whether all that was there when its partitions were taken over has been read, and nothing is being taken over. What
  /// that sent through exchanges is read too, as far as its partitions are ours.
  private var hasReadAll: Bool {
    guard !held.isEmpty, pending.isEmpty else { return false }
    guard held.values.allSatisfy({ $0.worker.state.end >= $0.end && !$0.worker.state.isGathering }) else {
      return false
    }
    if runner.topology.exchanges.isEmpty { return true }
    if committer.hasUnsettled
      || held.contains(where: { $0.key.topic == runner.plan.source.topic && !$0.value.worker.state.isDrained })
    {
      return false
    }
    if hasAskedEnds { return true }
    askEnds()
    return false
  }

  /// Where the exchanges end now that the source has been read and all that came of it is written. A client that reads
  /// committed records only would not be told of blocks whose commit is decided but not yet marked in the log.
  private func askEnds() {
    do throws(KafkaError) {
      let reader = try KafkaReader(runner.settings.consumer.merging(["isolation.level": "read_uncommitted"]))
      for partition in held.keys where partition.topic != runner.plan.source.topic {
        let bounds = try reader.watermarkOffsets(
          TopicPartition(partition.topic, partition.number), timeoutMilliseconds: 10_000)
        held[partition]?.end = bounds.high
      }
      hasAskedEnds = true
    } catch {
      log.warning("where the exchanges end was not to be had and is asked again", ["error": "\(error)"])
    }
  }

  private func stop() {
    log.info("stopping: what was read is settled first")
    renewGroup()
    give(up: Array(held.keys), isLost: false, patience: KafkaRunner.stopPatience)
    committer.stop()
    let isLeft = consumer.close(timeoutMilliseconds: 10_000) { event in
      switch event {
      case .assign(_, let rebalance): answer { () throws(KafkaError) in try consumer.assign([], rebalance) }
      case .revoke(let partitions, _, let rebalance):
        answer { () throws(KafkaError) in try consumer.unassign(partitions, rebalance) }
      case .log(let line): ClientLog.tell(line, Logger(module: "librdkafka"))
      case .error, .statistics, .strayRecord: break
      }
    }
    if !isLeft { log.warning("the group was not left in time; it finds out by the session time-out") }
    runner.tick()
  }
}
