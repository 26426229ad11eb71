import CRdkafka

/// A Swift closure that librdkafka calls on one of its threads when a queue turns from empty to not empty.
final class Wakeup: Sendable {
  let handler: @Sendable () -> Void

  init(_ handler: @escaping @Sendable () -> Void) { self.handler = handler }

  /// From now on `queue` calls. The object must outlive that: keep it until after `disable`.
  func enable(on queue: OpaquePointer) {
    rd_kafka_queue_cb_event_enable(queue, queueTurnedReadable, Unmanaged.passUnretained(self).toOpaque())
  }

  /// librdkafka calls under the queue's lock, which this takes: when it returns, no call is under way.
  static func disable(on queue: OpaquePointer) { rd_kafka_queue_cb_event_enable(queue, nil, nil) }
}

/// A free function, since it runs on librdkafka's threads: a closure could inherit an actor that its caller stands on.
private func queueTurnedReadable(_ handle: OpaquePointer?, _ opaque: UnsafeMutableRawPointer?) {
  guard let opaque else { return }
  Unmanaged<Wakeup>.fromOpaque(opaque).takeUnretainedValue().handler()
}
