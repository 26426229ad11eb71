internal import Dispatch
internal import Events
internal import Kafka
internal import Locking
public import Pipeline
internal import Synchronization
public import Tables
public import Telemetry

/// Runs a pipeline on Kafka: the control thread, which polls, answers rebalances, and starts and stops everything.
public final class KafkaRunner: Sendable {
  /// How to run.
  public struct Options: Sendable, Hashable {
    /// librdkafka's properties over those of the file.
    public var properties: [String: String] = [:]
    /// This process's stable name, unique among those that run the pipeline.
    public var instance: String
    /// Where to begin where nothing is committed.
    public var origin = StartOffset.beginning
    /// Whether missing output topics are made.
    public var createsTopics = false
    /// Whether the settings of topics are looked at; an embedded broker tells none.
    public var checksTopicSettings = true
    /// Whether an orderly stop leaves the group; else the name's place is kept for the session time-out.
    public var leavesGroup = false
    /// Whether to stop once everything that was there at the start has been read.
    public var stopsAtEnd = false

    /// Options for an instance of this name.
    public init(instance: String) { self.instance = instance }
  }

  /// Milliseconds that the unsettled outputs of revoked partitions are waited for.
  static let revokePatience = 10_000
  /// Milliseconds for leaving the group by name.
  static let leavePatience: Int64 = 5_000
  /// Milliseconds for an orderly stop.
  static let stopPatience = 30_000

  let plan: PipelinePlan
  /// What of it runs where.
  let topology: Topology
  let tables: [TableSnapshot]
  let options: Options
  let registry: MetricsRegistry
  let productVersion: String
  let settings: ClientSettings
  /// The pipeline file and what was loaded of it; nil: the pipeline has one version for good.
  private let watched: (path: String, loaded: VersionLoader.Loaded)?
  private let keeper = Lock<VersionKeeper?>(nil)
  private let onTick: @Sendable () -> Void
  let log = Logger(module: "KafkaTransport")
  private let isStopping = Atomic<Bool>(false)
  private let isLeaving: Atomic<Bool>
  private let inbox = Lock<[Message]>([])
  private let failure = Lock<PipelineFailure?>(nil)

  /// What other threads tell the control thread.
  enum Message: Sendable {
    case version(PipelineVersion)
    case places(Result<[TakeOver.Place], PipelineFailure>, RebalanceProtocol)
    case restored(PartitionWorker, PipelineFailure?)
    /// A snapshot of a partition that is true at an offset is written.
    case snapshotWritten(PartitionID, Int64)
  }

  /// A runner of one version for good; opens no connection yet.
  ///
  /// - Parameter onTick: called about once a second on the control thread.
  /// - Throws: `.configuration` where librdkafka refuses a property.
  public convenience init(
    plan: PipelinePlan, tables: [TableSnapshot], options: Options, registry: MetricsRegistry, productVersion: String,
    onTick: @escaping @Sendable () -> Void = {}
  ) throws(PipelineFailure) {
    try self.init(
      plan, tables, nil, options: options, registry: registry, productVersion: productVersion, onTick: onTick)
  }

  /// A runner that watches a pipeline file and its lists, and brings changes into force; opens no connection yet.
  ///
  /// - Parameters:
  ///   - loaded: what was loaded from the file.
  ///   - onTick: called about once a second on the control thread.
  /// - Throws: `.configuration` where librdkafka refuses a property.
  public convenience init(
    path: String, loaded: VersionLoader.Loaded, options: Options, registry: MetricsRegistry, productVersion: String,
    onTick: @escaping @Sendable () -> Void = {}
  ) throws(PipelineFailure) {
    try self.init(
      loaded.version.plan, loaded.version.tables, (path, loaded), options: options, registry: registry,
      productVersion: productVersion, onTick: onTick)
  }

  private init(
    _ plan: PipelinePlan, _ tables: [TableSnapshot], _ watched: (path: String, loaded: VersionLoader.Loaded)?,
    options: Options, registry: MetricsRegistry, productVersion: String, onTick: @escaping @Sendable () -> Void
  ) throws(PipelineFailure) {
    self.watched = watched
    self.plan = plan
    self.tables = tables
    self.options = options
    self.registry = registry
    self.productVersion = productVersion
    self.onTick = onTick
    isLeaving = Atomic(options.leavesGroup || options.stopsAtEnd)
    let properties = plan.properties.merging(options.properties) { $1 }
    topology = Topology(plan, group: properties["group.id"])
    settings = ClientSettings(
      plan: plan, properties: properties, instance: options.instance,
      tellsEnd: options.stopsAtEnd || !topology.exchanges.isEmpty)
    guard settings.consumer["bootstrap.servers"] != nil else {
      throw PipelineFailure(
        .configuration, "no broker is named: give --bootstrap HOST:PORT, or bootstrap.servers under librdkafka:")
    }
    try settings.validate()
  }

