import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// Restarts on a real Kafka: from the state topic, without it, and with what an operator or retention may have done.
@Suite(.serialized, .enabled(if: RealKafka.isAvailable("restarts") && Kcat.isAvailable("restarts")))
struct RestartTests {
  /// A day's window survives a restart although the day can't be read again: its records are gone. With TOCSIN_LONG_TESTS=1 it
  /// holds three million events.
  @Test func aDayIsNotReadAgain() throws {
    let isLong = ProcessInfo.processInfo.environment["TOCSIN_LONG_TESTS"] == "1"
    let accounts = 50
    let each = isLong ? 1_500_000 : 10_000
    let threshold = each / accounts + 3
    let job = try RestartJob(RealKafka.shared(), "day", threshold: threshold)
    defer { job.remove() }
    try job.write(each, from: 0, accounts: accounts)
    let first = try job.runToEnd(seconds: isLong ? 900 : 120)
    #expect(first.status == 0, "\(first.errors)")
    // A commit is told as soon as it is decided; readers of the state see it a little later.
    sleep(2)
    try job.trim(before: Int64(each))
    try job.write(3 * accounts, from: each, accounts: accounts)
    let second = try job.runToEnd()
    #expect(second.status == 0, "\(second.errors)")
    #expect(second.errors.contains("state was restored"), "\(second.errors)")
    #expect(!second.errors.contains("reading again") && !second.errors.contains("retention"), "\(second.errors)")
    #expect(try job.metric("tocsin_replayed_records_total") == 0)
    #expect(try job.metric("tocsin_records_total") == 6 * accounts, "nothing is read but what is new")
    // Each account reaches the threshold with its third event after the restart, and not one before.
    let expected = (0..<2).flatMap { partition in
      (0..<accounts).map { "account:a\(partition)-\($0) \(each + 2 * accounts + $0)" }
    }
    try job.check(expected)
  }

  /// Where the input is written in transactions, the last offset of each is a mark. The group goes past it, so that it has no
  /// lag; and where retention empties a topic that is quiet, nothing is gone that it has not read.
  @Test func aQuietTopicOfTransactions() throws {
    let accounts = 10
    let each = 40
    let job = try RestartJob(RealKafka.shared(), "quiet", threshold: each / accounts + 1, isTransactional: true)
    defer { job.remove() }
    try job.write(each, from: 0, accounts: accounts)
    let process = try job.start()
    try job.waitForCommitted(Int64(each) + 1)
    process.send(SIGTERM)
    let first = process.wait()
    #expect(first.status == 0, "\(first.errors)")
    try job.trim(before: Int64(each) + 1)
    try job.write(accounts, from: each, accounts: accounts)
    let second = try job.runToEnd()
    #expect(second.status == 0 && second.errors.contains("state was restored"), "\(second.errors)")
    #expect(!second.errors.contains("retention") && !second.errors.contains("reading again"), "\(second.errors)")
    #expect(try job.metric("tocsin_records_total") == 2 * accounts)
    try job.waitForCommitted(Int64(each + accounts) + 2)
    try job.check(
      (0..<2).flatMap { partition in (0..<accounts).map { "account:a\(partition)-\($0) \(each + 1 + $0)" } })
  }

