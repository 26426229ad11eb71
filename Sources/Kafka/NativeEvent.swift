import CRdkafka
import Glibc

/// Reads what librdkafka's events carry; the event stays the caller's.
enum NativeEvent {
  static func logLine(_ event: OpaquePointer) -> LogLine {
    var facility: UnsafePointer<CChar>?
    var text: UnsafePointer<CChar>?
    var level: Int32 = 0
    _ = rd_kafka_event_log(event, &facility, &text, &level)
    return LogLine(
      severity: level, facility: facility.map { String(cString: $0) } ?? "",
      message: text.map { String(cString: $0) } ?? "")
  }

  static func statistics(_ event: OpaquePointer) -> KafkaStatistics? {
    guard let json = rd_kafka_event_stats(event) else { return nil }
    return KafkaStatistics(json: UnsafeRawBufferPointer(start: json, count: strlen(json)))
  }

  static func error(_ event: OpaquePointer, of handle: OpaquePointer) -> KafkaError {
    let code = rd_kafka_event_error(event)
    let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
    return clientError(code, text: text, isFatal: rd_kafka_event_error_is_fatal(event) != 0, of: handle)
  }

  /// An error that a client reports by itself. Its code for "fatal" only says that there is a cause, which is asked for.
  static func clientError(
    _ code: rd_kafka_resp_err_t, text: String?, isFatal: Bool, of handle: OpaquePointer
  ) -> KafkaError {
    guard isFatal || code == RD_KAFKA_RESP_ERR__FATAL else { return KafkaError(code, "Kafka client", text: text) }
    let (cause, reason) = withErrorText { rd_kafka_fatal_error(handle, $0, $1) }
    return KafkaError(
      code: KafkaErrorCode(cause == RD_KAFKA_RESP_ERR_NO_ERROR ? code : cause), class: .fatal,
      message: "Kafka client failed for good: \(reason.isEmpty ? text ?? "" : reason)")
  }
}
