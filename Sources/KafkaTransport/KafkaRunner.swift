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
    /// A record that the worker was to read next is gone; why.
    case passed(PartitionWorker, at: Int64, String)
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
    settings = ClientSettings(plan: plan, properties: properties, instance: options.instance)
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
    let counts: ExchangeCounts
    let keeper: VersionKeeper?
    do throws(PipelineFailure) {
      counts = try check.run()
      keeper = try openKeeper()
    } catch {
      // Whoever asks for a stop while brokers are waited for gets an orderly one: nothing was read yet.
      guard error.kind == .unreachable, isStopRequested, !hasFailed else { throw error }
      return log.info("stopped while Kafka was waited for: nothing was read")
    }
    var isAgain = true
    while isAgain {
      let ended = try session(topics, stateTopics, counts, keeper)
      isAgain = ended != .stopped && !isStopRequested
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
}
