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
  let createsTopics: Bool
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
      try create(absent, partitions: input.partitions.count, admin)
    }
    return input.partitions.count
  }

  private func create(_ names: [String], partitions: Int, _ admin: KafkaAdmin) throws(KafkaError) {
    let errors = try admin.createTopics(
      names.map { NewTopic($0, partitions: max(1, partitions)) }, timeoutMilliseconds: 20_000)
    for error in errors.values where error.code != .topicAlreadyExists { throw error }
    log.info("topics were created", ["topics": names.joined(separator: ", ")])
  }

  private func missing(_ topic: String, _ why: String) -> KafkaError {
    KafkaError(
      code: .unknownTopicOrPartition, class: .configuration,
      message: "there is no topic `\(topic)`, or this user may not see it: \(why)")
  }
}
