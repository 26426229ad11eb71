import Foundation
import KafkaTestSupport
import Testing

/// Changes of the file and its list while a pipeline runs under load, on a real Kafka.
@Suite(.serialized, .enabled(if: RealKafka.isAvailable("reload") && Kcat.isAvailable("reload")))
struct ReloadEndToEndTests {
  private static let isLong = ProcessInfo.processInfo.environment["TOCSIN_LONG_TESTS"] == "1"

  private func count(_ text: String, in process: TocsinProcess) -> Int {
    process.errorText.components(separatedBy: text).count - 1
  }

  /// Waits until the log says something once more than before.
  private func wait(for text: String, moreThan before: Int, _ process: TocsinProcess) {
    let deadline = ContinuousClock.now + .seconds(30)
    while count(text, in: process) <= before, ContinuousClock.now < deadline, process.isRunning { usleep(20_000) }
    #expect(count(text, in: process) > before, "no `\(text)`: \(process.errorText.suffix(2_000))")
  }

  private func version(_ number: Int) -> ReloadJob.Version {
    ReloadJob.Version(
      remainder: number % ReloadJob.modulus, listed: number % 3 == 0 ? ["k\(number % 30)", "k5"] : ["k5"])
  }

  private static let accepted = "a new version comes into force"
  private static let refused = "the changed pipeline is refused"

  /// 50 changes of which 10 are broken with TOCSIN_LONG_TESTS=1, else 10 of which 3 are.
  @Test func changesUnderLoad() throws {
    let job = try ReloadJob(RealKafka.shared(), version(0))
    defer { job.remove() }
    let process = try job.start()
    #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
    try job.startProducing(perSecond: 300)
    let changes = Self.isLong ? 50 : 10
    let broken = Self.isLong ? 5 : 3
    var (right, wrong) = (0, 0)
    for change in 1...changes {
      // The log holds back what comes too often.
      usleep(1_050_000)
      if change % broken == 0 {
        let before = count(Self.refused, in: process)
        try job.writeBroken(wrong)
        process.send(SIGHUP)
        wait(for: Self.refused, moreThan: before, process)
        wrong += 1
      } else {
        let before = count(Self.accepted, in: process)
        try job.write(version(change))
        // Without the signal, it is seen by itself.
        if change % 4 != 1 { process.send(SIGHUP) }
        wait(for: Self.accepted, moreThan: before, process)
        right += 1
      }
    }
    usleep(1_000_000)
    job.endProducing()
    process.send(SIGTERM)
    let stopped = process.wait()
    #expect(stopped.status == 0, "\(stopped.errors.suffix(3_000))")
    // What was left over is read with the last version.
    try job.write(version(changes - (changes % broken == 0 ? 1 : 0)))
    let outcome = try job.start(["--stop-at-end"]).wait()
    #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    let seen = try job.check()
    #expect(seen.allSatisfy { $0 > right / 2 }, "versions seen in each partition: \(seen) of \(right + 1)")
    #expect(wrong == changes / broken)
  }

  /// Killed at any moment around a change, and started again with yet another file in place.
  @Test func killedAroundChanges() throws {
    let job = try ReloadJob(RealKafka.shared(), version(0))
    defer { job.remove() }
    try job.startProducing(perSecond: 300)
    var random = SystemRandomNumberGenerator()
    for round in 0..<4 {
      let process = try job.start()
      #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
      try job.waitForProgress(20)
      try job.write(version(round * 2 + 1))
      process.send(SIGHUP)
      usleep(UInt32.random(in: 0...300_000, using: &random))
      process.send(SIGKILL)
      _ = process.wait()
      if round % 2 == 1 { try job.write(version(round * 2 + 2)) }
    }
    job.endProducing()
    let outcome = try job.start(["--stop-at-end"]).wait()
    #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    let seen = try job.check()
    #expect(seen.allSatisfy { $0 > 2 }, "versions seen in each partition: \(seen)")
  }

  /// A partition goes to an instance with another file in place: what was read is replayed with the old one.
  @Test func takenOverWithAnotherFile() throws {
    let job = try ReloadJob(RealKafka.shared(), version(3))
    defer { job.remove() }
    try job.startProducing(perSecond: 300)
    let first = try job.start(instance: "first")
    #expect(first.waitFor("partitions were assigned"), "\(first.errorText)")
    try job.waitForProgress(50)
    try job.write(version(5))
    // The first one has the old file in memory until it looks; it is stopped at once.
    first.send(SIGKILL)
    _ = first.wait()
    job.endProducing()
    let second = try job.start(instance: "second", ["--stop-at-end"])
    let outcome = second.wait()
    #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    #expect(outcome.errors.contains("a version that was in force before was read"), "\(outcome.errors.suffix(3_000))")
    let seen = try job.check()
    #expect(seen.allSatisfy { $0 == 2 }, "versions seen in each partition: \(seen)")
  }
}