  /// Asks for an orderly stop; may be called from any thread.
  ///
  /// - Parameter isLeaving: whether the group is left even where the options do not say so.
  public func stop(isLeaving: Bool = false) {
    if isLeaving { self.isLeaving.store(true, ordering: .releasing) }
    isStopping.store(true, ordering: .releasing)
  }

  /// A member without a name is forgotten by its group in any case.
  var leavesGroup: Bool { isLeaving.load(ordering: .acquiring) && settings.memberName != nil }

  /// Asks for the pipeline file and its lists to be read again; may be called from any thread.
  public func reload() { keeper.withLock { $0 }?.reload() }

  var isStopRequested: Bool { isStopping.load(ordering: .acquiring) }

  func fail(_ reason: PipelineFailure) {
    failure.withLock { $0 = $0 ?? reason }
    stop()
  }

  var hasFailed: Bool { failure.withLock { $0 != nil } }

  func tell(_ message: Message) { inbox.withLock { $0.append(message) } }

  func takeMessages() -> [Message] {
    inbox.withLock { messages in
      defer { messages.removeAll() }
      return messages
    }
  }

  func tick() {
    keeper.withLock { $0 }?.tick()
    onTick()
  }

  /// The topic that keeps a plan's state, where the group has this name; nil: the pipeline's own.
  public static func stateTopic(of plan: PipelinePlan, group: String? = nil) -> String {
    StateTopics(group: group ?? plan.name, source: plan.source.topic).name(of: plan.source.topic)
  }

  /// Runs until it is stopped, all has been read (with `stopsAtEnd`), or it cannot go on. Blocks; everything that was read is
  /// settled when it returns in order.
  public func run() throws(PipelineFailure) {
    let topics = OutputTopics(plan.outputs, topology)
    let stateTopics = StateTopics(group: settings.group, source: plan.source.topic)
    let check = StartCheck(
      plan: plan, settings: settings, topics: topics, topology: topology, stateTopics: stateTopics,
      createsTopics: options.createsTopics, checksSettings: options.checksTopicSettings,
      isStopped: { [weak self] in self?.isStopRequested ?? true })
    let counts = try check.run()
    let keeper = try openKeeper()
    var isAgain = true
    while isAgain {
      let ended = try session(topics, stateTopics, counts, keeper)
      isAgain = ended == .fencedByItself && !isStopRequested
    }
    if let reason = failure.withLock({ $0 }) { throw reason }
  }

  /// One membership in the group, from joining it to its end.
  private func session(
    _ topics: OutputTopics, _ stateTopics: StateTopics, _ counts: ExchangeCounts, _ keeper: VersionKeeper?
  ) throws(PipelineFailure) -> Membership.Ended {
    let consumer: KafkaConsumer
    do throws(KafkaError) {
      consumer = try KafkaConsumer(settings.consumer)
    } catch {
      throw PipelineFailure(error)
    }
    let store = KafkaSnapshotStore(settings: settings, topics: stateTopics, format: plan.snapshot.format)
    try open(store)
    defer { store.close() }
    let committed: @Sendable ([PartitionID]) throws(KafkaError) -> [PartitionID: Position] = {
      partitions throws(KafkaError) in
      try TakeOver.committed(consumer, partitions)
    }
    let parts = Parts(consumer: consumer, store: store, topics: stateTopics, counts: counts, keeper: keeper)
    switch plan.delivery {
    case .exactlyOnce:
      let sink = KafkaSink(settings: settings, topics: topics, committed: committed)
      try open(sink, counts)
      defer { sink.close() }
      return try control(
        parts, sink, setGroup: { sink.setGroup($0) }, endHangingOffsets: { sink.endHangingOffsets($0, $1) },
        isNameTaken: { sink.isNameTaken($0, $1) })
    case .atLeastOnce:
      let sink = AtLeastOnceSink(settings: settings, topics: topics, consumer: consumer, committed: committed)
      defer { sink.close() }
      // Without transactions, no offset hangs.
      return try control(
        parts, sink, setGroup: { _ in }, endHangingOffsets: { _, _ in }, isNameTaken: { _, _ in nil })
    }
  }

