import Kafka
import Testing

@Suite struct EmbeddedBrokerTests {
  @Test func recordsComeBackAsTheyWent() throws {
    let broker = try EmbeddedBroker(topics: ["t": 2])
    let producer = try KafkaProducer(broker.configuration)
    let headers = [KafkaHeader("a", "1"), KafkaHeader("a", nil), KafkaHeader("b", [])]
    try producer.produce(
      topic: "t", partition: 1, key: [1, 2], value: [3], headers: headers, timestamp: 1_700_000_000_000, opaque: 7)
    try producer.produce(topic: "t", partition: 1, key: nil, value: nil, opaque: 8)
    try producer.produce(topic: "t", partition: 1, key: [], value: [], opaque: 9)
    try producer.flush(timeoutMilliseconds: 10_000)
    let deliveries = producer.pollDeliveries()
    #expect(deliveries.map(\.opaque) == [7, 8, 9])
    #expect(deliveries.map(\.offset) == [0, 1, 2])
    #expect(deliveries.allSatisfy { $0.error == nil && $0.partition == 1 })

    let records = try readAll(broker.configuration, TopicPartition("t", 1), count: 3)
    #expect(records.map(\.offset) == [0, 1, 2])
    #expect(records[0].key == [1, 2])
    #expect(records[0].value == [3])
    #expect(records[0].timestamp == 1_700_000_000_000)
    #expect(records[0].headers == headers)
    #expect(records[1].key == nil && records[1].value == nil)
    #expect(records[2].key == [] && records[2].value == [])
    #expect(records[2].headers == [])
  }

  /// Pulls that stop short of the end, and the order of what they bring.
  @Test func pullHonoursItsBound() throws {
    let broker = try EmbeddedBroker(topics: ["t": 1])
    let producer = try KafkaProducer(broker.configuration)
    for index in 0..<1000 {
      try producer.produce(topic: "t", partition: 0, key: nil, value: Array("\(index)".utf8))
    }
    try producer.flush(timeoutMilliseconds: 10_000)
    let reader = try GrouplessReader(broker.configuration, TopicPartition("t", 0))
    var offsets: [Int64] = []
    let deadline = ContinuousClock.now + .seconds(20)
    while offsets.count < 1000, ContinuousClock.now < deadline {
      let before = offsets.count
      let pulled = reader.queue.pull(max: 7) { offsets.append($0.offset) }
      #expect(pulled.count == offsets.count - before)
      #expect(pulled.count <= 7)
      #expect(pulled.isDrained == (pulled.count < 7))
      #expect(pulled.notices.isEmpty)
      if pulled.isDrained { reader.waitUntilReadable() }
    }
    #expect(offsets == Array(0..<1000))
    #expect(reader.queue.nextOffset == 1000)
    #expect(reader.strayRecords() == 0)
  }

  @Test func injectedErrorsReachTheProducer() throws {
    let broker = try EmbeddedBroker(topics: ["t": 1])
    broker.failNext(.produce, with: [.messageTooLarge])
    let producer = try KafkaProducer(broker.configuration.merging(["enable.idempotence": "false"]))
    try producer.produce(topic: "t", partition: 0, key: nil, value: [1], opaque: 1)
    try producer.flush(timeoutMilliseconds: 10_000)
    let delivery = try #require(producer.pollDeliveries().first)
    #expect(delivery.error?.code == .messageTooLarge)
    #expect(delivery.error?.isUnwritableRecord == true)
    #expect(delivery.error?.code.name == "MSG_SIZE_TOO_LARGE")
  }

  @Test func aProducerIsDestroyedWithRecordsOnTheirWay() throws {
    let producer = try KafkaProducer(["bootstrap.servers": "127.0.0.1:1", "transactional.id": "x"])
    #expect(throws: KafkaError.self) { try producer.initTransactions(timeoutMilliseconds: 50) }
    producer.destroy()
    let plain = try KafkaProducer(["bootstrap.servers": "127.0.0.1:1"])
    try plain.produce(topic: "t", key: nil, value: [1])
    #expect(plain.outstanding >= 1, "the record, and what the client has to say of the broker that is not there")
    plain.destroy()
  }
}
