import CRdkafka

/// What went wrong, how bad it is, and what to do about it.
public struct KafkaError: Error, Hashable, Sendable {
  /// What the caller can do next.
  public enum Class: String, Hashable, Sendable {
    /// The same call may go through later; the client lives and goes on by itself.
    case retriable
    /// The transaction can't be committed. This client offers no abort: make a new producer (`KafkaProducer`).
    case abortTransaction
    /// The client is of no more use: destroy it.
    case fatal
    /// Somebody must change a setting, a permission, a topic or a credential; trying again does not help.
    case configuration
    /// This very call or record is refused and will be again; the client goes on with others.
    case refused
  }

  /// Kafka's or librdkafka's code.
  public var code: KafkaErrorCode
  /// What the caller can do next.
  public var `class`: Class
  /// What was tried and what the answer was, in one line.
  public var message: String
  /// The property that is wrong, where the error is about one.
  public var property: String?

  /// An error of your own making, for tests and for layers above; `class` nil: what the code usually means.
  public init(code: KafkaErrorCode, class: Class? = nil, message: String, property: String? = nil) {
    self.code = code
    self.class = `class` ?? code.usualClass
    self.message = message
    self.property = property
  }

  /// True where another process (or another client in this one) has taken this client's name: its transactional id or
  /// its `group.instance.id`. librdkafka says the same of a transaction that outlived `transaction.timeout.ms`.
  public var isFenced: Bool {
    [.fenced, .producerFenced, .fencedInstanceID, .invalidProducerEpoch].contains(code)
  }

  /// True where another producer has taken this one's transactional id, or its transaction outlived its time-out.
  public var isProducerFenced: Bool { [.fenced, .producerFenced, .invalidProducerEpoch].contains(code) }

  /// True where the broker knows who we are and does not allow it.
  public var isPermission: Bool {
    let refused: [KafkaErrorCode] = [
      .topicAuthorizationFailed, .groupAuthorizationFailed, .clusterAuthorizationFailed,
      .transactionalIDAuthorizationFailed,
    ]
    return refused.contains(code)
  }

  /// True where a broker did not let us in, or the connection was lost before it could: nobody can tell which by one such
  /// error. Where they go on and on, a credential or a certificate is wrong.
  public var isLogin: Bool { [.authentication, .ssl, .saslAuthenticationFailed].contains(code) }

  /// True where the record itself can never be written, whoever sends it.
  public var isUnwritableRecord: Bool {
    [.messageTooLarge, .recordListTooLarge, .invalidRecord].contains(code)
  }

  /// True where the topic or partition does not exist.
  public var isUnknownTopic: Bool {
    [.unknownTopic, .unknownTopicOrPartition, .unknownPartition].contains(code)
  }
}

extension KafkaError: CustomStringConvertible {
  /// `message [CODE]: what to do`.
  public var description: String {
    let head = "\(message) [\(code.name)]"
    return advice.map { "\(head): \($0)" } ?? head
  }
}

extension KafkaError {
  /// From a plain code; `what` is what was tried ("reading the topic's metadata").
  init(_ native: rd_kafka_resp_err_t, _ what: String, text: String? = nil) {
    let code = KafkaErrorCode(native)
    self.init(code: code, message: "\(what): \(text ?? code.text)")
  }

  /// From an error object, which is destroyed here.
  init(taking error: OpaquePointer, _ what: String) {
    let code = KafkaErrorCode(rd_kafka_error_code(error))
    let text = rd_kafka_error_string(error).map { String(cString: $0) } ?? code.text
    let known: Class? =
      if rd_kafka_error_is_fatal(error) != 0 {
        .fatal
      } else if rd_kafka_error_txn_requires_abort(error) != 0 {
        .abortTransaction
      } else if rd_kafka_error_is_retriable(error) != 0 {
        .retriable
      } else {
        nil
      }
    rd_kafka_error_destroy(error)
    self.init(code: code, class: known, message: "\(what): \(text)")
  }

  /// Throws unless the code says success.
  static func check(_ native: rd_kafka_resp_err_t, _ what: @autoclosure () -> String) throws(KafkaError) {
    if native != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(native, what()) }
  }

  /// Throws unless there is no error object.
  static func check(_ error: OpaquePointer?, _ what: @autoclosure () -> String) throws(KafkaError) {
    if let error { throw KafkaError(taking: error, what()) }
  }
}
