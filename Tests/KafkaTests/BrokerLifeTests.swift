import Kafka
import KafkaTestSupport
import Testing

/// A broker that hangs, dies and comes back: the clients live through it.
@Suite(.enabled(if: RealKafka.isStartable("BrokerLifeTests") && Kcat.isAvailable("BrokerLifeTests")))
struct BrokerLifeTests {
  @Test func clientsLiveThroughAPauseAndACrash() throws {
    let kafka = try RealKafka.own("life")
    defer { kafka.stop() }
    #expect(kafka.bootstrapServers != (try RealKafka.shared()).bootstrapServers)
    let topic = try kafka.makeTopic("life", partitions: 1)
    let producer = try KafkaProducer(kafka.configuration)
    try producer.write(["before"], to: topic)

    try kafka.pause()
    try producer.produce(topic: topic, partition: 0, key: nil, value: Array("paused".utf8))
    do throws(KafkaError) {
      try producer.flush(timeoutMilliseconds: 300)
      Issue.record("a paused broker has answered")
    } catch {
      #expect(error.code == .timedOut && error.class == .retriable, "\(error)")
    }
    try kafka.resume()
    try producer.flush(timeoutMilliseconds: 30_000)
    #expect(producer.pollDeliveries().allSatisfy { $0.error == nil })

    try kafka.kill()
    try producer.produce(topic: topic, partition: 0, key: nil, value: Array("dead".utf8))
    #expect(throws: KafkaError.self) { try producer.flush(timeoutMilliseconds: 300) }
    try kafka.restart()
    try producer.flush(timeoutMilliseconds: 60_000)
    #expect(producer.pollDeliveries().allSatisfy { $0.error == nil })
    #expect(try Kcat.values(topic, of: kafka) == ["before", "paused", "dead"])
    #expect(try Kcat.read(topic, of: kafka.bootstrapServers).map(\.offset) == [0, 1, 2])
  }
}
