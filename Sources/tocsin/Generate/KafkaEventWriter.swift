import Kafka

/// Events into a topic: idempotent, in big batches, each into the partition that its key was given.
struct KafkaEventWriter: EventWriter {
  /// Records that wait in librdkafka at most; with their bytes about 150 MB.
  private static let queueRecords = 400_000
  /// Milliseconds that a record is tried for.
  private static let deliveryMilliseconds = 120_000
  /// Records between two collections of outcomes.
  private static let collectEvery = 4_096

  private let producer: KafkaProducer
  private let topic: String
  /// Whether the offsets have to be those of a topic that was empty before.
  private let checksOffsets: Bool
  private var sinceCollected = 0

  /// - Parameter configuration: where Kafka is, and what the user set; it goes before the writer's own settings.
  init(_ configuration: KafkaConfiguration, topic: String, checksOffsets: Bool) throws(GenerateError) {
    let own = KafkaConfiguration([
      "linger.ms": "50", "batch.size": "1000000", "batch.num.messages": "10000",
      "queue.buffering.max.messages": "\(Self.queueRecords)", "queue.buffering.max.kbytes": "131072",
      "delivery.timeout.ms": "\(Self.deliveryMilliseconds)",
    ])
    producer = try GenerateError.asKafka { () throws(KafkaError) in
      try KafkaProducer(own.merging(configuration.properties))
    }
    self.topic = topic
    self.checksOffsets = checksOffsets
  }

  mutating func write(_ event: GeneratedEvent) throws(GenerateError) {
    while true {
      do throws(KafkaError) {
        try producer.produce(
          topic: topic, partition: event.partition, key: event.key, value: event.value, opaque: UInt(event.offset))
        break
      } catch {
        guard error.code == .queueFull else { throw .kafka(error) }
        try collect(waitMilliseconds: 20)
      }
    }
    sinceCollected += 1
    if sinceCollected == Self.collectEvery { try collect(waitMilliseconds: 0) }
  }

  mutating func finish() throws(GenerateError) {
    // Records end by themselves, delivered or timed out, so this does too.
    while producer.outstanding > 0 { try collect(waitMilliseconds: 100) }
    try collect(waitMilliseconds: 0)
  }

  private mutating func collect(waitMilliseconds: Int32) throws(GenerateError) {
    sinceCollected = 0
    for delivery in producer.pollDeliveries(timeoutMilliseconds: waitMilliseconds) {
      if let error = delivery.error { throw .kafka(cause() ?? error) }
      if checksOffsets && delivery.offset >= 0 && delivery.offset != Int64(delivery.opaque) {
        throw .topic(
          "the topic \(topic) was not empty: the record meant for offset \(delivery.opaque) of partition "
            + "\(delivery.partition) got \(delivery.offset), so the truth would be wrong; use a fresh topic")
      }
    }
    if let cause = cause() { throw .kafka(cause) }
  }

  /// An error that waiting does not mend, such as a wrong password.
  private func cause() -> KafkaError? {
    for case .error(let error) in producer.takeNotices() where error.class == .configuration || error.class == .fatal {
      return error
    }
    return nil
  }
}

/// Finds or makes the topic that events are written to.
enum GeneratedTopic {
  private static let timeoutMilliseconds: Int32 = 20_000

  /// Makes sure that the topic is there with so many partitions.
  ///
  /// - Parameters:
  ///   - partitions: how many it is made with.
  ///   - isExact: whether a topic that is there has to have as many.
  /// - Returns: how many it has.
  static func prepare(
    _ configuration: KafkaConfiguration, topic: String, partitions: Int, isExact: Bool, mayCreate: Bool
  ) throws(GenerateError) -> Int {
    let admin = try GenerateError.asKafka { () throws(KafkaError) in try KafkaAdmin(configuration) }
    let lookup = try GenerateError.asKafka { () throws(KafkaError) in
      try admin.describeTopic(topic, timeoutMilliseconds: timeoutMilliseconds)
    }
    if case .found(let found) = lookup {
      guard !isExact || found.partitions.count == partitions else {
        throw .topic(
          "the topic \(topic) has \(found.partitions.count) partitions, not \(partitions): leave out --partitions")
      }
      return found.partitions.count
    }
    guard mayCreate else { throw .topic("there is no topic \(topic): create it, or give --create-topic") }
    try GenerateError.asKafka { () throws(KafkaError) in
      let new = NewTopic(topic, partitions: partitions)
      if let error = try admin.createTopics([new], timeoutMilliseconds: timeoutMilliseconds)[topic] { throw error }
    }
    return partitions
  }
}
