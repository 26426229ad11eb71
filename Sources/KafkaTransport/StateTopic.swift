internal import Kafka
internal import Pipeline

/// The topics that keep snapshots, partition for partition: `<group>.state` for the source's topic, `<topic>.state` for an
/// internal topic that is read like it. The group is the pipeline's name unless `group.id` is set, so that two groups of one
/// pipeline never share state.
struct StateTopics: Sendable, Hashable {
  let group: String
  let source: String

  /// The state topic of an input topic.
  func name(of input: String) -> String { "\(input == source ? group : input).state" }

  /// The partition that keeps the state of an input partition.
  func place(of partition: PartitionID) -> TopicPartition {
    TopicPartition(name(of: partition.topic), partition.number)
  }

  /// The largest record that the topic takes, in bytes: a piece of state is far smaller.
  static let recordBytesMax = 8 << 20

  /// The least that it may take: Kafka's own default.
  private static let recordBytesMin = 1_048_588
  /// Milliseconds for which tombstones stay at least: far longer than ten million keys take to be restored.
  private static let tombstoneMin = 600_000

  /// What it is made with. Compaction may begin once a tenth is outdated, in segments of 64 MiB or an hour, so that a restore
  /// reads little twice; tombstones stay for an hour, longer than a restore takes.
  static let configuration = [
    "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.bytes": "\(64 << 20)",
    "segment.ms": "3600000", "delete.retention.ms": "3600000", "max.message.bytes": "\(recordBytesMax)",
  ]

  /// What is wrong with one that is there, in one line; nil: nothing.
  ///
  /// - Parameter configuration: its settings; nil: this user may not see them, and they are taken on trust.
  static func fault(
    _ name: String, partitions: Int, configuration: [String: String]?, input: String, inputPartitions: Int
  ) -> String? {
    if partitions != inputPartitions {
      return "the state topic \(name) has \(partitions) partitions, and \(input) has \(inputPartitions): state is kept "
        + "partition for partition, and keys have moved; begin anew with another `pipeline` name (or group.id), or stop "
        + "every process, delete \(name) and reset the group's offsets"
    }
    guard let configuration else { return nil }
    if let policy = configuration["cleanup.policy"],
      policy.split(separator: ",").map({ $0.filter { $0 != " " } }) != ["compact"]
    {
      return
        "the state topic \(name) has cleanup.policy=\(policy): with anything but `compact` alone, state would be lost; "
        + "change it, or delete the topic and let Tocsin make it"
    }
    func least(_ setting: String, _ least: Int, _ why: String) -> String? {
      guard let value = configuration[setting].flatMap({ Int($0) }), value < least else { return nil }
      return "the state topic \(name) has \(setting)=\(value), less than \(least): \(why); raise it"
    }
    return least("max.message.bytes", recordBytesMin, "pieces of state would be refused")
      ?? least("delete.retention.ms", tombstoneMin, "what is gone would come back in a restore that takes longer")
  }
}
