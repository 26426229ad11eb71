import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// Partitions that a member gave up and died before they were given to another.
@Suite(.enabled(if: RealKafka.isStartable("orphaned partitions")))
struct OrphanTests {
  /// A member of the group that answers what it is told for as long as it lives.
  private final class Member {
    let consumer: KafkaConsumer

    init(_ job: RestartJob, _ instance: String) throws {
      consumer = try KafkaConsumer(
        job.kafka.configuration.merging([
          "group.id": job.name, "group.instance.id": "\(job.name)-\(instance)", "session.timeout.ms": "120000",
          "partition.assignment.strategy": "cooperative-sticky", "auto.offset.reset": "earliest",
        ]))
      try consumer.subscribe([job.input])
    }

    /// Polls until `isDone`, or for so long; a revoke is answered only where `answersRevoke`.
    func poll(seconds: Int, answersRevoke: Bool = true, until isDone: (ControlEvent) -> Bool) throws -> Bool {
      let deadline = ContinuousClock.now + .seconds(seconds)
      while ContinuousClock.now < deadline {
        guard let event = consumer.poll(timeoutMilliseconds: 50) else { continue }
        switch event {
        case .assign(let partitions, let rebalance):
          try consumer.assign(partitions.map { TopicPartitionOffset($0, offset: 0) }, rebalance)
        case .revoke(let partitions, _, let rebalance):
          if answersRevoke { try consumer.unassign(partitions, rebalance) }
        default: break
        }
        if isDone(event) { return true }
      }
      return false
    }
  }

  @Test func whatBelongsToNobodyIsGivenOutAgain() throws {
    let job = try RestartJob(RealKafka.shared(), "orphans", threshold: 1_000_000, partitions: 4)
    defer { job.remove() }
    // It has all partitions, is asked to give some up, and dies before it has joined again.
    var dying: Member? = try Member(job, "one")
    let isFirst = try dying?.poll(seconds: 30) { if case .assign(let all, _) = $0 { all.count == 4 } else { false } }
    #expect(isFirst == true)
    let other = try Member(job, "two")
    let asked = try dying?.poll(seconds: 30, answersRevoke: false) { event in
      _ = try? other.poll(seconds: 0) { _ in true }
      if case .revoke = event { return true }
      return false
    }
    #expect(asked == true)
    dying = nil
    let all = Set((0..<4).map { TopicPartition(job.input, Int32($0)) })
    let process = try job.start(instance: "one", ["--set", "librdkafka.session.timeout.ms=120000"])
    #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
    var found: GroupAssignment?
    let deadline = ContinuousClock.now + .seconds(90)
    var sawOrphans = false
    while ContinuousClock.now < deadline {
      _ = try other.poll(seconds: 1) { _ in false }
      found = try other.consumer.assignment(ofGroup: job.name, timeoutMilliseconds: 10_000)
      guard let found, found.isStable else { continue }
      if found.partitions == all { break }
      sawOrphans = true
    }
    #expect(sawOrphans, "the group never left partitions to nobody: the test shows nothing")
    #expect(found?.partitions == all, "\(process.errorText)")
    #expect(process.errorText.contains("partitions belong to no member"), "\(process.errorText)")
    process.send(SIGINT)
    #expect(process.wait().status == 0)
  }
}
