public import Kafka
public import Pipeline

/// The properties of the clients of a pipeline: what the user says, what is promised over it, and defaults under it.
public struct ClientSettings: Sendable, Hashable {
  /// The consumer's properties.
  public var consumer: KafkaConfiguration
  /// The producer's properties.
  public var producer: KafkaConfiguration
  /// The consumer group.
  public var group: String
  /// The producer's transactional id.
  public var transactionalID: String
  /// Milliseconds after which the broker ends a transaction that its producer has left open.
  public var transactionTimeout: Int64
  /// The properties of the producer that writes snapshots.
  public var stateProducer: KafkaConfiguration
  /// The properties of the readers of snapshots.
  public var stateReader: KafkaConfiguration
  /// The transactional id of the producer that writes snapshots.
  public var stateTransactionalID: String { "\(transactionalID)-state" }
  /// The member's name, by which a restart gets its partitions back; nil: it has none, and its group misses it at once.
  public var memberName: String? { consumer["group.instance.id"] }

  /// Milliseconds that the transaction of one snapshot may take.
  static let stateTransactionTimeout: Int64 = 60_000

  /// Properties that hold whatever the user says, because the promise rests on them.
  private static let fixedForConsumer = [
    "enable.auto.commit": "false", "enable.auto.offset.store": "false", "auto.offset.reset": "error",
    "isolation.level": "read_committed", "allow.auto.create.topics": "false",
    "enable.partition.eof": "true",
  ]

  /// Defaults that the user may change. The queue's bounds count for each partition: they keep four of them under 100 MB.
  /// Fetches are small, because their buffers lie among librdkafka's small objects until every record of them is used up.
  private static let consumerDefaults = [
    "partition.assignment.strategy": "cooperative-sticky", "queued.min.messages": "10000",
    "queued.max.messages.kbytes": "6144", "max.partition.fetch.bytes": "262144", "fetch.wait.max.ms": "100",
  ]

  private static let producerDefaults = ["transaction.timeout.ms": "10000", "linger.ms": "0"]

  /// - Parameters:
  ///   - properties: the user's, by librdkafka's names, for both clients.
  ///   - instance: this process's stable name; the transactional id is the group's name and this.
  public init(plan: PipelinePlan, properties: [String: String], instance: String) {
    let name = properties["client.id"] ?? "tocsin-\(plan.name)"
    group = properties["group.id"] ?? plan.name
    // By the group, as all else that is ours: two groups of one pipeline are two applications.
    transactionalID = "\(group)-\(instance)"
    let common = properties.merging(["client.id": name]) { $1 }
    var consumerDefaults = Self.consumerDefaults
    // Since librdkafka 2.2 a full queue need not cost a second's pause.
    if KafkaLibrary.versionNumber >= 0x0202_00ff { consumerDefaults["fetch.queue.backoff.ms"] = "10" }
    var forced = Self.fixedForConsumer
    forced["group.id"] = group
    // A member of a name: a restart within the session time-out moves nothing. An empty name is none.
    consumerDefaults["group.instance.id"] = transactionalID
    let isNameless = properties["group.instance.id"]?.isEmpty ?? false
    consumer = KafkaConfiguration(
      consumerDefaults.merging(common) { $1 }.merging(forced) { $1 }.filter {
        !Self.producerOnly.contains($0.key) && !(isNameless && $0.key == "group.instance.id")
      })
    var ours = Self.producerDefaults.merging(common) { $1 }
    ours["enable.idempotence"] = "true"
    if plan.delivery == .exactlyOnce { ours["transactional.id"] = transactionalID }
    producer = KafkaConfiguration(ours.filter { !Self.consumerOnly.contains($0.key) })
    transactionTimeout = ours["transaction.timeout.ms"].flatMap { Int64($0) } ?? 60_000
    stateProducer = KafkaConfiguration(
      ours.merging(Self.fixedForState) { $1 }.merging(["transactional.id": "\(transactionalID)-state"]) { $1 }.filter {
        !Self.consumerOnly.contains($0.key)
      })
    stateReader = KafkaConfiguration(
      common.merging(Self.fixedForStateReader) { $1 }.filter {
        !Self.producerOnly.contains($0.key) && !Self.groupOnly.contains($0.key)
      })
  }

  /// A cut may have many records; what waits of them is bounded.
  private static let fixedForState = [
    "transaction.timeout.ms": "\(stateTransactionTimeout)", "linger.ms": "10",
    "message.max.bytes": "\(StateTopics.recordBytesMax)", "queue.buffering.max.messages": "100000",
    "queue.buffering.max.kbytes": "65536",
  ]

  private static let fixedForStateReader = [
    "isolation.level": "read_committed", "allow.auto.create.topics": "false", "fetch.wait.max.ms": "100",
    "queued.min.messages": "20000", "queued.max.messages.kbytes": "16384",
  ]

  /// Properties of members of a group.
  private static let groupOnly: Set<String> = [
    "group.id", "group.instance.id", "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms",
    "partition.assignment.strategy",
  ]

  /// Properties of one kind of client, which the other would only log a warning about.
  private static let producerOnly: Set<String> = [
    "transaction.timeout.ms", "transactional.id", "linger.ms", "queue.buffering.max.ms", "batch.size",
    "batch.num.messages", "compression.type", "compression.codec", "compression.level", "acks",
    "request.required.acks", "queue.buffering.max.messages", "queue.buffering.max.kbytes", "enable.idempotence",
    "delivery.timeout.ms", "message.timeout.ms", "retries", "message.send.max.retries", "partitioner",
  ]

  private static let consumerOnly: Set<String> = [
    "group.id", "group.instance.id", "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms",
    "partition.assignment.strategy", "queued.min.messages", "queued.max.messages.kbytes", "fetch.wait.max.ms",
    "fetch.queue.backoff.ms", "fetch.message.max.bytes", "max.partition.fetch.bytes", "fetch.max.bytes",
    "fetch.min.bytes", "fetch.error.backoff.ms", "check.crcs", "enable.partition.eof",
  ]

  /// Asks librdkafka whether it takes the properties.
  public func validate() throws(PipelineFailure) {
    do throws(KafkaError) {
      try consumer.validate(as: .consumer)
      try producer.validate(as: .producer)
      try stateProducer.validate(as: .producer)
    } catch {
      throw PipelineFailure(.configuration, "\(error)")
    }
  }
}

extension PipelineFailure {
  /// What a Kafka error means for the process.
  public init(_ error: KafkaError) {
    let kind: Kind =
      if error.isFenced {
        .fenced
      } else if error.class == .configuration || error.isLogin {
        .configuration
      } else if error.class == .retriable {
        .unreachable
      } else {
        .fatal
      }
    self.init(kind, "\(error)")
  }
}
