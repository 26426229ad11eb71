import Kafka
import KafkaTestSupport
import Testing

/// Two members of a group on a real Kafka: rebalances as values, and records that stay in their queues.
@Suite(.enabled(if: RealKafka.isAvailable("RebalanceTests")))
struct RebalanceTests {
  private static let partitions: Set<Int32> = [0, 1, 2, 3]

  /// Writes to all partitions until it is stopped.
  private final class Writer: Sendable {
    private let task: Task<Int, any Error>

    init(_ kafka: RealKafka, _ topic: String) throws {
      let producer = try KafkaProducer(kafka.configuration.merging(["linger.ms": "1"]))
      task = Task.detached {
        var count = 0
        while !Task.isCancelled {
          for partition in RebalanceTests.partitions {
            try producer.produce(topic: topic, partition: partition, key: nil, value: [1])
          }
          count += 1
          _ = producer.pollDeliveries()
          try? await Task.sleep(for: .milliseconds(2))
        }
        try producer.flush(timeoutMilliseconds: 20_000)
        return count
      }
    }

    /// Records written to each partition.
    func stop() async throws -> Int {
      task.cancel()
      return try await task.value
    }
  }

  private func rising(_ offsets: [Int64]) -> Bool { zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 } }
  private func gapless(_ offsets: [Int64]) -> Bool { zip(offsets, offsets.dropFirst()).allSatisfy { $0 + 1 == $1 } }

  @Test func aCooperativeRebalanceMovesOnlyWhatChangesHands() async throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("cooperative", partitions: 4)
    let group = RealKafka.uniqueName("g")
    let strategy = ["partition.assignment.strategy": "cooperative-sticky"]
    let writer = try Writer(kafka, topic)
    let first = try Member(kafka.configuration, group: group, topic: topic, strategy)
    #expect(await eventually { first.held == Self.partitions && first.offsets.count == 4 })
    #expect(first.steps == [.assigned(Self.partitions, .cooperative)])
    let second = try Member(kafka.configuration, group: group, topic: topic, strategy)
    #expect(await eventually { first.held.count == 2 && second.held.count == 2 && second.offsets.count == 2 })
    let moved = second.held
    #expect(first.held == Self.partitions.subtracting(moved))
    #expect(first.steps.contains(.revoked(moved, isLost: false, .cooperative)))
    #expect(second.steps.contains(.assigned(moved, .cooperative)))
    #expect(first.consumer.rebalanceProtocol == .cooperative)
    // What stays is read on without a gap, also while the rebalance goes on.
    for (partition, offsets) in first.offsets where !moved.contains(partition.partition) {
      #expect(gapless(offsets) && offsets.first == 0, "\(partition)")
    }
    // A member that leaves gives its partitions back.
    await second.leave()
    #expect(await eventually { first.held == Self.partitions })
    #expect(second.steps.last == .revoked(moved, isLost: false, .cooperative))
    let count = try await writer.stop()
    #expect(await eventually { first.offsets.values.allSatisfy { $0.last == Int64(count - 1) } })
    for (partition, offsets) in first.offsets where !moved.contains(partition.partition) {
      #expect(offsets == Array(0..<Int64(count)), "\(partition)")
    }
    for (partition, offsets) in second.offsets { #expect(gapless(offsets), "\(partition)") }
    #expect(first.strays == 0 && second.strays == 0 && first.wakes > 0 && second.wakes > 0)
    #expect(first.errors.filter { $0.class == .fatal }.isEmpty)
    await first.leave()
  }

  @Test func anEagerRebalanceTakesEverythingAwayFirst() async throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("eager", partitions: 4)
    let group = RealKafka.uniqueName("g")
    let strategy = ["partition.assignment.strategy": "range"]
    let writer = try Writer(kafka, topic)
    let first = try Member(kafka.configuration, group: group, topic: topic, strategy)
    #expect(await eventually { first.held == Self.partitions && first.offsets.count == 4 })
    let second = try Member(kafka.configuration, group: group, topic: topic, strategy)
    #expect(await eventually { first.held.count == 2 && second.held.count == 2 && second.offsets.count == 2 })
    #expect(
      first.steps == [
        .assigned(Self.partitions, .eager), .revoked(Self.partitions, isLost: false, .eager),
        .assigned(first.held, .eager),
      ])
    #expect(second.steps == [.assigned(second.held, .eager)])
    #expect(first.held.union(second.held) == Self.partitions && first.held.isDisjoint(with: second.held))
    _ = try await writer.stop()
    #expect(first.strays == 0 && second.strays == 0)
    for (partition, offsets) in second.offsets { #expect(rising(offsets), "\(partition)") }
    await second.leave()
    await first.leave()
  }
}
