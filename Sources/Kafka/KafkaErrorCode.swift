import CRdkafka

/// An error code of Kafka (zero and above) or of librdkafka itself (below zero).
///
/// A struct and not an enum: brokers send codes that this program has not heard of.
public struct KafkaErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// Kafka's number; negative numbers are librdkafka's own.
  public let rawValue: Int32

  /// The code with this number; any number is allowed.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  init(_ native: rd_kafka_resp_err_t) { rawValue = native.rawValue }

  var native: rd_kafka_resp_err_t { rd_kafka_resp_err_t(rawValue: rawValue) }

  /// The code's name as Kafka's documentation writes it, such as `MSG_SIZE_TOO_LARGE`; librdkafka's own begin with `_`.
  public var name: String {
    guard let name = rd_kafka_err2name(native) else { return "ERR_\(rawValue)" }
    return String(cString: name)
  }

  /// librdkafka's one-line text for the code.
  public var text: String { rd_kafka_err2str(native).map { String(cString: $0) } ?? name }

  /// Name and number: `MSG_SIZE_TOO_LARGE (10)`.
  public var description: String { "\(name) (\(rawValue))" }
}

extension KafkaErrorCode {
  /// No error.
  public static let none = Self(rawValue: 0)

  /// The client was destroyed.
  public static let destroyed = Self(rawValue: -197)
  /// A connection broke.
  public static let transport = Self(rawValue: -195)
  /// A broker's host name does not resolve.
  public static let resolve = Self(rawValue: -193)
  /// A record was not delivered within `delivery.timeout.ms`.
  public static let messageTimedOut = Self(rawValue: -192)
  /// The end of a partition was reached (`enable.partition.eof`).
  public static let partitionEnd = Self(rawValue: -191)
  /// The partition does not exist.
  public static let unknownPartition = Self(rawValue: -190)
  /// librdkafka: the topic does not exist.
  public static let unknownTopic = Self(rawValue: -188)
  /// No broker can be reached.
  public static let allBrokersDown = Self(rawValue: -187)
  /// An argument or a setting is not valid.
  public static let invalidArgument = Self(rawValue: -186)
  /// The call did not finish within its time limit.
  public static let timedOut = Self(rawValue: -185)
  /// The producer's queue is full.
  public static let queueFull = Self(rawValue: -184)
  /// TLS failed.
  public static let ssl = Self(rawValue: -181)
  /// The client is in a state that does not allow the call.
  public static let state = Self(rawValue: -172)
  /// SASL failed: wrong user or password.
  public static let authentication = Self(rawValue: -169)
  /// The partition has no committed offset and none is to be made up.
  public static let noOffset = Self(rawValue: -168)
  /// A record was thrown away before it was sent, because its producer was destroyed.
  public static let purgedInQueue = Self(rawValue: -152)
  /// A record was thrown away while it was on its way; whether it arrived is unknown.
  public static let purgedInFlight = Self(rawValue: -151)
  /// The client has failed for good.
  public static let fatal = Self(rawValue: -150)
  /// The owner has not polled within `max.poll.interval.ms`.
  public static let maxPollExceeded = Self(rawValue: -147)
  /// Another instance has taken this one's place.
  public static let fenced = Self(rawValue: -144)
  /// The assignment was lost without a revoke.
  public static let assignmentLost = Self(rawValue: -142)
  /// The offset is not there and `auto.offset.reset=error` forbids making one up.
  public static let autoOffsetReset = Self(rawValue: -140)

  /// The offset lies before the log's start or after its end.
  public static let offsetOutOfRange = Self(rawValue: 1)
  /// The broker does not know the topic or partition.
  public static let unknownTopicOrPartition = Self(rawValue: 3)
  /// A record is larger than the topic allows (`max.message.bytes`).
  public static let messageTooLarge = Self(rawValue: 10)
  /// The metadata of a committed offset is longer than the broker allows (4 KB by default).
  public static let offsetMetadataTooLarge = Self(rawValue: 12)
  /// The topic's name is not valid.
  public static let invalidTopic = Self(rawValue: 17)
  /// A batch is larger than the topic's segment.
  public static let recordListTooLarge = Self(rawValue: 18)
  /// The group has moved on to a newer generation.
  public static let illegalGeneration = Self(rawValue: 22)
  /// The group does not know this member.
  public static let unknownMember = Self(rawValue: 25)
  /// The group is rebalancing.
  public static let rebalanceInProgress = Self(rawValue: 27)
  /// No permission for the topic.
  public static let topicAuthorizationFailed = Self(rawValue: 29)
  /// No permission for the group.
  public static let groupAuthorizationFailed = Self(rawValue: 30)
  /// No permission for the cluster.
  public static let clusterAuthorizationFailed = Self(rawValue: 31)
  /// The broker does not offer this SASL mechanism.
  public static let unsupportedSASLMechanism = Self(rawValue: 33)
  /// The broker does not know this version of a request.
  public static let unsupportedVersion = Self(rawValue: 35)
  /// The topic exists already.
  public static let topicAlreadyExists = Self(rawValue: 36)
  /// The number of partitions is not valid.
  public static let invalidPartitions = Self(rawValue: 37)
  /// The replication factor is more than there are brokers.
  public static let invalidReplicationFactor = Self(rawValue: 38)
  /// A topic's setting is not valid.
  public static let invalidConfig = Self(rawValue: 40)
  /// A policy of the broker forbids it.
  public static let policyViolation = Self(rawValue: 44)
  /// The producer's sequence of records has a hole.
  public static let outOfOrderSequenceNumber = Self(rawValue: 45)
  /// A newer producer has this one's transactional id, or its transaction timed out.
  public static let invalidProducerEpoch = Self(rawValue: 47)
  /// The transaction is in another state than the producer believes.
  public static let invalidTransactionState = Self(rawValue: 48)
  /// The coordinator has forgotten this producer (its transactional id expired).
  public static let invalidProducerIDMapping = Self(rawValue: 49)
  /// `transaction.timeout.ms` is above the broker's limit.
  public static let invalidTransactionTimeout = Self(rawValue: 50)
  /// The previous transaction has not ended yet.
  public static let concurrentTransactions = Self(rawValue: 51)
  /// No permission for the transactional id.
  public static let transactionalIDAuthorizationFailed = Self(rawValue: 53)
  /// The broker refused the credentials.
  public static let saslAuthenticationFailed = Self(rawValue: 58)
  /// The partition's leader has forgotten this producer.
  public static let unknownProducerID = Self(rawValue: 59)
  /// Another consumer has the same `group.instance.id`.
  public static let fencedInstanceID = Self(rawValue: 82)
  /// The record is not valid for this topic (such as no key in a compacted one).
  public static let invalidRecord = Self(rawValue: 87)
  /// An open transaction holds the committed offset back.
  public static let unstableOffsetCommit = Self(rawValue: 88)
  /// A newer producer has this one's transactional id.
  public static let producerFenced = Self(rawValue: 90)
}
