import Dispatch
import Kafka
import Synchronization

/// One partition, read without joining a group.
final class GrouplessReader {
  let consumer: KafkaConsumer
  let queue: PartitionQueue
  private let readable: DispatchSemaphore

  init(_ configuration: KafkaConfiguration, _ partition: TopicPartition, from offset: Int64 = 0) throws {
    consumer = try KafkaConsumer(
      ["group.id": "reader", "auto.offset.reset": "error", "enable.auto.commit": "false"]
        .merging(configuration.properties) { $1 }.configuration)
    let readable = DispatchSemaphore(value: 0)
    self.readable = readable
    queue = try consumer.partitionQueue(partition) { readable.signal() }
    try consumer.assign([TopicPartitionOffset(partition, offset: offset)])
  }

  /// Waits for the queue's wake-up; bounded, so that a lost one fails the test instead of hanging it.
  func waitUntilReadable() { _ = readable.wait(timeout: .now() + 10) }

  /// Records that went to the control queue although the partition has one of its own.
  func strayRecords() -> Int {
    var strays = 0
    while let event = consumer.poll(timeoutMilliseconds: 20) {
      if case .strayRecord = event { strays += 1 }
    }
    return strays
  }
}

extension [String: String] {
  var configuration: KafkaConfiguration { KafkaConfiguration(self) }
}

/// The first `count` records of a partition; fewer where they do not come in time.
func readAll(
  _ configuration: KafkaConfiguration, _ partition: TopicPartition, count: Int
) throws -> [KafkaRecord] {
  let reader = try GrouplessReader(configuration, partition)
  var records: [KafkaRecord] = []
  let deadline = ContinuousClock.now + .seconds(20)
  while records.count < count, ContinuousClock.now < deadline {
    let pulled = reader.queue.pull(max: 100) { records.append(KafkaRecord($0)) }
    if pulled.isDrained, records.count < count { reader.waitUntilReadable() }
  }
  return records
}
