import Foundation
import Kafka

/// Shows the alerts of a topic as they come: one line each.
final class AlertPrinter: @unchecked Sendable {
  // Unchecked: `poll` and `finish` are called one after the other, never at once.
  /// Alerts that are shown in full; the rest are counted.
  private static let linesMax = 60
  /// Seconds that the last alerts are waited for.
  private static let patience = 10

  private let configuration: KafkaConfiguration
  private let topic: String
  private let partitions: Int
  private var reader: (consumer: KafkaConsumer, queues: [PartitionQueue])?
  private var count: Int64 = 0
  private var shown = 0

  init(_ configuration: KafkaConfiguration, topic: String, partitions: Int) {
    self.configuration = configuration
    self.topic = topic
    self.partitions = partitions
  }

  /// Shows what has come since the last call.
  func poll() { try? read() }

  /// Shows the rest, until as many have come as were written.
  func finish(expecting expected: Int64) throws {
    let deadline = ContinuousClock.now + .seconds(Self.patience)
    while count < expected, ContinuousClock.now < deadline {
      try read()
      usleep(20_000)
    }
    if count > shown { print("… and \(count - Int64(shown)) more in topic `\(topic)`") }
  }

  private func read() throws {
    let reader = try self.reader ?? open()
    self.reader = reader
    while reader.consumer.poll(timeoutMilliseconds: 0) != nil {}
    for queue in reader.queues {
      _ = queue.pull(max: 1_000) { message in
        if let value = message.value { show(Data(value)) }
      }
    }
  }

  private func open() throws -> (consumer: KafkaConsumer, queues: [PartitionQueue]) {
    let consumer = try KafkaConsumer(
      configuration.merging(["group.id": "tocsin-demo-reader", "enable.auto.commit": "false"]))
    let all = (0..<Int32(partitions)).map { TopicPartition(topic, $0) }
    let queues = try all.map { try consumer.partitionQueue($0) {} }
    try consumer.assign(all.map { TopicPartitionOffset($0, offset: TopicPartitionOffset.beginning) })
    return (consumer, queues)
  }

  private func show(_ json: Data) {
    count += 1
    guard shown < Self.linesMax, let alert = try? JSONDecoder().decode(Alert.self, from: json) else { return }
    // What a person watches for is what begins; updates and ends are in the topic.
    guard alert.activity_name == "Create" else { return }
    shown += 1
    print("\(alert.severity.uppercased())  \(alert.finding_info.title): \(alert.message)")
  }

  /// The members that are shown, by their names in the alert.
  private struct Alert: Decodable {
    struct Finding: Decodable { var title: String }
    var activity_name: String
    var severity: String
    var message: String
    var finding_info: Finding
  }
}
