internal import Dispatch
internal import Events
internal import Kafka
internal import Pipeline
internal import Synchronization
internal import Telemetry

/// The control thread's work: it polls the consumer, takes partitions over and gives them up. It touches no record.
final class ControlLoop {
  struct Held {
    var worker: PartitionWorker
    /// Where the partition ended when it was taken over.
    var end: Int64
  }

  /// Milliseconds of one poll: how soon a stop or an answer from another thread is seen.
  static let pollTimeout: Int32 = 50
  /// Milliseconds for which the coordinator's answer after a leave is waited for.
  static let leaveAnswer: Int32 = 2_000

  let runner: KafkaRunner
  let consumer: KafkaConsumer
  let committer: Committer
  let snapshotter: Snapshotter
  private let restorer: StateRestorer
  let keeper: VersionKeeper?
  private let takeOver: TakeOver
  let membership: Membership
  /// Partitions whose state is being restored: their workers begin when it is.
  var restoring: [PartitionID: (worker: PartitionWorker, log: KafkaPartitionLog)] = [:]
  var ended: Membership.Ended?
  var lastGroup: GroupMetadata?
  /// Whether the group has forgotten this member and taken it in as another while it had partitions.
  private(set) var isForgotten = false
  private var isGivingUp = false
  var held: [PartitionID: Held] = [:]
  /// Partitions that are being taken over: the assignment is answered when their places are known.
  var pending: Set<TopicPartition> = []
  let epoch = Epoch()
  private var logins = LoginWatch(patience: .seconds(60))
  var clocks: WrongClockWatch
  private var watermark: SourceWatermark
  var log: Logger { runner.log }
  let counts: ExchangeCounts
  /// Where there are exchanges.
  private let lead: LeadWatch?
  /// For members of a name.
  private(set) var orphans: OrphanWatch?
  /// With `--stop-at-end`: where the source ended at the start.
  var sourceEnds: EndWatch?
  /// Where the exchanges end, once the source has been read to its end.
  var exchangeEnds: EndWatch?
  /// Whether the group has said which partitions are ours; it may be none.
  var hasAssignment = false

  /// Counts assignments, so that the answer to an older one is known as such.
  final class Epoch: Sendable {
    private let number = Atomic<Int>(0)
    var current: Int { number.load(ordering: .acquiring) }
    func advance() { number.add(1, ordering: .acquiringAndReleasing) }
  }

  init(
    runner: KafkaRunner, consumer: KafkaConsumer, committer: Committer, snapshotter: Snapshotter,
    restorer: StateRestorer, takeOver: TakeOver, keeper: VersionKeeper?, membership: Membership, counts: ExchangeCounts
  ) {
    self.runner = runner
    self.consumer = consumer
    self.committer = committer
    self.snapshotter = snapshotter
    self.restorer = restorer
    self.takeOver = takeOver
    self.keeper = keeper
    self.membership = membership
    self.counts = counts
    let topology = runner.topology
    lead =
      topology.exchanges.isEmpty ? nil : LeadWatch(consumer, topology.source, partitionCount: counts.source)
    watermark = SourceWatermark(idleAfter: runner.plan.source.idle)
    clocks = WrongClockWatch(future: runner.plan.limits.future)
    guard runner.settings.memberName != nil else { return }
    let all = runner.partitionCounts(counts).flatMap { topic, count in
      (0..<Int32(count)).map { TopicPartition(topic, $0) }
    }
    orphans = OrphanWatch(consumer, group: runner.settings.group, all: Set(all))
  }

