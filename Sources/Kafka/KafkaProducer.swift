import CRdkafka

/// Sends records: idempotent, or in transactions where `transactional.id` is set.
///
/// `produce` copies the record and returns at once; what became of it is collected with `pollDeliveries`. Calls may be
/// made from any thread, but a transaction and the collecting of its deliveries belong to one.
///
/// **Transactions.** `initTransactions` once; then, for each: `beginTransaction`, `produce`…, `sendOffsets`,
/// `commitTransaction`. A `.retriable` error: call the same again. Any other: `destroy` this producer and make a new one
/// with the same `transactional.id`; its `initTransactions` ends what the old one left, and the group's committed offsets
/// then tell whether the transaction went through.
///
/// **Why there is no abort.** librdkafka 2.0.2 loses the producer by an abort that follows closely on a commit
/// (INVALID_TXN_STATE), some abortable errors come back after the abort (INVALID_PRODUCER_ID_MAPPING), and after a commit
/// of unknown outcome an abort answers nothing. A new producer settles every case in the same way.
public final class KafkaProducer: @unchecked Sendable {
  let handle: OpaquePointer
  private let inbox: ClientInbox
  private let wakeup: Wakeup?
  private let queue: OpaquePointer?
  private let isDestroyed = Flag()
  let sending = GuardedCall()

  /// A producer that knows its properties and connects in the background. `enable.idempotence` is on unless the
  /// configuration says otherwise.
  ///
  /// - Parameter onDelivery: called when there is something to collect after there was nothing; on librdkafka's thread,
  ///   so it may only schedule.
  /// - Throws: `KafkaError` of class `.configuration`.
  public init(
    _ configuration: KafkaConfiguration, onDelivery: (@Sendable () -> Void)? = nil
  ) throws(KafkaError) {
    var configuration = configuration
    if configuration["enable.idempotence"] == nil { configuration["enable.idempotence"] = "true" }
    let native = try NativeConfiguration(configuration)
    inbox = ClientInbox()
    native.report(to: inbox, deliveries: true)
    handle = try native.makeHandle(RD_KAFKA_PRODUCER)
    wakeup = onDelivery.map { Wakeup($0) }
    queue = wakeup == nil ? nil : rd_kafka_queue_get_main(handle)
    if let wakeup, let queue { wakeup.enable(on: queue) }
  }

  deinit { destroy() }

