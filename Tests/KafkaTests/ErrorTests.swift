import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// What goes wrong is told with its class and with what to do.
@Suite struct ErrorTests {
  @Test func aWrongPropertyIsNamedWithLibrdkafkasAnswer() {
    for (name, value) in [("bootstrap.serverz", "x"), ("acks", "many"), ("security.protocol", "carrier-pigeon")] {
      do throws(KafkaError) {
        _ = try KafkaProducer([name: value])
        Issue.record("\(name)=\(value) was taken")
      } catch {
        #expect(error.class == .configuration && error.property == name)
        #expect(
          error.message.hasPrefix("Kafka property \(name): ") && error.message.count > name.count + 20, "\(error)")
      }
      #expect(throws: KafkaError.self) { try KafkaConfiguration([name: value]).validate(as: .producer) }
    }
    // Together wrong, each by itself right.
    #expect(throws: KafkaError.self) {
      try KafkaConfiguration(["message.timeout.ms": "50", "linger.ms": "1000"]).validate(as: .producer)
    }
    #expect(throws: Never.self) { try KafkaConfiguration(["linger.ms": "5"]).validate(as: .producer) }
  }

  @Test func allWrongPropertiesAreNamedAtOnce() {
    let faults = KafkaConfiguration([
      "bootstrap.serverz": "x", "acks": "many", "client.id": "c", "linger.ms": "-5", "log_cb": "x",
    ]).faults
    #expect(faults.map(\.property) == ["acks", "bootstrap.serverz", "linger.ms", "log_cb"])
    #expect(faults.map(\.isUnknown) == [false, true, false, false])
    for fault in faults { #expect(fault.answer.contains("\"") && !fault.answer.contains("\n"), "\(fault)") }
    #expect(KafkaConfiguration(["acks": "all", "partitioner": "murmur2"]).faults == [])
  }

  /// Aliases and properties of topics are among them, and each can be set.
  @Test func theNamesOfProperties() {
    let names = KafkaConfiguration.propertyNames
    for name in ["bootstrap.servers", "sasl.password", "fetch.wait.max.ms", "acks", "compression.type", "group.id"] {
      #expect(names.contains(name), "\(name)")
    }
    #expect(!names.contains("log_cb") && !names.contains("Property") && names.count > 100)
    for name in names {
      #expect(KafkaConfiguration([name: "x"]).faults.allSatisfy { !$0.isUnknown }, "\(name)")
    }
  }

  @Test func aBrokerThatIsAwayIsRetriable() throws {
    let away: KafkaConfiguration = ["bootstrap.servers": "127.0.0.1:1", "socket.connection.setup.timeout.ms": "1000"]
    do throws(KafkaError) {
      _ = try KafkaAdmin(away).describeTopic("t", timeoutMilliseconds: 700)
      Issue.record("nobody answers there")
    } catch {
      #expect(error.class == .retriable && error.advice != nil, "\(error)")
    }
    let producer = try KafkaProducer(away.merging(["message.timeout.ms": "600"]))
    try producer.produce(topic: "t", key: nil, value: [1])
    var deliveries: [DeliveryResult] = []
    for _ in 0..<50 where deliveries.isEmpty { deliveries = producer.pollDeliveries(timeoutMilliseconds: 200) }
    #expect(deliveries.first?.error?.code == .messageTimedOut && deliveries.first?.error?.class == .retriable)
    let notices = producer.takeNotices()
    #expect(
      notices.contains { notice in
        if case .error(let error) = notice { error.class == .retriable } else { false }
      })
  }

  @Test(.enabled(if: RealKafka.isAvailable("ErrorTests.aRecordThatIsTooLargeCanNeverBeWritten")))
  func aRecordThatIsTooLargeCanNeverBeWritten() throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("large", partitions: 1, configuration: ["max.message.bytes": "2000"])
    let producer = try KafkaProducer(kafka.configuration)
    try producer.produce(topic: topic, partition: 0, key: nil, value: [UInt8](repeating: 7, count: 5_000), opaque: 1)
    try producer.flush(timeoutMilliseconds: 20_000)
    let error = try #require(producer.pollDeliveries().first?.error)
    #expect(error.isUnwritableRecord && error.code == .messageTooLarge && error.class == .refused, "\(error)")
    #expect(error.advice?.contains("max.message.bytes") == true)
    // Above the client's own bound it is refused at once.
    let small = try KafkaProducer(kafka.configuration.merging(["message.max.bytes": "2000"]))
    do throws(KafkaError) {
      try small.produce(topic: topic, partition: 0, key: nil, value: [UInt8](repeating: 7, count: 5_000))
      Issue.record("a record above message.max.bytes was taken")
    } catch {
      #expect(error.isUnwritableRecord, "\(error)")
    }
    // The producer goes on.
    try producer.write(["small"], to: topic)
  }

  @Test(.enabled(if: RealKafka.isAvailable("ErrorTests.aCompactedTopicTakesNoRecordWithoutAKey")))
  func aCompactedTopicTakesNoRecordWithoutAKey() throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("compact", partitions: 1, configuration: ["cleanup.policy": "compact"])
    let producer = try KafkaProducer(kafka.configuration)
    try producer.produce(topic: topic, partition: 0, key: nil, value: [1])
    try producer.flush(timeoutMilliseconds: 20_000)
    let error = try #require(producer.pollDeliveries().first?.error)
    #expect(error.isUnwritableRecord && error.code == .invalidRecord, "\(error)")
  }

  @Test(.enabled(if: RealKafka.isAvailable("ErrorTests.anUnknownTopicOrPartitionIsTold")))
  func anUnknownTopicOrPartitionIsTold() async throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("narrow", partitions: 1)
    let producer = try KafkaProducer(kafka.configuration)
    try producer.write(["x"], to: topic)
    do throws(KafkaError) {
      try producer.produce(topic: topic, partition: 7, key: nil, value: [1])
      try producer.flush(timeoutMilliseconds: 20_000)
      let error = producer.pollDeliveries().first?.error
      #expect(error?.isUnknownTopic == true, "\(String(describing: error))")
    } catch {
      #expect(error.isUnknownTopic, "\(error)")
    }
    let member = try Member(
      kafka.configuration, group: RealKafka.uniqueName("g"), topic: RealKafka.uniqueName("nowhere"),
      ["allow.auto.create.topics": "false"])
    #expect(await eventually { member.errors.contains { $0.isUnknownTopic && $0.class == .configuration } })
    #expect(member.errors.first { $0.isUnknownTopic }?.advice?.contains("create the topic") == true)
    await member.leave()
    let reader = try KafkaReader(kafka.configuration)
    #expect(
      try reader.read(TopicPartition(topic, 9), offset: 0, timeoutMilliseconds: 3_000)
        == .notAvailable(.noSuchPartition))
  }
}