  /// SIGKILL at any time, also while a snapshot is written, which is every second: the alerts are those of a run that nobody
  /// disturbed.
  @Test func killedWhileSnapshotsAreWritten() throws {
    let accounts = 400
    let job = try RestartJob(RealKafka.shared(), "killed", threshold: 50)
    defer { job.remove() }
    try job.write(24_000, from: 0, accounts: accounts)
    var random = SystemRandomNumberGenerator()
    for round in 0..<6 {
      let process = try job.start()
      #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
      usleep(UInt32.random(in: 600_000...2_400_000, using: &random))
      // The last one is killed with a snapshot behind it, however slow the machine is.
      if round == 5 { try job.waitForSnapshot() }
      process.send(SIGKILL)
      _ = process.wait()
    }
    let outcome = try job.runToEnd()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("state was restored"), "\(outcome.errors)")
    let expected = (0..<2).flatMap { partition in
      (0..<accounts).map { "account:a\(partition)-\($0) \(49 * accounts + $0)" }
    }
    try job.check(expected)
  }

  /// What an operator or retention may have done to the group, the input or the state: each has an answer that is told.
  @Test(.enabled(if: RealKafka.isStartable("named cases of restarts"))) func namedCases() throws {
    let kafka = try RealKafka.shared()
    let accounts = 10
    let job = try RestartJob(kafka, "cases", threshold: 1_000_000)
    defer { job.remove() }
    try job.write(2_000, from: 0, accounts: accounts)
    var outcome = try job.runToEnd()
    #expect(outcome.status == 0, "\(outcome.errors)")

    // The group is deleted; its state is there.
    try kafka.tool("groups", ["--delete", "--group", job.name])
    outcome = try job.runToEnd()
    #expect(outcome.status == 0 && outcome.errors.contains("the group's committed offset is gone"), "\(outcome.errors)")
    #expect(try job.metric("tocsin_records_total") == 0)

    // It is set back.
    try job.write(100, from: 2_000, accounts: accounts)
    outcome = try job.runToEnd()
    #expect(outcome.status == 0, "\(outcome.errors)")
    try job.setBack(to: 1_500)
    outcome = try job.runToEnd()
    #expect(outcome.status == 0 && outcome.errors.contains("whose state is from the future"), "\(outcome.errors)")
    #expect(outcome.errors.contains("was set by hand"))
    #expect(try job.metric("tocsin_records_total") == 2 * 600)

    // The state topic is deleted: the place in the offset's metadata is still there.
    let admin = try KafkaAdmin(kafka.configuration)
    for error in try admin.deleteTopics([job.stateTopic], timeoutMilliseconds: 20_000).values { throw error }
    outcome = try job.runToEnd()
    #expect(outcome.status == 0 && outcome.errors.contains("there is no snapshot to go on from"), "\(outcome.errors)")
    #expect(try job.metric("tocsin_replayed_records_total") == 2 * 600)

    // Retention passes the snapshot, and then what nobody has read.
    try job.write(500, from: 2_100, accounts: accounts)
    try job.trim(before: 2_300)
    outcome = try job.runToEnd()
    #expect(outcome.status == 0 && outcome.errors.contains("retention has passed the snapshot at offset"))
    #expect(outcome.errors.contains("records are gone before they were read"), "\(outcome.errors)")
    #expect(try job.metric("tocsin_records_total") == 2 * 300)
  }

  /// Retention passes a process that stands still: it finds where to go on by itself, with what it knows of before.
  @Test func retentionPassesAProcessThatStandsStill() throws {
    let accounts = 10
    let job = try RestartJob(RealKafka.shared(), "passed", threshold: 150)
    defer { job.remove() }
    try job.write(1_000, from: 0, accounts: accounts)
    let process = try job.start()
    #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
    try job.waitForCommitted(1_000)
    try job.waitForSnapshot()
    process.send(SIGSTOP)
    // What it has asked for is answered meanwhile.
    sleep(2)
    try job.write(2_000, from: 1_000, accounts: accounts)
    try job.trim(before: 1_500)
    process.send(SIGCONT)
    #expect(process.waitFor("a record that was to be read next is gone"), "\(process.errorText)")
    #expect(process.waitFor("records are gone before they were read"), "\(process.errorText)")
    try job.waitForCommitted(3_000)
    process.send(SIGTERM)
    var outcome = process.wait()
    #expect(outcome.status == 0, "\(outcome.errors)")
    // All that is left is read, once; a day that is not whole tells nothing.
    outcome = try job.runToEnd()
    #expect(outcome.status == 0 && !outcome.errors.contains("are gone"), "\(outcome.errors)")
    outcome = try job.runToEnd()
    #expect(outcome.status == 0 && outcome.errors.contains("state was restored"), "\(outcome.errors)")
    #expect(try job.metric("tocsin_records_total") == 0)
    try job.check([])
  }

  /// A topic that grows while it is read, and then at the next start: keys have moved.
  @Test(.enabled(if: RealKafka.isStartable("a topic that grows"))) func aTopicThatGrowsIsRefused() throws {
    let kafka = try RealKafka.shared()
    let job = try RestartJob(kafka, "grows", threshold: 1_000_000)
    defer { job.remove() }
    try job.write(200, from: 0, accounts: 10)
    let process = try job.start(["--set", "librdkafka.topic.metadata.refresh.interval.ms=500"])
    #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
    try kafka.tool("topics", ["--alter", "--topic", job.input, "--partitions", "3"])
    var outcome = process.wait()
    #expect(
      outcome.status == 3 && outcome.errors.contains("has 3 partitions or more now, and had 2 at the start"),
      "\(outcome.errors)")
    outcome = try job.runToEnd()
    #expect(
      outcome.status == 3 && outcome.errors.contains("has 2 partitions, and \(job.input) has 3"), "\(outcome.errors)")
  }

  @Test func aStateTopicThatIsWrongIsRefused() throws {
    let kafka = try RealKafka.shared()
    let job = try RestartJob(kafka, "wrong", threshold: 10)
    defer { job.remove() }
    let admin = try KafkaAdmin(kafka.configuration)
    let compacted = ["cleanup.policy": "compact"]
    for error in try admin.createTopics(
      [NewTopic(job.stateTopic, partitions: 3, configuration: compacted)], timeoutMilliseconds: 20_000
    ).values { throw error }
    var outcome = try job.runToEnd()
    #expect(
      outcome.status == 3 && outcome.errors.contains("has 3 partitions, and \(job.input) has 2"), "\(outcome.errors)")
    for error in try admin.deleteTopics([job.stateTopic], timeoutMilliseconds: 20_000).values { throw error }
    usleep(1_000_000)
    for error in try admin.createTopics([NewTopic(job.stateTopic, partitions: 2)], timeoutMilliseconds: 20_000).values {
      throw error
    }
    outcome = try job.runToEnd()
    #expect(outcome.status == 3 && outcome.errors.contains("cleanup.policy=delete"), "\(outcome.errors)")
    for error in try admin.deleteTopics([job.stateTopic], timeoutMilliseconds: 20_000).values { throw error }
    usleep(1_000_000)
    let text = try String(contentsOf: job.file, encoding: .utf8)
    try (text + "\ninternal_topics: require\n").write(to: job.file, atomically: true, encoding: .utf8)
    outcome = try job.runToEnd()
    #expect(outcome.status == 3 && outcome.errors.contains("internal_topics: require"), "\(outcome.errors)")
  }

  /// A list that a reload would refuse is not let in by a restart.
  @Test func aRestartTakesNoListThatHasShrunk() throws {
    let job = try RestartJob(RealKafka.shared(), "shrunk", threshold: 1_000_000)
    defer { job.remove() }
    let list = job.folder.appendingPathComponent("marks.txt")
    let text = try String(contentsOf: job.file, encoding: .utf8).replacing(
      "rules:\n",
      with: """
        tables:
          marks:
            load: { file: marks.txt, format: text, max_shrink: 50% }
            key: string
        rules:
          - { id: listed, where: from in marks }

        """)
    try text.write(to: job.file, atomically: true, encoding: .utf8)
    try job.write(20, from: 0, accounts: 10)
    for (keys, status) in [(10, 0), (6, 0), (2, 3), (3, 0)] as [(Int, Int32)] {
      try (0..<keys).map { "key-\($0)\n" }.joined().write(to: list, atomically: true, encoding: .utf8)
      let outcome = try job.runToEnd()
      #expect(outcome.status == status, "\(keys) keys: \(outcome.errors)")
      #expect(outcome.errors.contains("shrank from 6 to 2 entries") == (status == 3), "\(outcome.errors)")
      // What is in force is told with the next offset.
      if status == 0 { try job.write(20, from: 20 * keys, accounts: 10) }
    }
  }

  /// A restart within the session time-out moves nothing; who leaves by SIGINT is not waited for.
  @Test func membersOfANameKeepTheirPlaceAndLeaveByName() throws {
    let job = try RestartJob(RealKafka.shared(), "members", threshold: 1_000_000)
    defer { job.remove() }
    try job.write(200, from: 0, accounts: 10)
    let session = ["--set", "librdkafka.session.timeout.ms=120000"]
    let one = try job.start(instance: "one", session)
    #expect(one.waitFor("partitions were assigned"), "\(one.errorText)")
    let two = try job.start(instance: "two", session)
    #expect(two.waitFor("partitions were assigned"), "\(two.errorText)")
    #expect(one.waitFor("partitions were revoked"), "\(one.errorText)")
    usleep(2_000_000)
    let before = two.errorText
    one.send(SIGTERM)
    #expect(one.wait().status == 0)
    let again = try job.start(instance: "one", session)
    #expect(again.waitFor("partitions were assigned"), "\(again.errorText)")
    usleep(2_000_000)
    let news = two.errorText.dropFirst(before.count)
    #expect(!news.contains("partitions were"), "a restart has moved partitions: \(news)")
    again.send(SIGINT)
    let left = again.wait()
    #expect(left.status == 0 && left.errors.contains("leaving the group"), "\(left.errors)")
    // Long before the session time-out.
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline, !two.errorText.dropFirst(before.count).contains("partitions were assigned") {
      usleep(50_000)
    }
    #expect(two.errorText.dropFirst(before.count).contains("partitions were assigned"), "\(two.errorText)")
    two.send(SIGINT)
    #expect(two.wait().status == 0)
  }
}