  /// Queues one record, copied; its outcome comes by `pollDeliveries` with the same `opaque`.
  ///
  /// - Parameters:
  ///   - partition: nil: by the key's hash (the `partitioner` property).
  ///   - key: nil: a null key.
  ///   - value: nil: a null value (a tombstone in a compacted topic).
  ///   - timestamp: in milliseconds since 1970; nil: now.
  /// - Throws: `.queueFull` (retriable: collect deliveries first), `.messageTooLarge` (above `message.max.bytes`), ...
  public func produce(
    topic: String, partition: Int32? = nil, rawKey key: UnsafeRawBufferPointer?,
    rawValue value: UnsafeRawBufferPointer?,
    headers: [KafkaHeader] = [], timestamp: Int64? = nil, opaque: UInt = 0
  ) throws(KafkaError) {
    var headerList: OpaquePointer? = headers.isEmpty ? nil : Self.headerList(headers)
    let error = topic.withCString { topic in
      var arguments = ProduceArguments()
      arguments.add(RD_KAFKA_VTYPE_TOPIC) { $0.cstr = topic }
      arguments.add(RD_KAFKA_VTYPE_PARTITION) { $0.i32 = partition ?? RD_KAFKA_PARTITION_UA }
      arguments.add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.i = RD_KAFKA_MSG_F_COPY }
      arguments.add(RD_KAFKA_VTYPE_OPAQUE) { $0.ptr = UnsafeMutableRawPointer(bitPattern: opaque) }
      arguments.add(RD_KAFKA_VTYPE_KEY, key)
      arguments.add(RD_KAFKA_VTYPE_VALUE, value)
      if let timestamp { arguments.add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.i64 = timestamp } }
      if let headerList { arguments.add(RD_KAFKA_VTYPE_HEADERS) { $0.headers = headerList } }
      return arguments.produce(handle)
    }
    if error == nil { headerList = nil }  // The record has taken it.
    if let headerList { rd_kafka_headers_destroy(headerList) }
    try KafkaError.check(error, "producing to \(topic)")
  }

  /// Queues one record, copied, from arrays; see above.
  public func produce(
    topic: String, partition: Int32? = nil, key: [UInt8]?, value: [UInt8]?,
    headers: [KafkaHeader] = [], timestamp: Int64? = nil, opaque: UInt = 0
  ) throws(KafkaError) {
    // Typed errors do not pass through the standard library's closures, so the outcome is carried out by hand.
    let outcome: Result<Void, KafkaError> = (key ?? []).withUnsafeBytes { keyBytes in
      (value ?? []).withUnsafeBytes { valueBytes in
        Result { () throws(KafkaError) in
          try produce(
            topic: topic, partition: partition, rawKey: key == nil ? nil : keyBytes,
            rawValue: value == nil ? nil : valueBytes, headers: headers, timestamp: timestamp, opaque: opaque)
        }
      }
    }
    try outcome.get()
  }

  private static func headerList(_ headers: [KafkaHeader]) -> OpaquePointer? {
    let list = rd_kafka_headers_new(headers.count)
    for header in headers {
      if let value = header.value {
        _ = value.withUnsafeBytes { bytes in
          withUnsafeBytes(of: 0) {
            rd_kafka_header_add(list, header.name, -1, bytes.baseAddress ?? $0.baseAddress, bytes.count)
          }
        }
      } else {
        _ = rd_kafka_header_add(list, header.name, -1, nil, 0)
      }
    }
    return list
  }

  /// Collects what became of records since the last call; waits for the first for up to `timeoutMilliseconds`.
  public func pollDeliveries(timeoutMilliseconds: Int32 = 0) -> [DeliveryResult] {
    rd_kafka_poll(handle, timeoutMilliseconds)
    return inbox.takeDeliveries()
  }

  /// Errors, log lines and statistics that came since the last call (errors and statistics: while the producer was polled by
  /// `pollDeliveries`, `flush` or `commitTransaction`); bounded: the oldest make room.
  public func takeNotices() -> [ClientNotice] { inbox.takeNotices() }

  /// Records that were given and whose outcome was not collected yet.
  public var outstanding: Int { Int(rd_kafka_outq_len(handle)) }

  /// Sends what waits without lingering, until all is delivered or failed. The outcomes are kept for `pollDeliveries`.
  ///
  /// - Throws: `.timedOut`, retriable, where some are still on their way.
  public func flush(timeoutMilliseconds: Int32) throws(KafkaError) {
    try KafkaError.check(rd_kafka_flush(handle, timeoutMilliseconds), "flushing the producer")
  }

  /// Throws away what waits and ends the producer at once (some tens of milliseconds); an open transaction is left to
  /// the next producer of the same id, or to its time-out. Calls after it are errors of the program.
  public func destroy() {
    guard isDestroyed.raise() else { return }
    if let queue {
      Wakeup.disable(on: queue)
      rd_kafka_queue_destroy(queue)
    }
    // While a call hangs in librdkafka, its memory stays; the end of that call, if it comes, frees it.
    sending.finally { [client = GuardedCall.Client(pointer: handle), inbox] in
      // librdkafka's threads report to the inbox until the end.
      withExtendedLifetime(inbox) {
        rd_kafka_purge(client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        rd_kafka_destroy(client.pointer)
      }
    }
  }
}

/// What became of one record.
public struct DeliveryResult: Sendable, Hashable {
  /// What `produce` was given.
  public var opaque: UInt
  /// nil: the record is written (in a transaction: written, and seen once that is committed).
  public var error: KafkaError?
  /// The partition it went to; -1 where none was chosen yet.
  public var partition: Int32
  /// Its offset; negative where it is not known.
  public var offset: Int64
}