/// The listener that asks for a password, and permissions.
@Suite(
  .enabled(if: RealKafka.isSecureAvailable("SecurityTests") && RealKafka.isStartable("SecurityTests", version: "3.9.2"))
)
struct SecurityTests {
  private func failure(_ configuration: KafkaConfiguration) throws -> KafkaError? {
    let admin = try KafkaAdmin(configuration)
    do throws(KafkaError) {
      _ = try admin.describeTopic("t", timeoutMilliseconds: 5_000)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: RealKafka.versions)
  func aWrongPasswordIsTold(_ version: String) throws {
    let kafka = try RealKafka.shared(version: version)
    let configuration = try #require(kafka.secureConfiguration(password: "wrong"))
    let error = try #require(try failure(configuration))
    #expect(error.isLogin && error.class == .retriable, "\(error)")
    #expect(error.advice?.contains("sasl.password") == true, "\(error)")
  }

  @Test func theRightPasswordIsLetIn() throws {
    let kafka = try RealKafka.shared(version: "3.9.2")
    let configuration = try #require(kafka.secureConfiguration())
    let error = try failure(configuration)
    #expect(error == nil)
  }

  /// librdkafka before 2.6.1 can't log in to Kafka 4 with SCRAM; the advice says so, and only then.
  @Test func whatThisLibrdkafkaCannotDoIsSaid() throws {
    let kafka = try RealKafka.shared()
    let configuration = try #require(kafka.secureConfiguration())
    let error = try failure(configuration)
    if KafkaLibrary.versionNumber >= 0x0206_01ff {
      #expect(error == nil)
    } else {
      #expect(error?.isLogin == true)
      #expect(error?.advice?.contains("2.6.1") == true, "\(String(describing: error))")
    }
  }

  @Test func anUnknownAuthorityIsTold() throws {
    let kafka = try RealKafka.shared(version: "3.9.2")
    var configuration = try #require(kafka.secureConfiguration())
    configuration["ssl.ca.location"] = "/etc/ssl/certs/ca-certificates.crt"
    guard FileManager.default.fileExists(atPath: "/etc/ssl/certs/ca-certificates.crt") else { return }
    let error = try #require(try failure(configuration))
    #expect(error.isLogin && error.advice?.contains("ssl.ca.location") == true, "\(error)")
  }

  @Test func whatIsNotAllowedIsTold() async throws {
    let kafka = try RealKafka.shared(version: "3.9.2")
    let topic = try kafka.makeTopic("denied", partitions: 1)
    let group = RealKafka.uniqueName("denied")
    let id = RealKafka.uniqueName("denied")
    let secure = try #require(kafka.secureConfiguration())
    try kafka.deny("Write", ["--topic", topic, "--transactional-id", id])
    try kafka.deny("Read", ["--group", group])

    let producer = try KafkaProducer(secure)
    try producer.produce(topic: topic, partition: 0, key: nil, value: [1])
    try producer.flush(timeoutMilliseconds: 20_000)
    let refused = try #require(producer.pollDeliveries().first?.error)
    #expect(refused.isPermission && refused.code == .topicAuthorizationFailed, "\(refused)")
    #expect(refused.class == .configuration && refused.advice?.contains("WRITE") == true)

    let transactional = try KafkaProducer(secure.merging(["transactional.id": id]))
    do throws(KafkaError) {
      try transactional.initTransactions(timeoutMilliseconds: 20_000)
      Issue.record("the transactional id is denied")
    } catch {
      #expect(error.code == .transactionalIDAuthorizationFailed && error.isPermission, "\(error)")
    }

    let member = try Member(secure, group: group, topic: topic)
    #expect(await eventually { member.errors.contains { $0.code == .groupAuthorizationFailed } })
    #expect(member.errors.first { $0.isPermission }?.advice?.contains("consumer group") == true)
    await member.leave()
  }

  /// librdkafka 2.14 ends its handle of a broker that leaves the cluster, and says so of what was asked of it.
  @Test func aBrokerThatLeavesTheClusterEndsNoClient() {
    #expect(KafkaError(code: KafkaErrorCode(rawValue: -137), message: "").class == .retriable)
  }
}