  func run() throws(PipelineFailure) -> Membership.Ended {
    do throws(KafkaError) {
      try consumer.subscribe([runner.plan.source.topic] + runner.topology.exchanges.map(\.topic))
    } catch {
      throw PipelineFailure(error)
    }
    log.info(
      "joining the group",
      ["group": runner.settings.group, "topic": runner.plan.source.topic, "partitions": "\(counts.source)"])
    if runner.options.stopsAtEnd {
      sourceEnds = EndWatch(
        consumer, runner.settings, (0..<Int32(counts.source)).map { TopicPartition(runner.plan.source.topic, $0) },
        countsHidden: false, skipsUnread: runner.options.origin == .end)
    }
    var lastTick = ContinuousClock.now
    while !runner.isStopRequested, ended == nil {
      if let event = consumer.poll(timeoutMilliseconds: Self.pollTimeout) { handle(event) }
      for message in runner.takeMessages() { handle(message) }
      if isForgotten { forgotten() }
      if ContinuousClock.now - lastTick >= .seconds(1) {
        lastTick = .now
        tick()
      }
      if let lead, lead.isHoldingBack {
        lead.look(sources, now: Int64(bitPattern: DispatchTime.now().uptimeNanoseconds))
      }
      if runner.options.stopsAtEnd, hasReadAll { runner.stop() }
    }
    if ended == .void { return .void }
    stop()
    return ended ?? .stopped
  }

  // MARK: Events

  private func handle(_ event: ControlEvent) {
    switch event {
    case .assign(let partitions, let rebalance): assigned(partitions, rebalance)
    case .revoke(let partitions, let isLost, let rebalance): revoked(partitions, isLost: isLost, rebalance)
    case .error(let error):
      ClientLog.tell(error, log)
      if error.code == .fencedInstanceID { return fenced(error) }
      if error.isLogin, logins.isRefused(now: .now) { return runner.fail(PipelineFailure(error)) }
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
    case .restored(let worker, let failure): restored(worker, failure)
    case .passed(let worker, let offset, let reason): passed(worker, at: offset, reason)
    case .snapshotWritten(let partition, let offset): held[partition]?.worker.noteSnapshot(writtenAt: offset)
    case .version(let version):
      keeper?.take(version)
      for held in held.values { held.worker.offer(version) }
    }
  }

  /// From now on offsets go out with the membership of now. A cooperative rebalance moves the generation on while partitions
  /// are kept: what they have unsettled, and what a revoked one has, would be refused under the old one. Nobody else is given
  /// a partition of ours before we have answered.
  ///
  /// That holds for a member that stays the same. One that the group had forgotten meanwhile, and took in under another id,
  /// had lost its partitions without a word: others may have worked on them, and have lost them again since. Nothing of that
  /// time may go out under the new membership.
  func renewGroup() {
    guard let group = consumer.groupMetadata(), group.isMember else { return }
    if isGivingUp || !held.isEmpty, let last = lastGroup?.memberID, let now = group.memberID, last != now {
      isForgotten = true
      return
    }
    lastGroup = group
    membership.set(group)
  }

