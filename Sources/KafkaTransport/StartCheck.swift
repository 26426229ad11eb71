internal import Glibc
internal import Kafka
internal import Pipeline
internal import Telemetry

/// What has to be there before the first record is read, told in one line each where it is not.
struct StartCheck {
  /// Seconds that brokers which do not answer are waited for.
  static let patience = 60
  /// Milliseconds for one question.
  private static let timeout: Int32 = 5_000

  let plan: PipelinePlan
  let settings: ClientSettings
  let topics: OutputTopics
  let stateTopics: StateTopics
  let createsTopics: Bool
  let checksSettings: Bool
  let isStopped: @Sendable () -> Bool
  private let log = Logger(module: "Kafka")

  /// - Returns: the number of the input topic's partitions.
  func run() throws(PipelineFailure) -> Int {
    let deadline = ContinuousClock.now + .seconds(Self.patience)
    while true {
      do throws(KafkaError) {
        return try look()
      } catch {
        guard error.class == .retriable, !isStopped() else { throw PipelineFailure(error) }
        guard ContinuousClock.now < deadline else {
          throw PipelineFailure(.unreachable, "no broker has answered for \(Self.patience) s: \(error)")
        }
        log.warning("no answer yet, trying again", ["error": "\(error)"])
        sleep(1)
      }
    }
  }

  private func look() throws(KafkaError) -> Int {
    let admin = try KafkaAdmin(settings.consumer)
    guard case .found(let input) = try admin.describeTopic(plan.source.topic, timeoutMilliseconds: Self.timeout) else {
      throw missing(plan.source.topic, "the source `\(plan.source.name)` reads it")
    }
    var absent: [String] = []
    for name in topics.names {
      if case .missing = try admin.describeTopic(name, timeoutMilliseconds: Self.timeout) { absent.append(name) }
    }
    if let first = absent.first {
      guard createsTopics else {
        throw missing(first, "an output goes there; --create-topics makes it with the input's number of partitions")
      }
      try create(absent.map { NewTopic($0, partitions: max(1, input.partitions.count)) }, admin)
    }
    try checkState(partitions: input.partitions.count, admin)
    return input.partitions.count
  }

  /// The state topic is made where it is missing, and looked at where it is there.
  private func checkState(partitions: Int, _ admin: KafkaAdmin) throws(KafkaError) {
    let name = stateTopics.name(of: plan.source.topic)
    guard case .found(let topic) = try admin.describeTopic(name, timeoutMilliseconds: Self.timeout) else {
      guard plan.internalTopics == .create else {
        throw missing(
          name,
          "state is kept there, and `internal_topics: require` forbids to make it; docs/operations.md has its settings")
      }
      return try create(
        [NewTopic(name, partitions: max(1, partitions), configuration: StateTopics.configuration)], admin)
    }
    let fault = StateTopics.fault(
      name, partitions: topic.partitions.count, configuration: try configuration(name, admin), input: plan.source.topic,
      inputPartitions: partitions)
    if let fault { throw KafkaError(code: .invalidConfig, class: .configuration, message: fault) }
  }

  /// nil: this user may not see a topic's settings, or the broker does not tell them.
  private func configuration(_ topic: String, _ admin: KafkaAdmin) throws(KafkaError) -> [String: String]? {
    guard checksSettings else { return nil }
    do throws(KafkaError) {
      return try admin.topicConfiguration(topic, timeoutMilliseconds: Self.timeout)
    } catch {
      guard error.isPermission || error.class == .configuration else { throw error }
      log.debug("the settings of a topic can't be seen and are taken on trust", ["topic": topic, "error": "\(error)"])
      return nil
    }
  }

  private func create(_ topics: [NewTopic], _ admin: KafkaAdmin) throws(KafkaError) {
    let errors = try admin.createTopics(topics, timeoutMilliseconds: 20_000)
    for error in errors.values where error.code != .topicAlreadyExists { throw error }
    log.info("topics were created", ["topics": topics.map(\.name).joined(separator: ", ")])
  }

  private func missing(_ topic: String, _ why: String) -> KafkaError {
    KafkaError(
      code: .unknownTopicOrPartition, class: .configuration,
      message: "there is no topic `\(topic)`, or this user may not see it: \(why)")
  }
}
