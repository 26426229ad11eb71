import CRdkafka
import Locking

/// A member of a consumer group, or a reader without one.
///
/// Its owner polls one control queue and answers what it brings; the records come from `PartitionQueue`s, one for each
/// assigned partition. All calls may be made from any thread, but `poll` and the answers belong to one. A consumer sets
/// `log.queue`, `enable.auto.offset.store` and the rebalance events itself; all else is the configuration's.
///
/// Life: make, `subscribe`, `poll` until done (`partitionQueue` and then `assign` for each `.assign`; `PartitionQueue.close`
/// and then `unassign` for each `.revoke`), `close`. A consumer that is dropped without `close` leaves its group to find
/// out by the session time-out.
public final class KafkaConsumer: @unchecked Sendable {
  let handle: OpaquePointer
  private let wakeup: Wakeup?
  private let control: Lock<Control>

  /// The queue to be polled, and the one before it: another thread may still be inside it.
  private struct Control {
    nonisolated(unsafe) var queue: OpaquePointer
    nonisolated(unsafe) var retired: [OpaquePointer] = []
    /// Whether it has asked to join a group and was told no assignment yet.
    var isJoining = false
  }

  /// The first librdkafka whose sticky assignor lets go of what it does not have yet: before it, a consumer that was
  /// destroyed between joining and its first assignment ended the process (librdkafka's issue 4381).
  private static let assignorMended: UInt32 = 0x0203_00ff

  /// Milliseconds that the end of a consumer is waited for.
  private static let destroyLimit = 5_000

  /// A consumer that knows its properties and connects in the background.
  ///
  /// - Parameter onControlEvent: called when `poll` has something to give after it had nothing; on librdkafka's thread,
  ///   so it may only schedule. An owner that sits in `poll` does not need it.
  /// - Throws: `KafkaError` of class `.configuration`.
  public init(
    _ configuration: KafkaConfiguration, onControlEvent: (@Sendable () -> Void)? = nil
  ) throws(KafkaError) {
    var configuration = configuration
    // Offsets are committed by the owner; librdkafka's store would only cost a lock for each record.
    if configuration["enable.auto.offset.store"] == nil { configuration["enable.auto.offset.store"] = "false" }
    let native = try NativeConfiguration(configuration)
    native.keepLogsQueued()
    native.setEvents(
      RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_STATS
        | RD_KAFKA_EVENT_FETCH)
    handle = try native.makeHandle(RD_KAFKA_CONSUMER)
    rd_kafka_poll_set_consumer(handle)
    rd_kafka_set_log_queue(handle, nil)
    // Without a group there is no consumer queue.
    let queue: OpaquePointer = rd_kafka_queue_get_consumer(handle) ?? rd_kafka_queue_get_main(handle)
    control = Lock(Control(queue: queue))
    wakeup = onControlEvent.map { Wakeup($0) }
    wakeup?.enable(on: queue)
  }

  deinit {
    let (queues, isJoining) = control.withLock { ([$0.queue] + $0.retired, $0.isJoining) }
    for queue in queues { Wakeup.disable(on: queue) }
    // Left alone then: mostly the process ends anyway.
    if isJoining, KafkaLibrary.versionNumber < Self.assignorMended { return }
    for queue in queues { rd_kafka_queue_destroy(queue) }
    // Where a topic was deleted meanwhile, librdkafka may wait for ever for a thread of its own. Left alone then too.
    let client = GuardedCall.Client(pointer: handle)
    _ = GuardedCall().run(limitMilliseconds: Self.destroyLimit) { () throws(KafkaError) in
      rd_kafka_destroy_flags(client.pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    }
  }

  /// The next event of the control queue; waits for up to `timeoutMilliseconds` (-1: for ever), nil where none came.
  public func poll(timeoutMilliseconds: Int32) -> ControlEvent? {
    let queue = control.withLock { $0.queue }
    guard let event = rd_kafka_queue_poll(queue, timeoutMilliseconds) else { return nil }
    defer { rd_kafka_event_destroy(event) }
    return controlEvent(event)
  }

  private func controlEvent(_ event: OpaquePointer) -> ControlEvent? {
    switch rd_kafka_event_type(event) {
    case RD_KAFKA_EVENT_REBALANCE: return rebalance(event)
    case RD_KAFKA_EVENT_ERROR: return .error(NativeEvent.error(event, of: handle))
    case RD_KAFKA_EVENT_LOG: return .log(NativeEvent.logLine(event))
    case RD_KAFKA_EVENT_STATS: return NativeEvent.statistics(event).map { .statistics($0) }
    case RD_KAFKA_EVENT_FETCH: return strayRecord(event)
    default: return nil
    }
  }

  private func rebalance(_ event: OpaquePointer) -> ControlEvent {
    let partitions = PartitionList.partitions(of: rd_kafka_event_topic_partition_list(event))
    switch rd_kafka_event_error(event) {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
      control.withLock { $0.isJoining = false }
      return .assign(partitions, RebalanceProtocol(handle))
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
      return .revoke(partitions, isLost: isAssignmentLost, RebalanceProtocol(handle))
    default:
      // Neither: librdkafka asks for an empty assignment, so that the group's state is in step again.
      rd_kafka_assign(handle, nil)
      return .error(NativeEvent.error(event, of: handle))
    }
  }

  private func strayRecord(_ event: OpaquePointer) -> ControlEvent? {
    guard let message = rd_kafka_event_message_next(event) else { return nil }
    let topic = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) } ?? ""
    let partition = TopicPartition(topic, message.pointee.partition)
    guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
      let text = rd_kafka_message_errstr(message).map { String(cString: $0) }
      return .error(KafkaError(message.pointee.err, "reading \(partition)", text: text))
    }
    return .strayRecord(partition, offset: message.pointee.offset)
  }

  /// Leaves the group in order: commits nothing, gives every partition back.
  ///
  /// The last `.revoke` comes to `handle`, which answers it as ever; so do all other events until the group is left.
  /// Partition queues may be closed before or while it runs.
  ///
  /// - Returns: false where the group was not left within the time limit; it then finds out by the session time-out.
  @discardableResult
  public func close(timeoutMilliseconds: Int32, _ handle: (ControlEvent) -> Void) -> Bool {
    guard beginClosing() else { return true }
    let deadline = ContinuousClock.now + .milliseconds(Int64(timeoutMilliseconds))
    while !isClosed {
      if ContinuousClock.now >= deadline { return false }
      if let event = poll(timeoutMilliseconds: 50) { handle(event) }
    }
    return true
  }

  /// Starts to leave the group; go on with `poll`, and answer what it brings, until `isClosed`.
  ///
  /// - Returns: false where there is nothing to leave: no group, already closed, or failed for good.
  public func beginClosing() -> Bool {
    // A queue of its own, as librdkafka asks for; logs and the rest come to it too.
    guard let queue = rd_kafka_queue_new(handle) else { return false }
    if let error = rd_kafka_consumer_close_queue(handle, queue) {
      rd_kafka_error_destroy(error)
      rd_kafka_queue_destroy(queue)
      return false
    }
    wakeup?.enable(on: queue)
    control.withLock {
      $0.retired.append($0.queue)
      $0.queue = queue
    }
    return true
  }

  /// True once the group has been left in order.
  public var isClosed: Bool { rd_kafka_consumer_closed(handle) != 0 }

  func noteJoining() { control.withLock { $0.isJoining = true } }
}
