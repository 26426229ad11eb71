internal import Glibc
internal import Kafka
internal import Pipeline
internal import Telemetry

/// What has to be there before the first record is read, told in one line each where it is not.
struct StartCheck {
  /// Seconds that brokers which do not answer are waited for.
  static let patience = 60
  /// Seconds after which a login that has failed again and again is taken for refused.
  private static let loginPatience = 5
  /// Milliseconds for one question.
  private static let timeout: Int32 = 5_000
  /// Looks for the source's topic before it is taken for missing, and microseconds between two.
  private static let looksForSource = 4
  private static let lookPause: useconds_t = 500_000

  let plan: PipelinePlan
  let settings: ClientSettings
  let topics: OutputTopics
  let topology: Topology
  let stateTopics: StateTopics
  let createsTopics: Bool
  let checksSettings: Bool
  let isStopped: @Sendable () -> Bool
  private let log = Logger(module: "Kafka")

  /// - Returns: the numbers of partitions of the input topic and of the exchanges.
  func run() throws(PipelineFailure) -> ExchangeCounts {
    let deadline = ContinuousClock.now + .seconds(Self.patience)
    var logins = LoginWatch(patience: .seconds(Self.loginPatience))
    while true {
      do throws(KafkaError) {
        return try look()
      } catch {
        guard error.class == .retriable, !isStopped() else { throw PipelineFailure(error) }
        if error.isLogin, logins.isRefused(now: .now) { throw PipelineFailure(error) }
        guard ContinuousClock.now < deadline else {
          throw PipelineFailure(.unreachable, "no broker has answered for \(Self.patience) s: \(error)")
        }
        log.warning("no answer yet, trying again", ["error": "\(error)"])
        sleep(1)
      }
    }
  }

  private func look() throws(KafkaError) -> ExchangeCounts {
    let admin = try KafkaAdmin(settings.consumer)
    guard let input = try source(admin) else {
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
    try checkState(of: plan.source.topic, partitions: input.partitions.count, admin)
    if !topology.exchanges.isEmpty, let fault = ExchangeTopics.fault(inProducer: settings.producer) {
      throw KafkaError(code: .invalidConfig, class: .configuration, message: fault)
    }
    var counts = ExchangeCounts(source: input.partitions.count, exchanges: [])
    for exchange in topology.exchanges {
      let count = try partitions(of: exchange, input, admin)
      try checkState(of: exchange.topic, partitions: count, admin)
      counts.exchanges.append(count)
    }
    return counts
  }

  /// The topic of an exchange is made where it is missing and may be made: nobody but us writes to it.
  private func partitions(
    of exchange: ExchangePlan, _ input: TopicDescription, _ admin: KafkaAdmin
  ) throws(KafkaError) -> Int {
    var lookup = try admin.describeTopic(exchange.topic, timeoutMilliseconds: Self.timeout)
    if case .missing = lookup {
      guard plan.internalTopics == .create else {
        throw missing(
          exchange.topic,
          "events cross there, and `internal_topics: require` forbids to make it; docs/exchange.md has its settings")
      }
      let topic = NewTopic(
        exchange.topic, partitions: exchange.partitions ?? input.partitions.count,
        configuration: ExchangeTopics.configuration)
      let errors = try admin.createTopics([topic], timeoutMilliseconds: 20_000)
      for error in errors.values where error.code != .topicAlreadyExists { throw error }
      log.info("the topic of an exchange was created", ["topic": exchange.topic, "partitions": "\(topic.partitions)"])
      // Its partitions may take a moment to be seen.
      lookup = try admin.describeTopic(exchange.topic, timeoutMilliseconds: Self.timeout)
    }
    guard case .found(let found) = lookup, !found.partitions.isEmpty else {
      throw KafkaError(
        code: .unknownTopicOrPartition, class: .retriable, message: "the topic \(exchange.topic) is not to be seen yet")
    }
    // What was made for another number of the source's partitions stays as it is: keys lie where they lie.
    let fault = ExchangeTopics.fault(
      exchange, partitions: found.partitions.count, wanted: exchange.partitions,
      configuration: try configuration(exchange.topic, admin))
    if let fault { throw KafkaError(code: .invalidConfig, class: .configuration, message: fault) }
    return found.partitions.count
  }

  /// The state topic is made where it is missing, and looked at where it is there.
  private func checkState(of input: String, partitions: Int, _ admin: KafkaAdmin) throws(KafkaError) {
    let name = stateTopics.name(of: input)
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
      name, partitions: topic.partitions.count, configuration: try configuration(name, admin), input: input,
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

  /// The source's topic; nil: there is none. One that was made a moment ago is not known to every broker yet.
  private func source(_ admin: KafkaAdmin) throws(KafkaError) -> TopicDescription? {
    for look in 1...Self.looksForSource {
      if case .found(let input) = try admin.describeTopic(plan.source.topic, timeoutMilliseconds: Self.timeout) {
        return input
      }
      if look < Self.looksForSource { usleep(Self.lookPause) }
    }
    return nil
  }

  private func missing(_ topic: String, _ why: String) -> KafkaError {
    KafkaError(
      code: .unknownTopicOrPartition, class: .configuration,
      message: "there is no topic `\(topic)`, or this user may not see it: \(why)")
  }
}
