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
  let tables: [TableSnapshot]
  let options: Options
  let registry: MetricsRegistry
  let productVersion: String
  let settings: ClientSettings
  private let onTick: @Sendable () -> Void
  let log = Logger(module: "KafkaTransport")
  private let isStopping = Atomic<Bool>(false)
  private let inbox = Lock<[Message]>([])
  private let failure = Lock<PipelineFailure?>(nil)

  /// What other threads tell the control thread.
  enum Message: Sendable {
    case places(Result<[TakeOver.Place], PipelineFailure>, RebalanceProtocol)
  }

  /// A runner; opens no connection yet.
  ///
  /// - Parameter onTick: called about once a second on the control thread.
  /// - Throws: `.configuration` where librdkafka refuses a property.
  public init(
    plan: PipelinePlan, tables: [TableSnapshot], options: Options, registry: MetricsRegistry, productVersion: String,
    onTick: @escaping @Sendable () -> Void = {}
  ) throws(PipelineFailure) {
    self.plan = plan
    self.tables = tables
    self.options = options
    self.registry = registry
    self.productVersion = productVersion
    self.onTick = onTick
    settings = ClientSettings(
      plan: plan, properties: plan.properties.merging(options.properties) { $1 }, instance: options.instance,
      tellsEnd: options.stopsAtEnd)
    guard settings.consumer["bootstrap.servers"] != nil else {
      throw PipelineFailure(
        .configuration, "no broker is named: give --bootstrap HOST:PORT, or bootstrap.servers under librdkafka:")
    }
    try settings.validate()
  }

  /// Asks for an orderly stop; may be called from any thread.
  public func stop() { isStopping.store(true, ordering: .releasing) }

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

  func tick() { onTick() }

  /// Runs until it is stopped, all has been read (with `stopsAtEnd`), or it cannot go on. Blocks; everything that was read is
  /// settled when it returns in order.
  public func run() throws(PipelineFailure) {
    let topics = OutputTopics(plan.outputs)
    let check = StartCheck(
      plan: plan, settings: settings, topics: topics, createsTopics: options.createsTopics,
      isStopped: { [weak self] in self?.isStopRequested ?? true })
    let partitionCount = try check.run()
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
      try open(sink, partitionCount)
      defer { sink.close() }
      try control(
        consumer, sink, partitionCount, setGroup: { sink.setGroup($0) },
        endHangingOffsets: { sink.endHangingOffsets($0, $1) })
    case .atLeastOnce:
      let sink = AtLeastOnceSink(settings: settings, topics: topics, consumer: consumer, committed: committed)
      defer { sink.close() }
      // Without transactions, no offset hangs.
      try control(consumer, sink, partitionCount, setGroup: { _ in }, endHangingOffsets: { _, _ in })
    }
    if let reason = failure.withLock({ $0 }) { throw reason }
  }

  private func open(_ sink: KafkaSink, _ partitionCount: Int) throws(PipelineFailure) {
    do throws(SinkFailure) {
      try sink.open((0..<partitionCount).map { PartitionID(plan.source.topic, Int32($0)) })
    } catch {
      switch error {
      case .failed(let failure): throw failure
      case .lost(let reason), .unwritable(_, let reason): throw PipelineFailure(.unreachable, reason)
      }
    }
  }

  private func control(
    _ consumer: KafkaConsumer, _ sink: any Sink, _ partitionCount: Int, setGroup: @escaping (GroupMetadata?) -> Void,
    endHangingOffsets: @escaping @Sendable (PartitionID, GroupMetadata) -> Void
  ) throws(PipelineFailure) {
    let committer = Committer(
      sink: sink, unsettledBytes: plan.limits.unsettledBytes, metrics: CommitMetrics(registry)
    ) { [weak self] in self?.fail($0) }
    let control = ControlLoop(
      runner: self, consumer: consumer, committer: committer, setGroup: setGroup, endHangingOffsets: endHangingOffsets)
    defer { committer.stop() }
    try control.run(partitionCount: partitionCount)
  }
}
