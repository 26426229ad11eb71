internal import Kafka
public import Pipeline

/// Finds the version of a pipeline that is in force now: for looking at, without joining its group.
public enum RunningVersion {
  /// Milliseconds for one question.
  private static let timeout: Int32 = 10_000

  /// The version that is in force in most partitions; nil where the group has committed none.
  ///
  /// - Parameters:
  ///   - plan: a plan of the same pipeline: its name and its source's topic count.
  ///   - properties: librdkafka's properties over those of the plan.
  public static func find(
    _ plan: PipelinePlan, properties: [String: String]
  ) throws(PipelineFailure) -> PipelineVersion? {
    try find(
      plan,
      ClientSettings(plan: plan, properties: plan.properties.merging(properties) { $1 }, instance: "plan"))
  }

  static func find(
    _ plan: PipelinePlan, _ settings: ClientSettings, isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(PipelineFailure) -> PipelineVersion? {
    let store = KafkaVersionStore(settings: settings, makesTopic: false, isStopped: isStopped)
    do throws(KafkaError) {
      guard let id = try latest(plan, settings) else { return nil }
      guard let content = try store.contents(of: [id])[id] else {
        throw KafkaError(
          code: .fatal, class: .fatal, message: "version \(id) is in force, but is not in topic `\(store.topic)`")
      }
      do throws(VersionError) {
        return try VersionLoader.restore(content, path: "the running version")
      } catch {
        throw KafkaError(code: .fatal, class: .fatal, message: "\(error)")
      }
    } catch {
      throw PipelineFailure(error)
    }
  }

  private static func latest(_ plan: PipelinePlan, _ settings: ClientSettings) throws(KafkaError) -> VersionID? {
    let admin = try KafkaAdmin(settings.consumer)
    guard case .found(let topic) = try admin.describeTopic(plan.source.topic, timeoutMilliseconds: timeout) else {
      return nil
    }
    // A member's name is left out: it is that of a process that runs.
    var configuration = settings.consumer
    configuration["group.instance.id"] = nil
    let consumer = try KafkaConsumer(configuration)
    let partitions = topic.partitions.map { TopicPartition(plan.source.topic, $0.number) }
    let committed = try consumer.committed(partitions, timeoutMilliseconds: timeout)
    var counts: [VersionID: Int] = [:]
    for offset in committed.values {
      let position = Position(offset: offset.offset, metadata: offset.metadata)
      if let id = position.active.latest { counts[id, default: 0] += 1 }
    }
    return counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
  }
}
