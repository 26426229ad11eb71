import CRdkafka

/// A topic to be made.
public struct NewTopic: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// How many partitions.
  public var partitions: Int
  /// How many copies of each; nil: the broker's default.
  public var replication: Int?
  /// The topic's settings by Kafka's names, such as `cleanup.policy`.
  public var configuration: [String: String]

  /// A topic to be made.
  public init(
    _ name: String, partitions: Int, replication: Int? = nil, configuration: [String: String] = [:]
  ) {
    self.name = name
    self.partitions = partitions
    self.replication = replication
    self.configuration = configuration
  }
}

/// A topic as the brokers tell of it.
public struct TopicDescription: Sendable, Hashable {
  /// One partition.
  public struct Partition: Sendable, Hashable {
    /// Its number.
    public var number: Int32
    /// The node that leads it; nil: nobody does now.
    public var leader: Int32?
    /// The nodes that have a copy.
    public var replicas: [Int32]
    /// Those of them that are in step.
    public var inSyncReplicas: [Int32]
  }

  /// Its name.
  public var name: String
  /// Its partitions, by number.
  public var partitions: [Partition]
}

/// What came of asking for a topic.
public enum TopicLookup: Sendable, Hashable {
  /// It is there.
  case found(TopicDescription)
  /// No such topic (or none that this user may see: brokers do not tell the difference without the right to).
  case missing
}

extension KafkaAdmin {
  /// Looks a topic up; makes none.
  public func describeTopic(_ name: String, timeoutMilliseconds: Int32) throws(KafkaError) -> TopicLookup {
    guard let topic = rd_kafka_topic_new(handle, name, nil) else {
      throw KafkaError(rd_kafka_last_error(), "asking for topic \(name)")
    }
    defer { rd_kafka_topic_destroy(topic) }
    let topics = try metadata(topic, "asking for topic \(name)", timeoutMilliseconds: timeoutMilliseconds)
    guard let found = topics.first(where: { $0.description.name == name }) else { return .missing }
    if KafkaErrorCode(found.error).isUnknownTopic { return .missing }
    try KafkaError.check(found.error, "asking for topic \(name)")
    return .found(found.description)
  }

  /// All topics that this user may see, in order of name; Kafka's own (`__consumer_offsets`, ...) among them.
  public func listTopics(timeoutMilliseconds: Int32) throws(KafkaError) -> [TopicDescription] {
    try metadata(nil, "asking for the topics", timeoutMilliseconds: timeoutMilliseconds)
      .filter { $0.error == RD_KAFKA_RESP_ERR_NO_ERROR }
      .map(\.description)
      .sorted { $0.name < $1.name }
  }

  /// Metadata of one topic, or of all.
  private func metadata(
    _ topic: OpaquePointer?, _ what: String, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> [(description: TopicDescription, error: rd_kafka_resp_err_t)] {
    var native: UnsafePointer<rd_kafka_metadata>?
    let code = rd_kafka_metadata(handle, topic == nil ? 1 : 0, topic, &native, timeoutMilliseconds)
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let native else { throw failure(code, what, text: nil) }
    defer { rd_kafka_metadata_destroy(native) }
    let topics = UnsafeBufferPointer(start: native.pointee.topics, count: Int(native.pointee.topic_cnt))
    return topics.map { (TopicDescription($0), $0.err) }
  }
}

extension TopicDescription {
  fileprivate init(_ native: rd_kafka_metadata_topic) {
    name = String(cString: native.topic)
    let partitions = UnsafeBufferPointer(start: native.partitions, count: Int(native.partition_cnt))
    self.partitions = partitions.map(Partition.init).sorted { $0.number < $1.number }
  }
}

extension TopicDescription.Partition {
  fileprivate init(_ native: rd_kafka_metadata_partition) {
    number = native.id
    leader = native.leader < 0 ? nil : native.leader
    replicas = Array(UnsafeBufferPointer(start: native.replicas, count: Int(native.replica_cnt)))
    inSyncReplicas = Array(UnsafeBufferPointer(start: native.isrs, count: Int(native.isr_cnt)))
  }
}
