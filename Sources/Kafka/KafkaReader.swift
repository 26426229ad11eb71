import CRdkafka

/// Reads single records by their offset, outside any group; made for looking at evidence, not for throughput.
///
/// It stays at the place it last read, so records near and after it come without another seek. Use it from one thread at
/// a time; each call blocks for up to its time limit.
public final class KafkaReader {
  private let handle: OpaquePointer
  private let inbox = ClientInbox()
  private var open: OpenPartition?
  /// Records read past at most to reach a later offset, before the reader seeks instead.
  private static let skipMax: Int64 = 500

  private struct OpenPartition {
    let topicPartition: TopicPartition
    let topic: OpaquePointer
    /// The lowest offset that can still come.
    var next: Int64
  }

  /// A reader; `group.id` is not needed. What only transactions in progress or aborted ones wrote is left out unless
  /// `isolation.level` says otherwise.
  public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    let forced = [
      "enable.partition.eof": "true", "auto.offset.reset": "error", "enable.auto.commit": "false",
      "enable.auto.offset.store": "false",
    ]
    let native = try NativeConfiguration(configuration.merging(forced))
    native.report(to: inbox, deliveries: false)
    handle = try native.makeHandle(RD_KAFKA_CONSUMER)
  }

  deinit {
    closePartition()
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
  }

  /// The record at exactly this offset.
  ///
  /// - Throws: `KafkaError` for what a later try may mend (a broker that is away) or that needs a person (permission).
  public func read(
    _ partition: TopicPartition, offset: Int64, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> ReadOutcome {
    let outcome = try next(partition, from: offset, timeoutMilliseconds: timeoutMilliseconds)
    guard case .record(let record) = outcome, record.offset != offset else { return outcome }
    // The record after it has been taken out of the stream: the next read seeks.
    closePartition()
    return .notAvailable(.removed)
  }

  /// The first record at this offset or after it; `.notWritten` where there is none yet.
  ///
  /// - Throws: as `read`.
  public func next(
    _ partition: TopicPartition, from offset: Int64, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> ReadOutcome {
    let deadline = ContinuousClock.now + .milliseconds(Int64(timeoutMilliseconds))
    try move(to: partition, offset: offset)
    while var current = open {
      guard let message = rd_kafka_consume(current.topic, partition.partition, deadline.millisecondsFromNow) else {
        return try timedOut()
      }
      defer { rd_kafka_message_destroy(message) }
      if message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR { return try failure(message, partition) }
      if message.pointee.offset < offset { continue }
      current.next = message.pointee.offset + 1
      open = current
      return .record(KafkaRecord(KafkaMessage(message)))
    }
    return try timedOut()
  }

  /// The offset of the oldest record of a partition, and the one after its newest.
  public func watermarkOffsets(
    _ partition: TopicPartition, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> WatermarkOffsets {
    var low: Int64 = 0
    var high: Int64 = 0
    try KafkaError.check(
      rd_kafka_query_watermark_offsets(
        handle, partition.topic, partition.partition, &low, &high, timeoutMilliseconds),
      "asking for the offsets of \(partition)")
    return WatermarkOffsets(low: low, high: high)
  }

  /// Nothing came: because of something a person must mend, if there is such a thing.
  private func timedOut() throws(KafkaError) -> ReadOutcome {
    rd_kafka_poll(handle, 0)
    if let cause = inbox.takeCause() {
      guard cause.isUnknownTopic else { throw cause }
      return .notAvailable(.noSuchPartition)
    }
    return .notAvailable(.timedOut)
  }

  private func failure(
    _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ partition: TopicPartition
  ) throws(KafkaError) -> ReadOutcome {
    closePartition()
    let code = KafkaErrorCode(message.pointee.err)
    switch code {
    case .partitionEnd: return .notAvailable(.notWritten)
    case .offsetOutOfRange, .autoOffsetReset: return .notAvailable(.outOfRange)
    case _ where code.isUnknownTopic: return .notAvailable(.noSuchPartition)
    default:
      throw KafkaError(
        message.pointee.err, "reading \(partition)", text: rd_kafka_message_errstr(message).map { String(cString: $0) })
    }
  }

  private func move(to partition: TopicPartition, offset: Int64) throws(KafkaError) {
    if let open, open.topicPartition == partition, offset >= open.next, offset - open.next <= Self.skipMax { return }
    closePartition()
    guard let topic = rd_kafka_topic_new(handle, partition.topic, nil) else {
      throw KafkaError(rd_kafka_last_error(), "opening topic \(partition.topic)")
    }
    guard rd_kafka_consume_start(topic, partition.partition, offset) == 0 else {
      let code = rd_kafka_last_error()
      rd_kafka_topic_destroy(topic)
      throw KafkaError(code, "reading \(partition)")
    }
    open = OpenPartition(topicPartition: partition, topic: topic, next: offset)
  }

  private func closePartition() {
    guard let open else { return }
    rd_kafka_consume_stop(open.topic, open.topicPartition.partition)
    rd_kafka_topic_destroy(open.topic)
    self.open = nil
  }
}

/// A record, copied.
public struct KafkaRecord: Sendable, Hashable {
  /// Its offset.
  public var offset: Int64
  /// Milliseconds since 1970; -1 where it has none.
  public var timestamp: Int64
  /// Its key; nil: null.
  public var key: [UInt8]?
  /// Its value; nil: null.
  public var value: [UInt8]?
  /// Its headers.
  public var headers: [KafkaHeader]

  /// A copy of a record on loan.
  public init(_ message: borrowing KafkaMessage) {
    offset = message.offset
    timestamp = message.timestamp
    key = message.key.map { Array($0) }
    value = message.value.map { Array($0) }
    headers = message.headers
  }
}

/// What came of asking for one record.
public enum ReadOutcome: Sendable, Hashable {
  /// The record.
  case record(KafkaRecord)
  /// There is none to be had.
  case notAvailable(Reason)

  /// Why there is no record.
  public enum Reason: String, Sendable, Hashable {
    /// The log no longer (or not yet) reaches there: retention has passed it.
    case outOfRange
    /// The log goes past it, but this offset holds no record: compacted, aborted, or a marker of a transaction.
    case removed
    /// The offset is after the last record that can be read.
    case notWritten
    /// There is no such topic or partition.
    case noSuchPartition
    /// The broker did not answer in time.
    case timedOut
  }
}

extension KafkaErrorCode {
  /// True where the topic or partition does not exist.
  var isUnknownTopic: Bool { [.unknownTopic, .unknownTopicOrPartition, .unknownPartition].contains(self) }
}
