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
    /// Whether to stop once everything that was there at the start has been read.
    public var stopsAtEnd = false

    /// Options for an instance of this name.
    public init(instance: String) { self.instance = instance }
  }

  /// Milliseconds that the unsettled outputs of revoked partitions are waited for.
  static let revokePatience = 10_000
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
  private let inbox = Lock<[Message]>([])
  private let failure = Lock<PipelineFailure?>(nil)

  /// What other threads tell the control thread.
  enum Message: Sendable {
    case version(PipelineVersion)
    case places(Result<[TakeOver.Place], PipelineFailure>, RebalanceProtocol)
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
  public func stop() { isStopping.store(true, ordering: .releasing) }

  /// Asks for the pipeline file and its lists to be read again; may be called from any thread.
  public func reload() { keeper.withLock { $0 }?.reload() }

  var isStopRequested: Bool { isStopping.load(ordering: .acquiring) }

  func fail(_ reason: PipelineFailure) {
    failure.withLock { $0 = $0 ?? reason }
    stop()
  }

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

  /// Runs until it is stopped, all has been read (with `stopsAtEnd`), or it cannot go on. Blocks; everything that was read is
  /// settled when it returns in order.
  public func run() throws(PipelineFailure) {
    let topics = OutputTopics(plan.outputs, topology)
    let check = StartCheck(
      plan: plan, settings: settings, topics: topics, topology: topology, createsTopics: options.createsTopics,
      isStopped: { [weak self] in self?.isStopRequested ?? true })
    let counts = try check.run()
    let keeper = try openKeeper()
    let consumer: KafkaConsumer
    do throws(KafkaError) {
      consumer = try KafkaConsumer(settings.consumer)
    } catch {
      throw PipelineFailure(error)
    }
    let committed: @Sendable ([PartitionID]) throws(KafkaError) -> [PartitionID: Position] = {
      partitions throws(KafkaError) in
      try TakeOver.committed(consumer, partitions)
    }
    switch plan.delivery {
    case .exactlyOnce:
      let sink = KafkaSink(settings: settings, topics: topics, committed: committed)
      try open(sink, counts)
      defer { sink.close() }
      try control(
        consumer, sink, counts, keeper, setGroup: { sink.setGroup($0) },
        endHangingOffsets: { sink.endHangingOffsets($0, $1) })
    case .atLeastOnce:
      let sink = AtLeastOnceSink(settings: settings, topics: topics, consumer: consumer, committed: committed)
      defer { sink.close() }
      // Without transactions, no offset hangs.
      try control(consumer, sink, counts, keeper, setGroup: { _ in }, endHangingOffsets: { _, _ in })
    }
    if let reason = failure.withLock({ $0 }) { throw reason }
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

  private func control(
    _ consumer: KafkaConsumer, _ sink: any Sink, _ counts: ExchangeCounts, _ keeper: VersionKeeper?,
    setGroup: @escaping (GroupMetadata?) -> Void,
    endHangingOffsets: @escaping @Sendable (PartitionID, GroupMetadata) -> Void
  ) throws(PipelineFailure) {
    let committer = Committer(
      sink: sink, unsettledBytes: plan.limits.unsettledBytes, metrics: CommitMetrics(registry)
    ) { [weak self] in self?.fail($0) }
    let control = ControlLoop(
      runner: self, consumer: consumer, committer: committer, keeper: keeper, setGroup: setGroup,
      endHangingOffsets: endHangingOffsets, counts: counts)
    defer { committer.stop() }
    try control.run()
  }
}
