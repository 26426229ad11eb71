import CRdkafka

/// Reads runs of records of a partition outside any group, fast: for what has to be read as a whole, such as stored state.
///
/// Use it from one thread at a time. What only transactions in progress or aborted ones wrote is left out unless
/// `isolation.level` says otherwise.
public final class KafkaRangeReader {
  private let handle: OpaquePointer
  private let inbox = ClientInbox()

  /// A reader; `group.id` is not needed.
  public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    let forced = [
      "enable.partition.eof": "true", "auto.offset.reset": "error", "enable.auto.commit": "false",
      "enable.auto.offset.store": "false",
    ]
    let native = try NativeConfiguration(configuration.merging(forced))
    native.report(to: inbox, deliveries: false)
    handle = try native.makeHandle(RD_KAFKA_CONSUMER)
  }

  deinit { rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }

  /// The oldest offset of a partition, and the one after the last record that can be read: with `read_committed`, that
  /// before the first open transaction.
  public func bounds(
    _ partition: TopicPartition, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> WatermarkOffsets {
    var low: Int64 = 0
    var high: Int64 = 0
    let code = rd_kafka_query_watermark_offsets(
      handle, partition.topic, partition.partition, &low, &high, timeoutMilliseconds)
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(code, "asking for the offsets of \(partition)") }
    return WatermarkOffsets(low: low, high: high)
  }

  /// Hands out the records with offsets in `range`, in order, each on loan for one call of `body`. Offsets may be missing:
  /// compacted, aborted, or markers of transactions.
  ///
  /// - Parameters:
  ///   - body: false: no more.
  ///   - timeoutMilliseconds: how long nothing may come.
  /// - Returns: false where `body` ended it.
  @discardableResult
  public func read(
    _ partition: TopicPartition, _ range: Range<Int64>, timeoutMilliseconds: Int32,
    _ body: (borrowing KafkaMessage) -> Bool
  ) throws(KafkaError) -> Bool {
    guard !range.isEmpty else { return true }
    guard let topic = rd_kafka_topic_new(handle, partition.topic, nil) else {
      throw KafkaError(rd_kafka_last_error(), "opening topic \(partition.topic)")
    }
    defer { rd_kafka_topic_destroy(topic) }
    guard rd_kafka_consume_start(topic, partition.partition, range.lowerBound) == 0 else {
      throw KafkaError(rd_kafka_last_error(), "reading \(partition)")
    }
    defer { rd_kafka_consume_stop(topic, partition.partition) }
    let outcome = withoutActuallyEscaping(body) { body in
      var run = Run(handle: handle, end: range.upperBound, body: body)
      withUnsafeMutablePointer(to: &run) { run in
        while run.pointee.outcome == nil {
          let count = rd_kafka_consume_callback(
            topic, partition.partition, timeoutMilliseconds, recordOfRangeArrived, run)
          if count <= 0 { run.pointee.outcome = .failed(RD_KAFKA_RESP_ERR__TIMED_OUT) }
        }
      }
      return run.outcome
    }
    switch outcome {
    case .ended: return false
    case .failed(let code): throw failure(code, "reading \(partition) from offset \(range.lowerBound)")
    case .complete, nil: return true
    }
  }

  /// A time-out is told with its cause where the client knows one, such as a wrong password.
  private func failure(_ code: rd_kafka_resp_err_t, _ what: String) -> KafkaError {
    let error = KafkaError(code, what)
    guard error.class == .retriable else { return error }
    rd_kafka_poll(handle, 0)
    return inbox.takeCause() ?? error
  }
}

/// One call of `read` while librdkafka hands records out.
private struct Run {
  enum Outcome {
    case complete, ended
    case failed(rd_kafka_resp_err_t)
  }

  let handle: OpaquePointer
  let end: Int64
  let body: (borrowing KafkaMessage) -> Bool
  var outcome: Outcome?
}

/// A free function: see `Wakeup`. librdkafka destroys the record when it returns.
private func recordOfRangeArrived(
  _ native: UnsafeMutablePointer<rd_kafka_message_t>?, _ opaque: UnsafeMutableRawPointer?
) {
  guard let native, let run = opaque?.assumingMemoryBound(to: Run.self), run.pointee.outcome == nil else { return }
  let code = native.pointee.err
  if code == RD_KAFKA_RESP_ERR__PARTITION_EOF {
    run.pointee.outcome = .complete
  } else if code != RD_KAFKA_RESP_ERR_NO_ERROR {
    // A broker that moves or is away for a while is librdkafka's own affair.
    if KafkaErrorCode(code).usualClass != .retriable { run.pointee.outcome = .failed(code) }
  } else if native.pointee.offset >= run.pointee.end {
    run.pointee.outcome = .complete
  } else if !run.pointee.body(KafkaMessage(native)) {
    run.pointee.outcome = .ended
  }
  if run.pointee.outcome != nil { rd_kafka_yield(run.pointee.handle) }
}
