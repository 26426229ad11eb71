import Foundation
import Kafka
import KafkaTestSupport
import Pipeline
import Testing

@testable import KafkaTransport

/// What saved state covers is deleted from the topics of exchanges, and from nowhere else.
@Suite(.serialized, .enabled(if: RealKafka.isAvailable("purging an exchange")))
struct ExchangePurgeTests {
  private static let file = """
    tocsin: 1
    pipeline: NAME
    sources:
      in:
        topic: NAME
        format: json
        key: from
        time: { field: ts }
        fields: { ts: { at: /ts, type: timestamp_ms }, from: { at: /from, type: string }, to: { at: /to, type: string } }
    rules: [{ id: a, by: to, per: 1h, let: { n: count() }, condition: n > 3 }]
    outputs: { alerts: { topic: NAME.alerts } }
    """

  @Test func onlyExchangesArePurged() throws {
    let kafka = try RealKafka.shared()
    let name = RealKafka.uniqueName("purged")
    let text = Self.file.replacing("NAME", with: name)
    let plan = try #require(PipelineFile.read(bytes: Array(text.utf8), path: "/p.yaml", environment: [:]).plan)
    let topology = Topology(plan)
    let exchange = try #require(topology.exchanges.first).topic
    let admin = try KafkaAdmin(kafka.configuration)
    let topics = [name, exchange].map { NewTopic($0, partitions: 1, configuration: ExchangeTopics.configuration) }
    #expect(try admin.createTopics(topics, timeoutMilliseconds: 20_000).isEmpty)
    let producer = try KafkaProducer(kafka.configuration)
    defer { producer.destroy() }
    for topic in [name, exchange] {
      for number in 0..<40 {
        try producer.produce(topic: topic, partition: 0, key: nil, value: [UInt8(number)])
      }
    }
    try producer.flush(timeoutMilliseconds: 20_000)
    let purge = ExchangePurge(kafka.configuration, topology)
    purge.saved(PartitionID(name, 0), at: 30)
    purge.saved(PartitionID(exchange, 0), at: 0)
    purge.saved(PartitionID(exchange, 0), at: 25)
    let reader = try KafkaReader(kafka.configuration)
    func oldest(_ topic: String) throws -> Int64 {
      try reader.watermarkOffsets(TopicPartition(topic, 0), timeoutMilliseconds: 10_000).low
    }
    let deadline = ContinuousClock.now + .seconds(30)
    while try oldest(exchange) == 0, ContinuousClock.now < deadline { usleep(100_000) }
    #expect(try oldest(exchange) == 25)
    #expect(try oldest(name) == 0)
    // What was made is found as it should be.
    let settings = try #require(try admin.topicConfiguration(exchange, timeoutMilliseconds: 10_000))
    let found = try #require(topology.exchanges.first)
    #expect(ExchangeTopics.fault(found, partitions: 1, wanted: 1, configuration: settings) == nil)
    #expect(ExchangeTopics.fault(found, partitions: 1, wanted: nil, configuration: nil) == nil)
    #expect(
      ExchangeTopics.fault(found, partitions: 1, wanted: 2, configuration: settings)?.contains("2 are asked") == true)
    let compacted = settings.merging(["cleanup.policy": "compact"]) { $1 }
    #expect(
      ExchangeTopics.fault(found, partitions: 1, wanted: 1, configuration: compacted)?.contains("compact") == true)
    let retained = settings.merging(["retention.ms": "604800000"]) { $1 }
    #expect(
      ExchangeTopics.fault(found, partitions: 1, wanted: 1, configuration: retained)?.contains("retention") == true)
  }
}
