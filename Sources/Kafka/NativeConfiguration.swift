import CRdkafka

/// librdkafka's configuration object; freed unless a client has taken it.
struct NativeConfiguration: ~Copyable {
  private let conf: OpaquePointer

  /// A configuration of those properties that librdkafka takes, and what it says of the others.
  private init(taking configuration: KafkaConfiguration, faults: inout [KafkaConfiguration.Fault]) {
    conf = rd_kafka_conf_new()
    // In order of name, so that of two wrong properties it is always the same one that is named first.
    for (name, value) in configuration.properties.sorted(by: { $0.key < $1.key }) {
      if let fault = Self.set(conf, name, value) { faults.append(fault) }
    }
  }

  init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    var faults: [KafkaConfiguration.Fault] = []
    self.init(taking: configuration, faults: &faults)
    guard let first = faults.first else { return }
    throw KafkaError(
      code: .invalidArgument, class: .configuration, message: "Kafka property \(first.property): \(first.answer)",
      property: first.property)
  }

  deinit { rd_kafka_conf_destroy(conf) }

  /// What librdkafka does not take, in order of name.
  static func faults(of configuration: KafkaConfiguration) -> [KafkaConfiguration.Fault] {
    var faults: [KafkaConfiguration.Fault] = []
    _ = NativeConfiguration(taking: configuration, faults: &faults)
    return faults
  }

  private static func set(_ conf: OpaquePointer, _ name: String, _ value: String) -> KafkaConfiguration.Fault? {
    let (result, text) = withErrorText { rd_kafka_conf_set(conf, name, value, $0, $1) }
    guard result != RD_KAFKA_CONF_OK else { return nil }
    // Some answers end with a line feed.
    let answer = String(text.reversed().drop { $0.isNewline }.reversed())
    return KafkaConfiguration.Fault(
      property: name, isUnknown: result == RD_KAFKA_CONF_UNKNOWN,
      answer: answer.isEmpty ? "librdkafka does not take it" : answer)
  }

  func value(of name: String) throws(KafkaError) -> String {
    var size = 0
    guard rd_kafka_conf_get(conf, name, nil, &size) == RD_KAFKA_CONF_OK else {
      throw KafkaError(
        code: .invalidArgument, class: .configuration, message: "librdkafka has no property \(name)", property: name)
    }
    let bytes = [CChar](unsafeUninitializedCapacity: size + 1) { buffer, count in
      var written = size
      rd_kafka_conf_get(conf, name, buffer.baseAddress, &written)
      count = written
    }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The kinds of event that wait in the queues as values instead of calling back.
  func setEvents(_ events: Int32) { rd_kafka_conf_set_events(conf, events) }

  /// Log lines wait in the main queue instead of going to standard error.
  func keepLogsQueued() { _ = rd_kafka_conf_set(conf, "log.queue", "true", nil, 0) }

  /// No log at all.
  func silence() { rd_kafka_conf_set_log_cb(conf, nil) }

  /// Callbacks into `inbox`, which must outlive the client, for one whose queue is served by `rd_kafka_poll`.
  func report(to inbox: ClientInbox, deliveries: Bool) {
    rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(inbox).toOpaque())
    if deliveries { rd_kafka_conf_set_dr_msg_cb(conf, recordDelivered) }
    rd_kafka_conf_set_error_cb(conf, clientFailed)
    rd_kafka_conf_set_log_cb(conf, clientLogged)
    rd_kafka_conf_set_stats_cb(conf, clientReported)
  }

  /// Makes the client, which then owns the configuration object.
  consuming func makeHandle(_ type: rd_kafka_type_t) throws(KafkaError) -> OpaquePointer {
    let conf = conf
    let (handle, text) = withErrorText { rd_kafka_new(type, conf, $0, $1) }
    guard let handle else {
      _ = consume self
      throw KafkaError(code: .invalidArgument, class: .configuration, message: "Kafka configuration: \(text)")
    }
    discard self
    return handle
  }
}

/// Calls a function that may write its error as text; the text is empty where it did not.
func withErrorText<Result>(_ body: (UnsafeMutablePointer<CChar>, Int) -> Result) -> (Result, String) {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
    buffer.initialize(repeating: 0)
    let result = body(buffer.baseAddress!, buffer.count)
    return (result, String(cString: buffer.baseAddress!))
  }
}
