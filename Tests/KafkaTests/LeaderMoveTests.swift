import Kafka
import Testing

/// A partition's leader moves between two questions.
@Suite struct LeaderMoveTests {
  @Test func offsetsAreAskedOfTheNewLeader() throws {
    let broker = try EmbeddedBroker(brokers: 2)
    try broker.createTopic("t", partitions: 1, replication: 2)
    let place = TopicPartition("t", 0)
    broker.setLeader(place, broker: 1)
    let consumer = try KafkaConsumer(broker.configuration.merging(["group.id": "g"]))
    let empty = WatermarkOffsets(low: 0, high: 0)
    #expect(try consumer.watermarkOffsets(place, timeoutMilliseconds: 10_000) == empty)
    broker.setLeader(place, broker: 2)
    #expect(try consumer.watermarkOffsets(place, timeoutMilliseconds: 10_000) == empty)
    broker.setLeader(place, broker: -1)
    do throws(KafkaError) {
      let found = try consumer.watermarkOffsets(place, timeoutMilliseconds: 300)
      Issue.record("offsets of a partition without a leader: \(found)")
    } catch {
      #expect(error.class == .retriable, "\(error)")
    }
    broker.setLeader(place, broker: 1)
    #expect(try consumer.watermarkOffsets(place, timeoutMilliseconds: 10_000) == empty)
  }
}
