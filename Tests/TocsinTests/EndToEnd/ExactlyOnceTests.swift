import Foundation
import KafkaTestSupport
import Testing

/// The promise, on a real Kafka, told by a consumer that is not ours.
@Suite(.serialized, .enabled(if: RealKafka.isAvailable("exactly once") && Kcat.isAvailable("exactly once")))
struct ExactlyOnceTests {
  private static let repeats = 60_000

  @Test(arguments: RealKafka.versions, Combinations.libraries)
  func thePeersJobFindsWhatItHasTo(version: String, library: String?) throws {
    let job = try BenchJob(RealKafka.shared(version: version), events: Self.repeats, seed: 1, library: library)
    defer { job.remove() }
    let outcome = try job.start(["--stop-at-end"]).wait()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("\(Self.repeats) events read"))
    try job.check()
  }

  @Test func killedAgainAndAgain() throws {
    let job = try BenchJob(RealKafka.shared(), events: 150_000, seed: 2)
    defer { job.remove() }
    var random = SystemRandomNumberGenerator()
    for _ in 0..<5 {
      let process = try job.start()
      #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
      usleep(UInt32.random(in: 50_000...900_000, using: &random))
      process.send(SIGKILL)
      _ = process.wait()
    }
    let outcome = try job.start(["--stop-at-end"]).wait()
    #expect(outcome.status == 0, "\(outcome.errors)")
    try job.check()
  }

  @Test func stoppedInOrderAgainAndAgain() throws {
    let job = try BenchJob(RealKafka.shared(), events: 150_000, seed: 3)
    defer { job.remove() }
    for round in 0..<3 {
      let process = try job.start()
      #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
      usleep(400_000)
      process.send(round.isMultiple(of: 2) ? SIGTERM : SIGINT)
      let outcome = process.wait()
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("stopping: what was read is settled first"))
    }
    let outcome = try job.start(["--stop-at-end"]).wait()
    #expect(outcome.status == 0, "\(outcome.errors)")
    try job.check()
  }

  /// A second instance joins under load, and the first one leaves: partitions move with their windows.
  @Test func instancesComeAndGo() throws {
    let job = try BenchJob(RealKafka.shared(), events: 200_000, seed: 4)
    defer { job.remove() }
    let session = ["--set", "librdkafka.session.timeout.ms=6000"]
    let first = try job.start(instance: "first", session)
    #expect(first.waitFor("partitions were assigned"), "\(first.errorText)")
    let second = try job.start(instance: "second", session)
    #expect(second.waitFor("partitions were assigned"), "\(second.errorText)")
    usleep(500_000)
    first.send(SIGTERM)
    let firstOutcome = first.wait()
    #expect(firstOutcome.status == 0, "\(firstOutcome.errors)")
    second.send(SIGTERM)
    let secondOutcome = second.wait()
    #expect(secondOutcome.status == 0, "\(secondOutcome.errors)")
    let outcome = try job.start(instance: "second", session + ["--stop-at-end"]).wait()
    #expect(outcome.status == 0, "\(outcome.errors)")
    try job.check()
  }

  /// The broker stands still for longer than a transaction, or the group's session, may last (a minute with
  /// TOCSIN_LONG_TESTS=1). A member of a name whose group has not heard of it may be fenced by its own second attempt to join.
  @Test(arguments: [true, false]) func aStalledBrokerLosesAndDoublesNothing(isStatic: Bool) throws {
    let kafka = try RealKafka.own("stalled")
    defer { kafka.stop() }
    let job = try BenchJob(kafka, events: 300_000, seed: 5)
    defer { job.remove() }
    let session = ["--set", "librdkafka.session.timeout.ms=\(isStatic ? 6_000 : 45_000)"]
    let process = try job.start(isStatic: isStatic, ["--stop-at-end"] + session)
    #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
    usleep(1_200_000)
    try kafka.pause()
    let isLong = ProcessInfo.processInfo.environment["TOCSIN_LONG_TESTS"] == "1"
    usleep(2_000_000)
    let before = process.residentKilobytes
    sleep(isLong ? 60 : 13)
    let after = process.residentKilobytes
    try kafka.resume()
    #expect(after < before + 32_768, "memory grew from \(before) to \(after) KiB while the broker stood still")
    let outcome = process.wait(seconds: 180)
    #expect(outcome.status == 0, "\(outcome.errors)")
    try job.check()
  }

  @Test func aSecondProcessOfTheSameNameEndsTheFirst() throws {
    let job = try BenchJob(RealKafka.shared(), events: 20_000, seed: 6)
    defer { job.remove() }
    let first = try job.start()
    #expect(first.waitFor("partitions were assigned"), "\(first.errorText)")
    // It stays: the first one would rightly go on where a second one had come and gone before it could be seen.
    let second = try job.start()
    let outcome = first.wait()
    #expect(outcome.status == 5, "\(outcome.errors)")
    #expect(outcome.errors.contains("--instance") || outcome.errors.contains("group.instance.id"), "\(outcome.errors)")
    second.send(SIGTERM)
    #expect(second.wait().status == 0, "\(second.errorText)")
    let last = try job.start(["--stop-at-end"]).wait()
    #expect(last.status == 0, "\(last.errors)")
    try job.check()
  }

  @Test func atLeastOnceLosesNothing() throws {
    let job = try BenchJob(RealKafka.shared(), events: 60_000, seed: 7)
    defer { job.remove() }
    let arguments = job.arguments()
    let environment = job.environment.merging(["TOCSIN_BENCH_DELIVERY": "at_least_once"]) { $1 }
    let killed = try TocsinProcess(arguments, environment: environment)
    #expect(killed.waitFor("partitions were assigned"), "\(killed.errorText)")
    usleep(300_000)
    killed.send(SIGKILL)
    _ = killed.wait()
    let outcome = try TocsinProcess.run(arguments + ["--stop-at-end"], environment: environment)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try job.opened()
    let records = try Kcat.read("\(job.topic).alerts", of: job.kafka.bootstrapServers)
    // A repeat has the id of the first time.
    let ids = Dictionary(grouping: records.filter { $0.headers["ce_type"]?.contains("opened") ?? false }) {
      $0.headers["ce_id"] ?? ""
    }
    #expect(ids.count == job.expected.count)
    #expect(Set(found) == Set(job.expected))
  }
}
