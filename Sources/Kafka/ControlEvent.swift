import CRdkafka

/// How a group moves its partitions.
public enum RebalanceProtocol: Sendable, Hashable {
  /// No rebalance has taken place yet.
  case none
  /// Every rebalance takes all partitions away and gives all anew.
  case eager
  /// A rebalance moves only what changes hands (`partition.assignment.strategy=cooperative-sticky`).
  case cooperative

  init(_ handle: OpaquePointer) {
    switch rd_kafka_rebalance_protocol(handle).map({ String(cString: $0) }) {
    case "EAGER": self = .eager
    case "COOPERATIVE": self = .cooperative
    default: self = .none
    }
  }
}

/// What a consumer's control queue brings. `assign` and `revoke` must be answered, or the group waits.
public enum ControlEvent: Sendable {
  /// The group gives these partitions, in `cooperative` besides those already held. Answer with
  /// `KafkaConsumer.assign`; until then nothing is fetched.
  case assign([TopicPartition], RebalanceProtocol)
  /// The group takes these partitions away; where `isLost`, they may already belong to another member, and nothing may
  /// be committed for them any more. Answer with `KafkaConsumer.unassign`, as soon as the work on them is settled.
  case revoke([TopicPartition], isLost: Bool, RebalanceProtocol)
  /// Something went wrong; only a `.fatal` one ends the consumer.
  case error(KafkaError)
  /// A line of librdkafka's log.
  case log(LogLine)
  /// What `statistics.interval.ms` asked for.
  case statistics(KafkaStatistics)
  /// A record of a partition that has no `PartitionQueue`: it is dropped. An owner that makes a queue for each partition
  /// before it assigns it never sees this.
  case strayRecord(TopicPartition, offset: Int64)
}

/// A line of librdkafka's log.
public struct LogLine: Sendable, Hashable {
  /// Syslog's severity: 0 emergency, 3 error, 4 warning, 5 notice, 6 information, 7 debug.
  public var severity: Int32
  /// librdkafka's short name for what it is about, such as `FAIL`.
  public var facility: String
  /// The text, which begins with the thread's name.
  public var message: String

  /// A line.
  public init(severity: Int32, facility: String, message: String) {
    self.severity = severity
    self.facility = facility
    self.message = message
  }
}

/// What a client has to say besides its answers.
public enum ClientNotice: Sendable {
  /// Something went wrong; only a `.fatal` one ends the client.
  case error(KafkaError)
  /// A line of librdkafka's log.
  case log(LogLine)
  /// What `statistics.interval.ms` asked for.
  case statistics(KafkaStatistics)
}
