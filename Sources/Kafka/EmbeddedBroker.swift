import CRdkafka

/// A Kafka of one or more brokers inside this process, for tests and first steps: librdkafka's mock cluster.
///
/// It knows producing, consuming, groups (a first join takes some three seconds) and the calls of transactions. It does
/// *not* know what makes transactions: no aborted data, no read_committed, no markers; nor compaction, permissions or
/// administration requests. Each partition keeps 5 MiB. Those need a real Kafka.
public final class EmbeddedBroker: @unchecked Sendable {
  private let handle: OpaquePointer
  private let cluster: OpaquePointer
  private let isStopped = Flag()
  /// What `bootstrap.servers` takes.
  public let bootstrapServers: String

  /// Starts brokers on free ports of the loopback address, with these topics (name to number of partitions). A topic
  /// that is asked for and not there is made, with four partitions.
  public init(brokers: Int = 1, topics: [String: Int] = [:]) throws(KafkaError) {
    let native = try NativeConfiguration(KafkaConfiguration())
    native.silence()
    handle = try native.makeHandle(RD_KAFKA_PRODUCER)
    guard let cluster = rd_kafka_mock_cluster_new(handle, Int32(brokers)) else {
      rd_kafka_destroy(handle)
      throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, "starting an embedded broker")
    }
    self.cluster = cluster
    bootstrapServers = rd_kafka_mock_cluster_bootstraps(cluster).map { String(cString: $0) } ?? ""
    for (topic, partitions) in topics { try createTopic(topic, partitions: partitions) }
  }

  deinit { stop() }

  /// The properties a client needs to find it.
  public var configuration: KafkaConfiguration { ["bootstrap.servers": bootstrapServers] }

  /// Makes a topic.
  public func createTopic(_ topic: String, partitions: Int, replication: Int = 1) throws(KafkaError) {
    try KafkaError.check(
      rd_kafka_mock_topic_create(cluster, topic, Int32(partitions), Int32(replication)), "creating topic \(topic)")
  }

  /// The next requests of this kind get these errors, one each, in order (`.none`: that one goes through).
  public func failNext(_ request: KafkaRequest, with errors: [KafkaErrorCode]) {
    let native = errors.map(\.native)
    rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, native.count, native)
  }

  /// Forgets the errors that are still to come for requests of this kind.
  public func clearFailures(_ request: KafkaRequest) {
    rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
  }

  /// Makes metadata requests answer with this error for the topic; `.none`: no longer.
  public func failTopic(_ topic: String, with error: KafkaErrorCode) {
    rd_kafka_mock_topic_set_error(cluster, topic, error.native)
  }

  /// Cuts a broker (from 1) off, or lets it come back.
  public func setBroker(_ broker: Int32, isUp: Bool) {
    _ = isUp ? rd_kafka_mock_broker_set_up(cluster, broker) : rd_kafka_mock_broker_set_down(cluster, broker)
  }

  /// Makes a broker's every answer take this long.
  public func setRoundTrip(_ broker: Int32, milliseconds: Int32) {
    _ = rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds)
  }

  /// Moves a partition's leadership to a broker; -1: nobody leads.
  public func setLeader(_ partition: TopicPartition, broker: Int32) {
    _ = rd_kafka_mock_partition_set_leader(cluster, partition.topic, partition.partition, broker)
  }

  /// Makes a broker (from 1) the coordinator of a group.
  public func setCoordinator(ofGroup group: String, broker: Int32) {
    _ = rd_kafka_mock_coordinator_set(cluster, "group", group, broker)
  }

  /// Makes a broker (from 1) the coordinator of a transactional id.
  public func setCoordinator(ofTransactionalID id: String, broker: Int32) {
    _ = rd_kafka_mock_coordinator_set(cluster, "transaction", id, broker)
  }

  /// Ends the brokers; their data is gone.
  public func stop() {
    guard isStopped.raise() else { return }
    rd_kafka_mock_cluster_destroy(cluster)
    rd_kafka_destroy(handle)
  }
}

/// Kinds of request by Kafka's number, for `EmbeddedBroker.failNext`.
public struct KafkaRequest: RawRepresentable, Hashable, Sendable {
  /// Kafka's `ApiKey`.
  public let rawValue: Int16

  /// The kind with this number.
  public init(rawValue: Int16) { self.rawValue = rawValue }

  /// Writing records.
  public static let produce = Self(rawValue: 0)
  /// Reading records.
  public static let fetch = Self(rawValue: 1)
  /// Asking for oldest and newest offsets.
  public static let listOffsets = Self(rawValue: 2)
  /// Asking for topics and brokers.
  public static let metadata = Self(rawValue: 3)
  /// Committing a group's offsets.
  public static let offsetCommit = Self(rawValue: 8)
  /// Asking for a group's offsets.
  public static let offsetFetch = Self(rawValue: 9)
  /// Asking who coordinates a group or a transaction.
  public static let findCoordinator = Self(rawValue: 10)
  /// Joining a group.
  public static let joinGroup = Self(rawValue: 11)
  /// Staying in a group.
  public static let heartbeat = Self(rawValue: 12)
  /// Taking a producer id.
  public static let initProducerID = Self(rawValue: 22)
  /// Putting partitions into a transaction.
  public static let addPartitionsToTransaction = Self(rawValue: 24)
  /// Putting a group into a transaction.
  public static let addOffsetsToTransaction = Self(rawValue: 25)
  /// Ending a transaction.
  public static let endTransaction = Self(rawValue: 26)
  /// Putting a group's offsets into a transaction.
  public static let transactionOffsetCommit = Self(rawValue: 28)
}
