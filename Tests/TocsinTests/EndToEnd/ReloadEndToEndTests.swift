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

  /// Every other one has the filter of the one before it.
  private func version(_ number: Int) -> ReloadJob.Version {
    ReloadJob.Version(
      remainder: number % ReloadJob.modulus, listed: number % 3 == 0 ? ["k\(number % 30)", "k5"] : ["k5"],
      filter: number / 2)
  }

  private static let accepted = "a new version comes into force"
  private static let refused = "the changed pipeline is refused"
  private static let atLeastOnce = "delivery: at_least_once"

  /// 50 changes of which 10 are broken with TOCSIN_LONG_TESTS=1, else 10 of which 3 are.
  @Test(arguments: [false, true]) func changesUnderLoad(isAtLeastOnce: Bool) throws {
    let job = try ReloadJob(RealKafka.shared(), version(0), settings: isAtLeastOnce ? [Self.atLeastOnce] : [])
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
    let metrics = try String(contentsOfFile: job.metricsPath, encoding: .utf8).split(separator: "\n")
    for (outcome, count) in [("accepted", right), ("refused", wrong)] {
      #expect(metrics.contains("tocsin_reloads_total{outcome=\"\(outcome)\"} \(count)"), "\(metrics)")
    }
    // What was left over is read with the last version.
    try job.write(version(changes - (changes % broken == 0 ? 1 : 0)))
    let outcome = try job.start(["--stop-at-end"]).wait()
    #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    // Nobody was disturbed, so that nothing is repeated.
    let seen = try job.check().map(\.count)
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
    let seen = try job.check().map(\.count)
    #expect(seen.allSatisfy { $0 > 2 }, "versions seen in each partition: \(seen)")
  }

  /// Killed after a change is in force, with the last snapshot cut before the change, after it, or at the very offset of the
  /// change; every other time another file is in place at the next start. What was read is worked on again with the version of
  /// each offset, rules whose identity the changes kept go on with their state, and the others begin anew where they did.
  @Test(arguments: [false, true]) func killedWithSnapshotsAroundAChange(isAtLeastOnce: Bool) throws {
    // Longer than a change takes, however slow the machine is.
    let settings = ["snapshot: { every: 8s }"] + (isAtLeastOnce ? [Self.atLeastOnce] : [])
    let job = try ReloadJob(RealKafka.shared(), version(0), settings: settings)
    defer { job.remove() }
    try job.startProducing(perSecond: 300)
    var number = 0
    var restarts: [String] = []
    for round in 0..<(Self.isLong ? 24 : 6) {
      let process = try job.start()
      #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
      try job.waitForProgress(20)
      // A snapshot just before the change: at the end of what there is, where nothing is written meanwhile.
      let isPaused = round % 3 == 1
      job.pauseProducing(isPaused)
      if isPaused { try job.waitForSnapshotAtEnd() } else { try job.waitForSnapshot() }
      number += 1
      let before = count(Self.accepted, in: process)
      try job.write(version(number))
      process.send(SIGHUP)
      wait(for: Self.accepted, moreThan: before, process)
      // The tasks hear of it a moment later, before the next record of all.
      if isPaused { usleep(1_000_000) }
      job.pauseProducing(false)
      // Past the change, and soon: before the next snapshot of the partition that had one; else after at least one. What is
      // committed lags behind what is read by up to a second: a hundred records of each partition.
      try job.waitForProgress(isPaused ? 1 : 150)
      if round % 3 == 2 { try job.waitForSnapshot() }
      process.send(SIGKILL)
      restarts.append(process.wait().errors)
      if round % 2 == 1 {
        number += 1
        try job.write(version(number))
      }
    }
    job.endProducing()
    let outcome = try job.start(["--stop-at-end"]).wait()
    #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    restarts.append(outcome.errors)
    let changes = try job.check(isRepeating: isAtLeastOnce)
    let kinds = snapshotPlaces(restarts, changes, of: job.topic)
    // Which of them there are hangs on how fast the machine is.
    #expect(
      kinds.before + kinds.at + kinds.after > 0, "\(kinds) among \(restarts.count) starts: \(changes)")
  }

  /// Of the restores that logs tell of, how many went on from a snapshot before the last change that the group had come past,
  /// at it, and after it.
  private func snapshotPlaces(
    _ logs: [String], _ changes: [[Int]], of topic: String
  ) -> (before: Int, at: Int, after: Int) {
    var kinds = (before: 0, at: 0, after: 0)
    for line in logs.joined(separator: "\n").split(separator: "\n")
    where line.contains("reading again, with outputs muted") && line.contains("partition=\(topic)/") {
      guard let partition = Self.number("partition=\(topic)/", line), let from = Self.number("from=", line),
        let to = Self.number("to=", line), changes.indices.contains(partition)
      else { continue }
      guard let last = changes[partition].last(where: { $0 < to }), last > 0 else { continue }
      if from < last { kinds.before += 1 } else if from == last { kinds.at += 1 } else { kinds.after += 1 }
    }
    return kinds
  }

  private static func number(_ name: String, _ line: Substring) -> Int? {
    guard let place = line.range(of: " " + name) else { return nil }
    return Int(line[place.upperBound...].prefix { $0.isNumber })
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
    let seen = try job.check().map(\.count)
    #expect(seen.allSatisfy { $0 == 2 }, "versions seen in each partition: \(seen)")
  }

  /// A version that nothing names goes when a new one is written; one that is as old, but named with a committed offset, stays,
  /// and is read back by the next process.
  @Test func versionsThatNobodyNeedsAreRemoved() throws {
    let job = try ReloadJob(RealKafka.shared(), version(0))
    defer { job.remove() }
    try job.startProducing(perSecond: 300)
    let first = try job.start()
    #expect(first.waitFor("partitions were assigned"), "\(first.errorText)")
    try job.waitForProgress(20)
    let removed = try job.ageVersions(hours: 25)
    let before = count(Self.accepted, in: first)
    try job.write(version(1))
    first.send(SIGHUP)
    wait(for: Self.accepted, moreThan: before, first)
    #expect(first.waitFor("versions that nobody needs any more were removed"), "\(first.errorText)")
    try job.waitForProgress(20)
    first.send(SIGKILL)
    let errors = first.wait().errors
    #expect(errors.contains("versions=\(removed)\n"), "only \(removed): \(errors)")
    job.endProducing()
    let outcome = try job.start(["--stop-at-end"]).wait()
    #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    #expect(outcome.errors.contains("a version that was in force before was read"), "\(outcome.errors)")
    #expect(try job.check().allSatisfy { $0.count == 2 })
  }
}
