import CRdkafka

/// The records of one assigned partition, apart from all others.
///
/// Made by `KafkaConsumer.partitionQueue` *before* the partition is assigned, so that no record goes to the control queue.
/// `pull` and `close` belong to one owner at a time (a serial queue); the queue keeps its consumer alive.
///
/// **Waking.** `onReadable` is called when the queue turns from empty to not empty, and not again until it was empty. It
/// runs on librdkafka's thread and inside its lock: it may only schedule. So an owner that stops before a pull
/// `isDrained` (because its work backs up, say) must pull again by itself; nobody will wake it.
///
/// **Backpressure.** An owner that does not pull stops librdkafka's fetcher at `queued.max.messages.kbytes`, which counts
/// for each partition on its own.
///
/// **Why not the batch call.** Of librdkafka 2.0.2 the batch call loses records when a cooperative rebalance pauses the
/// partitions that stay (mended in 2.1), and from 2.2 to 2.13.1 it moves its position on errors (mended in 2.13.2). The
/// call with a callback settles each record's position before it hands it out, in every version, and costs no more. Two
/// things remain: a record can come twice around such a pause, of which the queue drops the second; and one may be passed
/// over, for which there is `keepPlace`.
public final class PartitionQueue: @unchecked Sendable {
  /// The partition whose records come out here.
  public let topicPartition: TopicPartition
  /// The offset after the last record handed out; nil before the first.
  public var nextOffset: Int64? { next == Int64.min ? nil : next }
  private let consumer: KafkaConsumer
  private var queue: OpaquePointer?
  private let wakeup: Wakeup
  private var next = Int64.min

  init(
    _ topicPartition: TopicPartition, of consumer: KafkaConsumer, onReadable: @escaping @Sendable () -> Void
  ) throws(KafkaError) {
    guard let queue = rd_kafka_queue_get_partition(consumer.handle, topicPartition.topic, topicPartition.partition)
    else { throw KafkaError(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, "the queue of \(topicPartition)") }
    self.topicPartition = topicPartition
    self.consumer = consumer
    self.queue = queue
    wakeup = Wakeup(onReadable)
    // Set by the application, so librdkafka leaves it when the fetch starts and routes nothing to the control queue.
    rd_kafka_queue_forward(queue, nil)
    wakeup.enable(on: queue)
    // What came before the wake-up was in place would otherwise wake nobody.
    if rd_kafka_queue_length(queue) > 0 { onReadable() }
  }

  deinit { close() }

  /// Hands out up to `max` waiting records, one call of `body` each, in rising offset order; never waits.
  ///
  /// Each record is on loan for the one call. Nothing is allocated unless there is a `notice` to give.
  public func pull(max: Int, _ body: (borrowing KafkaMessage) -> Void) -> Pulled {
    precondition(max > 0, "a pull asks for at least one record")
    guard let queue else { return Pulled(isDrained: true) }
    return withoutActuallyEscaping(body) { body in
      var pull = Pull(handle: consumer.handle, max: max, next: next, body: body)
      withUnsafeMutablePointer(to: &pull) { pull in
        _ = rd_kafka_consume_callback_queue(queue, 0, partitionRecordArrived, pull)
      }
      next = pull.next
      return pull.result
    }
  }

  /// Goes on with the record after the last one handed out, or at `start` where there was none. Call it for a partition that
  /// stays, between a cooperative rebalance's being told and its being answered.
  ///
  /// A rebalance holds such partitions still: what librdkafka has in store of them becomes outdated and is thrown away, and
  /// they go on from the application's position. But the mark that ends a transaction moves that position although it is
  /// outdated itself (`rd_kafka_op_handle_std`, in every version up to 2.14 at least), and so beyond records before it that
  /// were thrown away: they would never come. A seek sets the position aside.
  ///
  /// - Throws: what librdkafka says; then nothing is known of where the partition goes on.
  public func keepPlace(from start: Int64, timeoutMilliseconds: Int32) throws(KafkaError) {
    guard queue != nil else { return }
    let what = "going back to the place in \(topicPartition)"
    guard let topic = rd_kafka_topic_new(consumer.handle, topicPartition.topic, nil) else {
      throw KafkaError(rd_kafka_last_error(), what)
    }
    defer { rd_kafka_topic_destroy(topic) }
    let error = rd_kafka_seek(topic, topicPartition.partition, nextOffset ?? start, timeoutMilliseconds)
    // Not begun yet: it will, at the place that it was assigned at.
    if error == RD_KAFKA_RESP_ERR__STATE, nextOffset == nil { return }
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(error, what) }
  }

  /// Records that wait here now.
  public var count: Int { queue.map { Int(rd_kafka_queue_length($0)) } ?? 0 }

  /// Gives the queue up; no call of `onReadable` comes after it. Call it when the partition is given up, before `unassign`.
  public func close() {
    guard let queue else { return }
    Wakeup.disable(on: queue)
    rd_kafka_queue_destroy(queue)
    self.queue = nil
  }
}

/// What a pull brought besides the records.
public struct Pulled: Sendable {
  /// Records handed out.
  public var count = 0
  /// True where the queue was found empty: the next wake-up will come by itself.
  public var isDrained = false
  /// Records that came a second time around a rebalance, and were dropped.
  public var repeated = 0
  /// Anything but records, in order; empty nearly always.
  public var notices: [PartitionNotice] = []
}

/// What a partition's queue says besides records.
public enum PartitionNotice: Sendable, Hashable {
  /// All records below this offset have come (only with `enable.partition.eof=true`).
  case end(offset: Int64)
  /// Reading failed. With `auto.offset.reset=error` an offset that is not there comes as `.autoOffsetReset` or
  /// `.offsetOutOfRange`, and nothing more comes from this partition until it is assigned anew.
  case error(KafkaError)
}

/// One call of `pull` while librdkafka runs it.
private struct Pull {
  let handle: OpaquePointer
  let max: Int
  var next: Int64
  let body: (borrowing KafkaMessage) -> Void
  var result = Pulled(isDrained: true)
}

/// A free function: see `Wakeup`. librdkafka destroys the record when it returns.
private func partitionRecordArrived(
  _ native: UnsafeMutablePointer<rd_kafka_message_t>?, _ opaque: UnsafeMutableRawPointer?
) {
  guard let native, let pull = opaque?.assumingMemoryBound(to: Pull.self) else { return }
  guard native.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
    pull.pointee.result.notices.append(PartitionNotice(native))
    return
  }
  let offset = native.pointee.offset
  guard offset >= pull.pointee.next else {
    pull.pointee.result.repeated += 1
    return
  }
  pull.pointee.next = offset + 1
  pull.pointee.result.count += 1
  if pull.pointee.result.count == pull.pointee.max {
    pull.pointee.result.isDrained = false
    rd_kafka_yield(pull.pointee.handle)
  }
  pull.pointee.body(KafkaMessage(native))
}

extension PartitionNotice {
  fileprivate init(_ native: UnsafeMutablePointer<rd_kafka_message_t>) {
    guard native.pointee.err != RD_KAFKA_RESP_ERR__PARTITION_EOF else {
      self = .end(offset: native.pointee.offset)
      return
    }
    let text = rd_kafka_message_errstr(native).map { String(cString: $0) }
    self = .error(KafkaError(native.pointee.err, "reading a partition", text: text))
  }
}
