import Kafka
import KafkaTestSupport
import Testing

@Suite(.enabled(if: RealKafka.isAvailable("AdminTests")))
struct AdminTests {
  private static let limit: Int32 = 20_000

  @Test func topicsAreMadeDescribedAndDeleted() async throws {
    let kafka = try RealKafka.shared()
    let admin = try KafkaAdmin(kafka.configuration)
    let name = RealKafka.uniqueName("admin")
    #expect(try admin.describeTopic(name, timeoutMilliseconds: Self.limit) == .missing)
    #expect(try admin.topicConfiguration(name, timeoutMilliseconds: Self.limit) == nil)
    let topic = NewTopic(
      name, partitions: 3, replication: 1, configuration: ["cleanup.policy": "compact", "max.message.bytes": "1234567"])
    #expect(try admin.createTopics([topic], timeoutMilliseconds: Self.limit) == [:])
    var found: TopicDescription?
    #expect(
      await eventually {
        if case .found(let description)? = try? admin.describeTopic(name, timeoutMilliseconds: Self.limit) {
          found = description
        }
        return found?.partitions.allSatisfy { $0.leader != nil } == true
      })
    let description = try #require(found)
    #expect(description.name == name && description.partitions.map(\.number) == [0, 1, 2])
    #expect(description.partitions.allSatisfy { $0.replicas.count == 1 && $0.inSyncReplicas == $0.replicas })
    let settings = try #require(try admin.topicConfiguration(name, timeoutMilliseconds: Self.limit))
    #expect(settings["cleanup.policy"] == "compact" && settings["max.message.bytes"] == "1234567")
    #expect(try admin.listTopics(timeoutMilliseconds: Self.limit).contains { $0.name == name })

    let again = try admin.createTopics([topic], timeoutMilliseconds: Self.limit)
    #expect(again[name]?.code == .topicAlreadyExists)
    #expect(try admin.deleteTopics([name], timeoutMilliseconds: Self.limit) == [:])
    #expect(await eventually { (try? admin.describeTopic(name, timeoutMilliseconds: Self.limit)) == .missing })
    let gone = try admin.deleteTopics([name], timeoutMilliseconds: Self.limit)
    #expect(gone[name]?.isUnknownTopic == true)
  }

  @Test func eachTopicHasAnErrorOfItsOwn() throws {
    let kafka = try RealKafka.shared()
    let admin = try KafkaAdmin(kafka.configuration)
    let good = RealKafka.uniqueName("good")
    let wide = RealKafka.uniqueName("wide")
    let odd = RealKafka.uniqueName("odd")
    let errors = try admin.createTopics(
      [
        NewTopic(good, partitions: 1), NewTopic("not a name!", partitions: 1),
        NewTopic(wide, partitions: 1, replication: 99),
        NewTopic(odd, partitions: 1, configuration: ["retention.ms": "soon"]),
      ], timeoutMilliseconds: Self.limit)
    #expect(Set(errors.keys) == ["not a name!", wide, odd])
    #expect(errors["not a name!"]?.code == .invalidTopic && errors[wide]?.code == .invalidReplicationFactor)
    #expect(errors[odd]?.code == .invalidConfig && errors[odd]?.class == .configuration)
    #expect(errors[odd]?.message.contains("retention.ms") == true)
  }

  @Test func offsetsOfAPartitionAreTold() async throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("offsets", partitions: 2)
    let consumer = try KafkaConsumer(kafka.configuration.merging(["group.id": RealKafka.uniqueName("g")]))
    let place = TopicPartition(topic, 0)
    // A leader may not know of its new partition yet.
    let empty = WatermarkOffsets(low: 0, high: 0)
    #expect(await eventually { (try? consumer.watermarkOffsets(place, timeoutMilliseconds: Self.limit)) == empty })
    let producer = try KafkaProducer(kafka.configuration)
    for index in 0..<10 {
      try producer.produce(
        topic: topic, partition: 0, key: nil, value: [1], timestamp: 1_700_000_000_000 + Int64(index) * 1_000)
    }
    try producer.flush(timeoutMilliseconds: Self.limit)
    #expect(
      try consumer.watermarkOffsets(place, timeoutMilliseconds: Self.limit) == WatermarkOffsets(low: 0, high: 10))
    let byTime = try consumer.offsetsForTimes(
      [place: 1_700_000_003_500, TopicPartition(topic, 1): 0], timeoutMilliseconds: Self.limit)
    #expect(byTime[place] == .some(4) && byTime[TopicPartition(topic, 1)] == .some(nil))
    try KafkaAdmin(kafka.configuration).deleteRecords(
      before: [TopicPartitionOffset(place, offset: 6)], timeoutMilliseconds: Self.limit)
    #expect(
      try consumer.watermarkOffsets(place, timeoutMilliseconds: Self.limit) == WatermarkOffsets(low: 6, high: 10))

    let reader = try KafkaReader(kafka.configuration)
    #expect(try reader.read(place, offset: 2, timeoutMilliseconds: Self.limit) == .notAvailable(.outOfRange))
    #expect(try reader.read(place, offset: 10, timeoutMilliseconds: Self.limit) == .notAvailable(.notWritten))
    guard case .record(let record) = try reader.read(place, offset: 7, timeoutMilliseconds: Self.limit) else {
      Issue.record("the record at 7 is there")
      return
    }
    #expect(record.offset == 7 && record.timestamp == 1_700_000_007_000)
  }

  @Test func offsetsAreCommittedWithTheirMetadata() async throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("commit", partitions: 2)
    let member = try Member(kafka.configuration, group: RealKafka.uniqueName("g"), topic: topic)
    #expect(await eventually { member.held.count == 2 })
    let place = TopicPartition(topic, 1)
    try member.consumer.commit([TopicPartitionOffset(place, offset: 3, metadata: "{\"replay\":1}")])
    #expect(
      try member.consumer.committed([place, TopicPartition(topic, 0)], timeoutMilliseconds: Self.limit)
        == [place: CommittedOffset(offset: 3, metadata: "{\"replay\":1}")])
    let long = String(repeating: "m", count: 5_000)
    do throws(KafkaError) {
      try member.consumer.commit([TopicPartitionOffset(place, offset: 4, metadata: long)])
      Issue.record("metadata beyond the broker's bound was taken")
    } catch {
      #expect(error.code == .offsetMetadataTooLarge && error.advice != nil, "\(error)")
    }
    await member.leave()
  }
}
