import Foundation
import Kafka
import KafkaTestSupport
import Locking

/// A member of a group, polled on a thread of its own, for the membership that a fence needs.
final class GroupMember: Sendable {
  let consumer: KafkaConsumer
  private let state = Lock((assignments: 0, isStopping: false, isDone: false))

  init(_ kafka: RealKafka, group: String, topic: String) throws {
    consumer = try KafkaConsumer(
      kafka.configuration.merging([
        "group.id": group, "enable.auto.commit": "false", "session.timeout.ms": "6000", "heartbeat.interval.ms": "100",
        "partition.assignment.strategy": "cooperative-sticky",
      ]))
    try consumer.subscribe([topic])
    Thread.detachNewThread { self.run() }
  }

  private func run() {
    while !state.withLock({ $0.isStopping }) {
      if let event = consumer.poll(timeoutMilliseconds: 20) { answer(event) }
    }
    consumer.close(timeoutMilliseconds: 10_000) { answer($0) }
    state.withLock { $0.isDone = true }
  }

  private func answer(_ event: ControlEvent) {
    switch event {
    case .assign(_, let rebalance):
      // Nothing is read: only the membership matters.
      try? consumer.assign([], rebalance)
      state.withLock { $0.assignments += 1 }
    case .revoke(let partitions, _, let rebalance): try? consumer.unassign(partitions, rebalance)
    default: break
    }
  }

  /// The membership once it has taken an assignment in a generation above `generation`.
  func membership(after generation: Int32 = -1) throws -> GroupMetadata {
    for _ in 0..<1_500 {
      if let group = consumer.groupMetadata(), let found = group.generation, found > generation,
        state.withLock({ $0.assignments > 0 })
      {
        return group
      }
      usleep(20_000)
    }
    throw NoMembership()
  }

  struct NoMembership: Error {}

  func leave() {
    state.withLock { $0.isStopping = true }
    for _ in 0..<1_000 where !state.withLock({ $0.isDone }) { usleep(20_000) }
  }
}
