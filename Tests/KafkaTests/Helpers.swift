import Dispatch
import Foundation
import Kafka
import Locking

/// One partition, read without joining a group.
final class GrouplessReader {
  let consumer: KafkaConsumer
  let queue: PartitionQueue
  private let readable: DispatchSemaphore

  init(_ configuration: KafkaConfiguration, _ partition: TopicPartition, from offset: Int64 = 0) throws {
    consumer = try KafkaConsumer(
      ["group.id": "reader", "auto.offset.reset": "error", "enable.auto.commit": "false"]
        .merging(configuration.properties) { $1 }.configuration)
    let readable = DispatchSemaphore(value: 0)
    self.readable = readable
    queue = try consumer.partitionQueue(partition) { readable.signal() }
    try consumer.assign([TopicPartitionOffset(partition, offset: offset)])
  }

  /// Waits for the queue's wake-up; bounded, so that a lost one fails the test instead of hanging it.
  func waitUntilReadable() { _ = readable.wait(timeout: .now() + 10) }

  /// Records that went to the control queue although the partition has one of its own.
  func strayRecords() -> Int {
    var strays = 0
    while let event = consumer.poll(timeoutMilliseconds: 20) {
      if case .strayRecord = event { strays += 1 }
    }
    return strays
  }
}

extension [String: String] {
  var configuration: KafkaConfiguration { KafkaConfiguration(self) }
}

/// The first `count` records of a partition; fewer where they do not come in time.
func readAll(
  _ configuration: KafkaConfiguration, _ partition: TopicPartition, count: Int
) throws -> [KafkaRecord] {
  let reader = try GrouplessReader(configuration, partition)
  var records: [KafkaRecord] = []
  let deadline = ContinuousClock.now + .seconds(20)
  while records.count < count, ContinuousClock.now < deadline {
    let pulled = reader.queue.pull(max: 100) { records.append(KafkaRecord($0)) }
    if pulled.isDrained, records.count < count { reader.waitUntilReadable() }
  }
  return records
}

/// A member of a group on a thread of its own, which answers what comes and notes it.
final class Member: Sendable {
  /// Something a rebalance brought.
  enum Step: Equatable {
    case assigned(Set<Int32>, RebalanceProtocol)
    case revoked(Set<Int32>, isLost: Bool, RebalanceProtocol)
  }

  private struct State {
    var steps: [Step] = []
    var queues: [TopicPartition: PartitionQueue] = [:]
    var offsets: [TopicPartition: [Int64]] = [:]
    var strays = 0
    var wakes = 0
    var errors: [KafkaError] = []
    var isStopping = false
    var isDone = false
  }

  let consumer: KafkaConsumer
  private let state = Lock(State())

  init(_ configuration: KafkaConfiguration, group: String, topic: String, _ more: [String: String] = [:]) throws {
    let properties = [
      "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": "false", "heartbeat.interval.ms": "100",
      "session.timeout.ms": "6000", "isolation.level": "read_committed",
    ].merging(configuration.properties) { $1 }.merging(more) { $1 }
    consumer = try KafkaConsumer(KafkaConfiguration(properties))
    try consumer.subscribe([topic])
    Thread.detachNewThread { self.run() }
  }

  private func run() {
    while !state.withLock({ $0.isStopping }) {
      if let event = consumer.poll(timeoutMilliseconds: 20) { answer(event) }
      pull()
    }
    consumer.close(timeoutMilliseconds: 10_000) { answer($0) }
    state.withLock { $0.isDone = true }
  }

  private func answer(_ event: ControlEvent) {
    switch event {
    case .assign(let partitions, let rebalance): assign(partitions, rebalance)
    case .revoke(let partitions, let isLost, let rebalance):
      for partition in partitions { state.withLock { $0.queues.removeValue(forKey: partition) }?.close() }
      note(.revoked(Set(partitions.map(\.partition)), isLost: isLost, rebalance))
      attempt { () throws(KafkaError) in try consumer.unassign(partitions, rebalance) }
    case .error(let error): state.withLock { $0.errors.append(error) }
    case .strayRecord: state.withLock { $0.strays += 1 }
    case .log, .statistics: break
    }
  }

  private func assign(_ partitions: [TopicPartition], _ rebalance: RebalanceProtocol) {
    for partition in partitions {
      attempt { () throws(KafkaError) in
        let queue = try consumer.partitionQueue(partition) { self.state.withLock { $0.wakes += 1 } }
        state.withLock { $0.queues[partition] = queue }
      }
    }
    attempt { () throws(KafkaError) in
      let starts = partitions.map { TopicPartitionOffset($0, offset: TopicPartitionOffset.stored) }
      try consumer.assign(starts, rebalance)
    }
    note(.assigned(Set(partitions.map(\.partition)), rebalance))
  }

  private func pull() {
    for (partition, queue) in state.withLock({ $0.queues }) {
      var offsets: [Int64] = []
      _ = queue.pull(max: 100) { offsets.append($0.offset) }
      if !offsets.isEmpty { state.withLock { $0.offsets[partition, default: []] += offsets } }
    }
  }

  private func attempt(_ body: () throws(KafkaError) -> Void) {
    do throws(KafkaError) { try body() } catch { state.withLock { $0.errors.append(error) } }
  }

  private func note(_ step: Step) { state.withLock { $0.steps.append(step) } }

  var steps: [Step] { state.withLock { $0.steps } }
  var held: Set<Int32> { Set(state.withLock { $0.queues.keys.map(\.partition) }) }
  var offsets: [TopicPartition: [Int64]] { state.withLock { $0.offsets } }
  var strays: Int { state.withLock { $0.strays } }
  var wakes: Int { state.withLock { $0.wakes } }
  var errors: [KafkaError] { state.withLock { $0.errors } }

  /// Leaves the group; returns when it is left.
  func leave() async {
    state.withLock { $0.isStopping = true }
    _ = await eventually { self.state.withLock { $0.isDone } }
  }
}

/// Waits until something holds, 30 s at most; false where it never did.
func eventually(_ condition: () -> Bool) async -> Bool {
  for _ in 0..<1_500 {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(20))
  }
  return condition()
}

extension KafkaProducer {
  /// Writes texts to a topic and waits until they are written.
  func write(_ values: [String], to topic: String, partition: Int32 = 0) throws {
    for value in values { try produce(topic: topic, partition: partition, key: nil, value: Array(value.utf8)) }
    try flush(timeoutMilliseconds: 20_000)
    for delivery in pollDeliveries() {
      if let error = delivery.error { throw error }
    }
  }
}
