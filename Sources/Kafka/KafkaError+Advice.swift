extension KafkaErrorCode {
  /// What a code means where librdkafka itself did not say more.
  var usualClass: KafkaError.Class {
    if Self.retriableCodes.contains(self) { return .retriable }
    if Self.configurationCodes.contains(self) { return .configuration }
    if Self.fatalCodes.contains(self) { return .fatal }
    return .refused
  }

  private static let retriableCodes: Set<KafkaErrorCode> = [
    .transport, .resolve, .messageTimedOut, .allBrokersDown, .timedOut, .queueFull, .rebalanceInProgress,
    .concurrentTransactions, .unstableOffsetCommit, .illegalGeneration, .unknownMember, .assignmentLost,
    .maxPollExceeded,
    // A connection that was lost in the middle of a login, or a token that was not renewed in time, says the same as a
    // wrong password. librdkafka goes on trying in any case.
    .ssl, .authentication,
    Self(rawValue: -180),  // _WAIT_COORD
    Self(rawValue: -178),  // _IN_PROGRESS
    Self(rawValue: -177),  // _PREV_IN_PROGRESS
    Self(rawValue: -153),  // _RETRY
    Self(rawValue: -137),  // _DESTROY_BROKER (librdkafka 2.14): a broker left the cluster while it was asked
    Self(rawValue: 5),  // LEADER_NOT_AVAILABLE
    Self(rawValue: 6),  // NOT_LEADER_FOR_PARTITION
    Self(rawValue: 7),  // REQUEST_TIMED_OUT
    Self(rawValue: 8),  // BROKER_NOT_AVAILABLE
    Self(rawValue: 9),  // REPLICA_NOT_AVAILABLE
    Self(rawValue: 13),  // NETWORK_EXCEPTION
    Self(rawValue: 14),  // COORDINATOR_LOAD_IN_PROGRESS
    Self(rawValue: 15),  // COORDINATOR_NOT_AVAILABLE
    Self(rawValue: 16),  // NOT_COORDINATOR
    Self(rawValue: 19),  // NOT_ENOUGH_REPLICAS
    Self(rawValue: 20),  // NOT_ENOUGH_REPLICAS_AFTER_APPEND
    Self(rawValue: 41),  // NOT_CONTROLLER
    Self(rawValue: 56),  // KAFKA_STORAGE_ERROR
    Self(rawValue: 74),  // FENCED_LEADER_EPOCH: an old leader, not us
    Self(rawValue: 75),  // UNKNOWN_LEADER_EPOCH
    Self(rawValue: 78),  // OFFSET_NOT_AVAILABLE
    Self(rawValue: 89),  // THROTTLING_QUOTA_EXCEEDED
  ]

  private static let configurationCodes: Set<KafkaErrorCode> = [
    .saslAuthenticationFailed, .unsupportedSASLMechanism, .unsupportedVersion,
    .topicAuthorizationFailed, .groupAuthorizationFailed, .clusterAuthorizationFailed,
    .transactionalIDAuthorizationFailed, .unknownTopic, .unknownTopicOrPartition, .unknownPartition, .invalidTopic,
    .invalidPartitions, .invalidReplicationFactor, .invalidConfig, .policyViolation, .invalidTransactionTimeout,
    Self(rawValue: -145),  // _NOT_CONFIGURED
    Self(rawValue: -165),  // _UNSUPPORTED_FEATURE
    Self(rawValue: 23),  // INCONSISTENT_GROUP_PROTOCOL
    Self(rawValue: 26),  // INVALID_SESSION_TIMEOUT
    Self(rawValue: 81),  // GROUP_MAX_SIZE_REACHED
  ]

  private static let fatalCodes: Set<KafkaErrorCode> = [
    .fatal, .fenced, .producerFenced, .fencedInstanceID, .invalidProducerEpoch, .destroyed, .state,
    .outOfOrderSequenceNumber, .unknownProducerID, .invalidProducerIDMapping, .invalidTransactionState,
  ]
}

extension KafkaError {
  /// The first librdkafka whose SCRAM login is what RFC 5802 asks for; Kafka 4 refuses older ones.
  static let scramMended: UInt32 = 0x0206_01ff

  /// What to do, in one sentence; nil where the message says it all.
  public var advice: String? {
    connectionAdvice ?? permissionAdvice ?? topicAdvice ?? transactionAdvice ?? groupAdvice
  }