  private func assigned(_ partitions: [TopicPartition], _ rebalance: RebalanceProtocol) {
    epoch.advance()
    renewGroup()
    if isForgotten { return }
    hasAssignment = true
    if partitions.isEmpty {
      keepPlaces()
      answer { () throws(KafkaError) in try consumer.assign([], rebalance) }
      return
    }
    log.info("partitions were assigned", ["partitions": partitions.map(\.description).joined(separator: ", ")])
    pending = Set(partitions)
    if let reason = growth(partitions) { return runner.fail(reason) }
    let (epoch, asked) = (epoch, epoch.current)
    let runner = runner
    takeOver.begin(
      partitions, isCancelled: { epoch.current != asked || runner.isStopRequested },
      onStuck: { [committer, end = membership.endHangingOffsets] partition, group in
        committer.perform { end(partition, group) }
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
    var starts: [(place: TakeOver.Place, worker: PartitionWorker, log: KafkaPartitionLog)] = []
    do throws(KafkaError) {
      for place in places {
        let worker = makeWorker(place)
        let partition = TopicPartition(place.partition.topic, place.partition.number)
        let queue = try consumer.partitionQueue(partition) { [weak worker] in worker?.wake() }
        let log = KafkaPartitionLog(queue, from: place.recovery.start.offset)
        starts.append((place, worker, log))
        offsets.append(TopicPartitionOffset(partition, offset: place.recovery.start.offset))
        held[place.partition] = Held(worker: worker, end: place.end)
      }
      keepPlaces()
      // At once, so that the group waits for nobody: what is fetched waits until the state is there.
      try consumer.assign(offsets, rebalance)
    } catch {
      return runner.fail(PipelineFailure(error))
    }
    renewGroup()
    tell(places)
    for (place, worker, log) in starts {
      guard let marker = place.recovery.marker else {
        worker.start(log)
        continue
      }
      restoring[place.partition] = (worker, log)
      restorer.restore(worker, from: marker) { [weak runner] worker, failure in
        runner?.tell(.restored(worker, failure))
      }
    }
  }

  private func revoked(_ partitions: [TopicPartition], isLost: Bool, _ rebalance: RebalanceProtocol) {
    epoch.advance()
    pending.subtract(partitions)
    log.info(
      isLost ? "partitions were lost" : "partitions were revoked",
      ["partitions": partitions.map(\.description).joined(separator: ", ")])
    // A cooperative member has joined the next generation by now, in which these partitions are still nobody else's: with
    // the metadata of the one before, nothing could be settled any more.
    if !isLost { renewGroup() }
    if isForgotten { return }
    give(
      up: partitions.map { PartitionID($0.topic, $0.partition) }, isLost: isLost, patience: KafkaRunner.revokePatience)
    keepPlaces()
    answer { () throws(KafkaError) in try consumer.unassign(partitions, rebalance) }
  }

  func answer(_ body: () throws(KafkaError) -> Void) {
    do throws(KafkaError) {
      try body()
    } catch {
      runner.fail(PipelineFailure(error))
    }
  }

  /// Stops workers, waits until what they handed over is settled and their last snapshot is written, and forgets the
  /// partitions.
  func give(up partitions: [PartitionID], isLost: Bool, patience: Int) {
    let workers = partitions.compactMap { held.removeValue(forKey: $0)?.worker }
    for worker in workers { worker.stop(isCut: !isLost) }
    for partition in partitions { restoring.removeValue(forKey: partition)?.log.close() }
    let names = Set(workers.map(\.partition))
    guard !names.isEmpty else { return }
    isGivingUp = true
    defer { isGivingUp = false }
    if isLost {
      committer.drop(names)
      snapshotter.drop(names)
    } else if !committer.drain(names, timeoutMilliseconds: patience, meanwhile: renewGroup) {
      log.warning("some outputs could not be settled in time; whoever reads the partitions next makes them again")
      snapshotter.drop(names)
    } else if !snapshotter.drain(names, timeoutMilliseconds: patience, meanwhile: renewGroup) {
      log.warning("a last snapshot could not be written in time; whoever reads the partitions next reads further back")
    }
    for name in names {
      runner.registry.removeGauges(where: ["topic": name.topic, "partition": "\(name.number)"])
    }
  }

  // MARK: Time and end

  /// Those of the source that read. One that is being restored stands where it is committed: it holds nobody up for longer.
  private var sources: [PartitionID: PartitionWorker] {
    held.filter { $0.key.topic == runner.plan.source.topic && restoring[$0.key] == nil }.mapValues(\.worker)
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
    lookForWrongClocks(sources)
    lookForOrphans()
    // A quiet partition is cut too.
    for held in held.values where snapshotter.isDue(held.worker.partition) { held.worker.wake() }
    runner.tick()
  }

  private func stop() {
    log.info("stopping: what was read is settled first")
    renewGroup()
    give(up: Array(held.keys), isLost: isForgotten, patience: KafkaRunner.stopPatience)
    committer.stop()
    snapshotter.stop()
    answerPending()
    if runner.leavesGroup || ended == .rejoining, !runner.hasFailed { leave() }
    closeConsumer()
    runner.tick()
  }
}
