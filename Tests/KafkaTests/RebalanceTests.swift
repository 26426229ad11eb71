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

  /// A partition that stays, and of which nothing is pulled through two rebalances: the mark that ends its transaction must not
  /// take the place of the records before it.
  @Test func whatIsHeldStillIsNotPassedOver() throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("held-still", partitions: 2)
    let producer = try KafkaProducer(kafka.configuration.merging(["transactional.id": RealKafka.uniqueName("t")]))
    try producer.initTransactions(timeoutMilliseconds: 20_000)
    try producer.beginTransaction()
    for partition: Int32 in [0, 1] {
      for _ in 0..<10 { try producer.produce(topic: topic, partition: partition, key: nil, value: [1]) }
    }
    try producer.commitTransaction(timeoutMilliseconds: 20_000)
    let properties: KafkaConfiguration = [
      "group.id": RealKafka.uniqueName("g"), "auto.offset.reset": "error", "enable.auto.commit": "false",
      "heartbeat.interval.ms": "100", "session.timeout.ms": "6000", "isolation.level": "read_committed",
      "partition.assignment.strategy": "cooperative-sticky",
    ]
    let configuration = kafka.configuration.merging(properties.properties)
    let consumer = try KafkaConsumer(configuration)
    try consumer.subscribe([topic])
    var queues: [TopicPartition: PartitionQueue] = [:]
    var pulled: [Int64] = []
    func pull() { for queue in queues.values { _ = queue.pull(max: 100) { pulled.append($0.offset) } } }
    /// Answers what comes until it holds.
    func answer(until holds: () -> Bool) throws {
      let deadline = ContinuousClock.now + .seconds(30)
      while !holds(), ContinuousClock.now < deadline {
        guard let event = consumer.poll(timeoutMilliseconds: 50) else { continue }
        // Between an event and its answer, only what is outdated is there: it is thrown away, as it may be at any time.
        pull()
        #expect(pulled.isEmpty)
        if case .revoke(let partitions, _, let rebalance) = event {
          for partition in partitions { queues.removeValue(forKey: partition)?.close() }
          for queue in queues.values { try queue.keepPlace(from: 0, timeoutMilliseconds: 10_000) }
          try consumer.unassign(partitions, rebalance)
        } else if case .assign(let partitions, let rebalance) = event {
          for queue in queues.values { try queue.keepPlace(from: 0, timeoutMilliseconds: 10_000) }
          for partition in partitions { queues[partition] = try consumer.partitionQueue(partition) {} }
          try consumer.assign(partitions.map { TopicPartitionOffset($0, offset: 0) }, rebalance)
        }
      }
      #expect(holds())
    }
    try answer { queues.count == 2 && queues.values.allSatisfy { $0.count >= 10 } }
    let other = try KafkaConsumer(configuration)
    try other.subscribe([topic])
    var moved: [TopicPartition] = []
    try answer {
      if case .assign(let partitions, let rebalance) = other.poll(timeoutMilliseconds: 10) {
        try? other.assign(partitions.map { TopicPartitionOffset($0, offset: 0) }, rebalance)
        moved += partitions
      }
      return queues.count == 1 && queues.values.allSatisfy { $0.count >= 10 } && moved.count == 1
    }
    let kept = try #require(queues.keys.first)
    let isClosed = other.close(timeoutMilliseconds: 10_000) { event in
      if case .revoke(let partitions, _, let rebalance) = event { try? other.unassign(partitions, rebalance) }
    }
    #expect(isClosed)
    try answer { queues.count == 2 }
    queues = queues.filter { $0.key == kept }
    let deadline = ContinuousClock.now + .seconds(20)
    while pulled.count < 10, ContinuousClock.now < deadline {
      pull()
      _ = consumer.poll(timeoutMilliseconds: 20)
    }
    #expect(pulled == Array(0..<10))
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