  private var connectionAdvice: String? {
    switch code {
    case .authentication, .saslAuthenticationFailed: return Self.loginAdvice(text: message)
    case .unsupportedSASLMechanism:
      return "set sasl.mechanism to one that the broker's listener offers"
    case .ssl:
      return "check ssl.ca.location, that security.protocol fits the listener, and that the certificate names the host"
    case .resolve: return "check the host names in bootstrap.servers"
    case .transport, .allBrokersDown:
      return "check bootstrap.servers, and security.protocol (a TLS listener drops a plain connection); "
        + "librdkafka keeps on trying"
    case .timedOut: return "the brokers may be away or slow; it can be tried again"
    case .queueFull: return "collect deliveries before producing more, or raise queue.buffering.max.messages"
    case .unsupportedVersion: return "the broker is too old for this request"
    default: return nil
    }
  }

  private static func loginAdvice(text: String) -> String {
    let basic = "check sasl.username, sasl.password and sasl.mechanism"
    guard KafkaLibrary.versionNumber < scramMended, text.uppercased().contains("SCRAM") else { return basic }
    return basic
      + "; if they are right: librdkafka \(KafkaLibrary.version) can't log in to Kafka 4 with SCRAM, "
      + "which needs librdkafka 2.6.1 or newer (PLAIN and client certificates work)"
  }

  private var permissionAdvice: String? {
    switch code {
    case .topicAuthorizationFailed:
      return "grant this user READ (to consume) or WRITE and DESCRIBE (to produce) on the topic"
    case .groupAuthorizationFailed: return "grant this user READ on the consumer group"
    case .transactionalIDAuthorizationFailed: return "grant this user WRITE and DESCRIBE on the transactional id"
    case .clusterAuthorizationFailed:
      return "grant this user IDEMPOTENT_WRITE (to produce) or CREATE (to make topics) on the cluster"
    case .policyViolation: return "a policy of the broker forbids it: ask whoever runs the cluster"
    default: return nil
    }
  }

  private var topicAdvice: String? {
    switch code {
    case .unknownTopic, .unknownTopicOrPartition, .unknownPartition:
      return "create the topic, or check its name and number of partitions"
    case .invalidTopic: return "a topic's name has 1 to 249 letters, digits, '.', '_' or '-'"
    case .messageTooLarge, .recordListTooLarge:
      return "raise the topic's max.message.bytes (and the client's message.max.bytes), or send less"
    case .invalidRecord: return "a compacted topic takes no record without a key"
    case .offsetOutOfRange, .autoOffsetReset, .noOffset:
      return "the log's start has passed this offset, or nothing was ever committed: choose where to start"
    case .offsetMetadataTooLarge: return "raise the broker's offset.metadata.max.bytes or store less with the offset"
    case .invalidReplicationFactor: return "ask for no more replicas than there are brokers"
    case .topicAlreadyExists: return "use it as it is, or choose another name"
    default: return nil
    }
  }

  private var transactionAdvice: String? {
    switch code {
    case .fenced, .producerFenced, .invalidProducerEpoch:
      return "another producer has started with the same transactional.id, or a transaction outlived "
        + "transaction.timeout.ms; give each process an id of its own"
    case .invalidTransactionState, .invalidProducerIDMapping, .unknownProducerID, .outOfOrderSequenceNumber,
      .concurrentTransactions:
      return "destroy this producer and make a new one with the same transactional.id: that settles what it left"
    case .invalidTransactionTimeout: return "lower transaction.timeout.ms to the broker's transaction.max.timeout.ms"
    case .messageTimedOut: return "the partition's leader did not answer within delivery.timeout.ms"
    default:
      return `class` == .abortTransaction
        ? "destroy this producer and make a new one with the same transactional.id: that settles what it left" : nil
    }
  }

  private var groupAdvice: String? {
    switch code {
    case .fencedInstanceID: return "another consumer has started with the same group.instance.id; give each its own"
    case .maxPollExceeded: return "poll more often, or raise max.poll.interval.ms"
    case .illegalGeneration, .unknownMember, .assignmentLost:
      return "the group has moved on without this member: drop the work and wait for the next assignment"
    case .unstableOffsetCommit: return "an open transaction holds the offset; it ends by transaction.timeout.ms"
    default: return nil
    }
  }
}
