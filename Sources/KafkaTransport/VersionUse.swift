internal import Kafka
internal import Pipeline

/// Finds out which versions of a pipeline are named: with the offsets that its group has committed, and in the last snapshots,
/// which count where the offsets are gone.
final class VersionUse: Sendable {
  /// Milliseconds for one question.
  private static let timeout: Int32 = 10_000

  private let plan: PipelinePlan
  private let settings: ClientSettings

  /// - Parameter plan: of one of the versions: what it reads and where state goes only changes with a restart.
  init(_ plan: PipelinePlan, _ settings: ClientSettings) {
    self.plan = plan
    self.settings = settings
  }

  /// The versions that are named now.
  func named() throws(KafkaError) -> Set<VersionID> {
    let admin = try KafkaAdmin(settings.consumer)
    let exchanges = Topology(plan, group: settings.group).exchanges.map(\.topic)
    var partitions: [TopicPartition] = []
    for topic in [plan.source.topic] + exchanges {
      guard case .found(let found) = try admin.describeTopic(topic, timeoutMilliseconds: Self.timeout) else {
        throw KafkaError(code: .unknownTopicOrPartition, message: "there is no topic \(topic) to be seen")
      }
      partitions += found.partitions.map { TopicPartition(topic, $0.number) }
    }
    // A member's name is left out: it is that of a process that runs.
    var configuration = settings.consumer
    configuration["group.instance.id"] = nil
    let consumer = try KafkaConsumer(configuration)
    var named: Set<VersionID> = []
    // Stable, so that nothing is on its way that was decided on what stood before.
    for offset in try consumer.committed(partitions, timeoutMilliseconds: Self.timeout).values {
      named.formUnion(Position(offset: offset.offset, metadata: offset.metadata).active.versions)
    }
    let topics = StateTopics(group: settings.group, source: plan.source.topic)
    let reader = KafkaSnapshotReader(settings: settings, topics: topics)
    do throws(SnapshotFailure) {
      // Where something stays hidden for long, nothing is known for now, and nothing is removed.
      let began = ContinuousClock.now
      let markers = try reader.lastMarkers(
        of: partitions.map { PartitionID($0.topic, $0.partition) },
        isCancelled: { began.duration(to: .now) > .milliseconds(Int(Self.timeout)) })
      for marker in markers.values { named.formUnion(marker.marker.ledger?.versions ?? []) }
    } catch {
      throw KafkaError(code: .fatal, message: "reading the last snapshots: \(error)")
    }
    return named
  }
}
