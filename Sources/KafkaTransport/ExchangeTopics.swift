internal import Kafka
internal import Pipeline

/// The topics of exchanges: what they are made with, and what is wrong with those that are there.
enum ExchangeTopics {
  /// Most bytes of a block that the topic takes: one event may be as large as the source lets it.
  private static let messageBytesMax = 16 << 20

  /// No retention by time or size: what the tasks behind it have saved is deleted by them, by offset. Segments are small
  /// enough for that to free space.
  static let configuration = [
    "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "segment.bytes": "\(64 << 20)",
    "max.message.bytes": "\(messageBytesMax)",
  ]

  /// What is wrong with one that is there, in one line; nil: nothing.
  ///
  /// - Parameters:
  ///   - wanted: the number of partitions that the file gives, or that the source has; nil: any.
  ///   - configuration: its settings; nil: this user may not see them, and they are taken on trust.
  static func fault(
    _ exchange: ExchangePlan, partitions: Int, wanted: Int?, configuration: [String: String]?
  ) -> String? {
    if let wanted, partitions != wanted {
      return
        "the exchange topic \(exchange.topic) has \(partitions) partitions, and \(wanted) are asked for: with another "
        + "number, keys would move away from their state; set `exchange: { partitions: \(partitions) }`, or begin anew with "
        + "another `pipeline` name"
    }
    guard let configuration else { return nil }
    if let policy = configuration["cleanup.policy"], policy != "delete" {
      return
        "the exchange topic \(exchange.topic) has cleanup.policy=\(policy): compaction would take events away; set it "
        + "to `delete`"
    }
    for name in ["retention.ms", "retention.bytes"] {
      if let value = configuration[name], value != "-1" {
        return
          "the exchange topic \(exchange.topic) has \(name)=\(value): events would be deleted before they are read; set "
          + "it to -1, Tocsin deletes what it no longer needs"
      }
    }
    let least = ExchangeCounts.recordBytesMin
    if let value = configuration["max.message.bytes"].flatMap({ Int($0) }), value < least {
      return
        "the exchange topic \(exchange.topic) has max.message.bytes=\(value): blocks of events take up to \(least); set it to "
        + "\(messageBytesMax)"
    }
    return nil
  }

  /// What is wrong with the producer's own bound, in one line; nil: nothing.
  static func fault(inProducer configuration: KafkaConfiguration) -> String? {
    let least = ExchangeCounts.recordBytesMin
    guard let value = configuration["message.max.bytes"].flatMap({ Int($0) }), value < least else { return nil }
    return
      "librdkafka.message.max.bytes is \(value): blocks of events that cross an exchange take up to \(least); raise it"
  }
}
