import Foundation
import Kafka
import Testing

/// librdkafka's call that does not keep its time limit is given up.
@Suite struct GuardedCallTests {
  @Test func offsetsForACoordinatorThatIsAwayAreGivenUp() async throws {
    let broker = try EmbeddedBroker(brokers: 2, topics: ["in": 1])
    broker.setCoordinator(ofTransactionalID: "x", broker: 1)
    broker.setCoordinator(ofGroup: "g", broker: 2)
    let member = try Member(broker.configuration, group: "g", topic: "in")
    for _ in 0..<1_500 where member.held.isEmpty { usleep(20_000) }
    let group = try #require(member.consumer.groupMetadata())
    let producer = try KafkaProducer(broker.configuration.merging(["transactional.id": "x"]))
    try producer.initTransactions(timeoutMilliseconds: 10_000)
    try producer.beginTransaction()
    broker.setBroker(2, isUp: false)
    let offsets = [TopicPartitionOffset("in", 0, offset: 1)]
    do throws(KafkaError) {
      try producer.sendOffsets(offsets, group: group, timeoutMilliseconds: 300, patienceMilliseconds: 700)
      Issue.record("offsets were taken by a coordinator that is away")
    } catch {
      // Either librdkafka keeps its limit (some day), or the call is given up.
      #expect(error.code == .timedOut, "\(error)")
    }
    // Ending the producer does not wait for the call, nor does it pull the ground from under it.
    producer.destroy()
    broker.setBroker(2, isUp: true)
    let next = try KafkaProducer(broker.configuration.merging(["transactional.id": "x"]))
    try next.initTransactions(timeoutMilliseconds: 10_000)
    try next.beginTransaction()
    try next.sendOffsets(offsets, group: group, timeoutMilliseconds: 10_000)
    next.destroy()
    await member.leave()
  }
}