  /// What a session is made of, besides its sink.
  private struct Parts {
    var consumer: KafkaConsumer
    var store: KafkaSnapshotStore
    var topics: StateTopics
    var counts: ExchangeCounts
    var keeper: VersionKeeper?
  }

  /// Partitions of each topic that is read, by its name.
  private func partitionCounts(_ counts: ExchangeCounts) -> [String: Int] {
    var found = [plan.source.topic: counts.source]
    for (exchange, count) in zip(topology.exchanges, counts.exchanges) { found[exchange.topic] = count }
    return found
  }

  private func openKeeper() throws(PipelineFailure) -> VersionKeeper? {
    guard let watched else { return nil }
    let made = VersionKeeper(
      path: watched.path, loaded: watched.loaded, settings: settings, registry: registry,
      isStopped: { [weak self] in self?.isStopRequested ?? true }, accept: { [weak self] in self?.tell(.version($0)) })
    try made.open()
    keeper.withLock { $0 = made }
    return made
  }

  private func open(_ sink: KafkaSink, _ counts: ExchangeCounts) throws(PipelineFailure) {
    do throws(SinkFailure) {
      let topics = [(plan.source.topic, counts.source)] + zip(topology.exchanges.map(\.topic), counts.exchanges)
      try sink.open(topics.flatMap { topic, count in (0..<count).map { PartitionID(topic, Int32($0)) } })
    } catch {
      switch error {
      case .failed(let failure): throw failure
      case .lost(let reason), .unwritable(_, let reason): throw PipelineFailure(.unreachable, reason)
      }
    }
  }

  private func open(_ store: KafkaSnapshotStore) throws(PipelineFailure) {
    do throws(SnapshotFailure) {
      try store.open()
    } catch {
      switch error {
      case .failed(let failure): throw failure
      case .lost(let reason): throw PipelineFailure(.unreachable, reason)
      case .stale, .cancelled: return
      }
    }
  }

  private func control(
    _ parts: Parts, _ sink: any Sink, setGroup: @escaping (GroupMetadata?) -> Void,
    endHangingOffsets: @escaping @Sendable (PartitionID, GroupMetadata) -> Void,
    isNameTaken: @escaping @Sendable (PartitionID, GroupMetadata) -> Bool?
  ) throws(PipelineFailure) -> Membership.Ended {
    let store = parts.store
    let purge = ExchangePurge(settings.consumer, topology)
    let snapshotter = Snapshotter(
      store: store, timing: SnapshotCoordinator.Timing(every: plan.snapshot.every), metrics: SnapshotMetrics(registry),
      onWritten: { [weak self] partition, offset in
        purge.saved(partition, at: offset)
        self?.tell(.snapshotWritten(partition, offset))
      }, onFailure: { [weak self] in self?.fail($0) })
    let committer = Committer(
      sink: sink, unsettledBytes: plan.limits.unsettledBytes, metrics: CommitMetrics(registry),
      onSettled: { snapshotter.settled($0, $1) }
    ) { [weak self] in self?.fail($0) }
    let control = ControlLoop(
      runner: self, consumer: parts.consumer, committer: committer, snapshotter: snapshotter,
      restorer: StateRestorer(store: store, registry: registry),
      takeOver: TakeOver(
        consumer: parts.consumer, origin: options.origin, partitionCounts: partitionCounts(parts.counts),
        topics: parts.topics, store: store, keeper: parts.keeper),
      keeper: parts.keeper,
      membership: Membership(
        set: { group in
          setGroup(group)
          snapshotter.renewFence { store.setGroup(group, fence: $0) }
        }, endHangingOffsets: endHangingOffsets,
        isNameTaken: { place, group in
          // A process that takes our name takes both ids before it joins the group: either producer can tell.
          sink.abandon()
          store.abandon()
          return snapshotter.asking { store.isNameTaken(place, group) }
            ?? committer.asking { isNameTaken(place, group) }
        }), counts: parts.counts)
    defer {
      committer.stop()
      snapshotter.stop()
    }
    return try control.run()
  }
}
