import CRdkafka
import Locking

/// What librdkafka has told a client and its owner has not collected yet.
final class ClientInbox: Sendable {
  /// Notices kept at most.
  static let noticesMax = 1_000

  private struct Contents {
    var deliveries: [DeliveryResult] = []
    var notices: [ClientNotice] = []
  }

  private let contents = Lock(Contents())

  func add(_ delivery: DeliveryResult) { contents.withLock { $0.deliveries.append(delivery) } }

  func add(_ notice: ClientNotice) {
    contents.withLock {
      if $0.notices.count == Self.noticesMax { $0.notices.removeFirst(Self.noticesMax / 2) }
      $0.notices.append(notice)
    }
  }

  func takeDeliveries() -> [DeliveryResult] {
    contents.withLock { contents in
      defer { contents.deliveries.removeAll() }
      return contents.deliveries
    }
  }

  func takeNotices() -> [ClientNotice] {
    contents.withLock { contents in
      defer { contents.notices.removeAll() }
      return contents.notices
    }
  }

  /// The newest error that a person may have to mend, such as a wrong password: the cause of calls that time out.
  func takeCause() -> KafkaError? {
    var cause: KafkaError?
    for case .error(let error) in takeNotices()
    where error.class == .configuration || error.class == .fatal || error.isLogin { cause = error }
    return cause
  }

  static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientInbox? {
    opaque.map { Unmanaged<ClientInbox>.fromOpaque($0).takeUnretainedValue() }
  }
}

// Free functions: librdkafka calls them on the thread that polls, and the log's on threads of its own.

func recordDelivered(
  _ handle: OpaquePointer?, _ message: UnsafePointer<rd_kafka_message_t>?, _ opaque: UnsafeMutableRawPointer?
) {
  guard let message, let inbox = ClientInbox.of(opaque) else { return }
  let code = message.pointee.err
  let topic = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }
  inbox.add(
    DeliveryResult(
      opaque: UInt(bitPattern: message.pointee._private),
      error: code == RD_KAFKA_RESP_ERR_NO_ERROR
        ? nil : KafkaError(code, "delivering a record to \(topic.map { String(cString: $0) } ?? "?")"),
      partition: message.pointee.partition, offset: message.pointee.offset))
}

func clientFailed(
  _ handle: OpaquePointer?, _ code: Int32, _ reason: UnsafePointer<CChar>?, _ opaque: UnsafeMutableRawPointer?
) {
  guard let handle, let inbox = ClientInbox.of(opaque) else { return }
  let text = reason.map { String(cString: $0) }
  inbox.add(
    .error(NativeEvent.clientError(rd_kafka_resp_err_t(rawValue: code), text: text, isFatal: false, of: handle)))
}

func clientLogged(
  _ handle: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?, _ text: UnsafePointer<CChar>?
) {
  guard let handle, let inbox = ClientInbox.of(rd_kafka_opaque(handle)) else { return }
  inbox.add(
    .log(
      LogLine(
        severity: level, facility: facility.map { String(cString: $0) } ?? "",
        message: text.map { String(cString: $0) } ?? "")))
}

func clientReported(
  _ handle: OpaquePointer?, _ json: UnsafeMutablePointer<CChar>?, _ count: Int, _ opaque: UnsafeMutableRawPointer?
) -> Int32 {
  if let json, let statistics = KafkaStatistics(json: UnsafeRawBufferPointer(start: json, count: count)) {
    ClientInbox.of(opaque)?.add(.statistics(statistics))
  }
  return 0  // librdkafka keeps and frees the text.
}
