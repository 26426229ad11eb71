import Foundation
import Kafka
import KafkaTestSupport
import Locking
import Testing

/// Everything that can come between a commit and its answer, forced on real brokers: nothing is lost or doubled, and who
/// can't go on says why.
///
/// Each test has a broker version and a librdkafka of its own, in turn; with TOCSIN_LONG_TESTS=1 each has all of them.
@Suite(.serialized, .enabled(if: RealKafka.isStartable("settling") && Kcat.isAvailable("settling")))
struct SettlingTests {
  /// A broker and a librdkafka.
  struct Setting: Sendable, CustomTestStringConvertible {
    var version: String
    /// librdkafka's folder; nil: the system's.
    var library: String?

    var testDescription: String {
      "Kafka \(version), librdkafka \(library == nil ? "of the system" : Combinations.newerLibrdkafka)"
    }
  }

  private static let settings: [Setting] = RealKafka.versions.flatMap { version in
    Combinations.libraries.map { Setting(version: version, library: $0) }
  }

  /// All settings in a long run, else one, by turns.
  private static func settings(turn: Int) -> [Setting] {
    if ProcessInfo.processInfo.environment["TOCSIN_LONG_TESTS"] == "1" || settings.isEmpty { return settings }
    return [settings[turn % settings.count]]
  }

  /// A broker of a version that these tests may stop and kill; what takes days elsewhere takes seconds here.
  private static func broker(_ version: String) throws -> RealKafka {
    try brokers.withLock { brokers in
      if let known = brokers[version] { return known }
      let kafka = try RealKafka.own(
        "settling", version: version,
        settings: [
          "transactional.id.expiration.ms=4000", "transaction.remove.expired.transaction.cleanup.interval.ms=500",
          "transaction.abort.timed.out.transaction.cleanup.interval.ms=500", "group.min.session.timeout.ms=1000",
        ])
      brokers[version] = kafka
      return kafka
    }
  }

  private static let brokers = Lock<[String: RealKafka]>([:])
  private static let settledText = "a transaction has to be settled anew"

  /// Does something again and again until the process has settled a transaction.
  private func untilSettled(_ process: TocsinProcess, _ body: () throws -> Void) throws {
    for _ in 0..<8 where !process.errorText.contains(Self.settledText) {
      try body()
      for _ in 0..<30 where !process.errorText.contains(Self.settledText) { usleep(100_000) }
    }
    #expect(process.errorText.contains(Self.settledText), "no transaction was lost: \(process.errorText)")
  }

  // MARK: Commits that do not go through

  /// Records that the broker does not take in time fail the transaction: an abortable error.
  @Test(arguments: settings(turn: 0))
  func theBrokerStandsStillInMidCommit(_ setting: Setting) throws {
    let kafka = try Self.broker(setting.version)
    let job = try LiveJob(kafka, library: setting.library)
    let process = try job.start(["--set", "librdkafka.delivery.timeout.ms=1000"])
    job.beginWriting()
    try untilSettled(process) {
      usleep(UInt32.random(in: 500_000..<900_000))
      try kafka.pause()
      usleep(2_500_000)
      try kafka.resume()
    }
    try job.finish([process])
  }

  /// The coordinator ends a transaction that outlives its time-out and shuts its producer out: a fatal error, which is
  /// not to be taken for another process of the same name.
  @Test(arguments: settings(turn: 3))
  func theProcessStandsStillInMidCommit(_ setting: Setting) throws {
    let kafka = try Self.broker(setting.version)
    let job = try LiveJob(kafka, library: setting.library)
    let process = try job.start(["--set", "librdkafka.transaction.timeout.ms=1000"])
    job.beginWriting()
    try untilSettled(process) {
      usleep(UInt32.random(in: 300_000..<600_000))
      // While the broker stands still, a transaction begins and does not end.
      try kafka.pause()
      usleep(300_000)
      process.send(SIGSTOP)
      try kafka.resume()
      usleep(2_500_000)
      process.send(SIGCONT)
    }
    try job.finish([process])
  }

  @Test(arguments: settings(turn: 1))
  func theBrokerIsKilledInMidCommit(_ setting: Setting) throws {
    let kafka = try Self.broker(setting.version)
    let job = try LiveJob(kafka, library: setting.library)
    let process = try job.start()
    job.beginWriting()
    usleep(UInt32.random(in: 700_000..<1_500_000))
    try kafka.kill()
    try kafka.restart()
    usleep(500_000)
    try job.finish([process])
  }

  /// The broker forgets a transactional id that has been quiet for long.
  @Test(arguments: settings(turn: 2))
  func theTransactionalIDExpires(_ setting: Setting) throws {
    let job = try LiveJob(Self.broker(setting.version), library: setting.library)
    let process = try job.start()
    try job.write(20)
    try job.check()
    try untilSettled(process) {
      sleep(6)
      try job.write(20)
    }
    try job.finish([process])
  }

  // MARK: Partitions that move

  /// Another instance comes and goes under load: partitions are revoked while transactions are in flight.
  @Test(arguments: settings(turn: 0))
  func partitionsAreRevokedInMidCommit(_ setting: Setting) throws {
    let job = try LiveJob(Self.broker(setting.version), library: setting.library)
    let first = try job.start(instance: "first")
    job.beginWriting()
    for number in 0..<2 {
      let second = try job.start(instance: "second-\(number)")
      usleep(UInt32.random(in: 300_000..<900_000))
      // SIGTERM would keep the place of its name, and leave its partitions unread until the session time-out.
      second.send(SIGINT)
      let outcome = second.wait()
      #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    }
    #expect(first.errorText.contains("partitions were revoked"))
    try job.finish([first])
  }

  /// A process stands still until another has its partitions, and then goes on where it was.
  @Test(arguments: settings(turn: 3))
  func aZombieWakesUp(_ setting: Setting) throws {
    let job = try LiveJob(Self.broker(setting.version), library: setting.library)
    let session = ["--set", "librdkafka.session.timeout.ms=3000"]
    let zombie = try job.start(session, instance: "zombie")
    job.beginWriting()
    sleep(1)
    zombie.send(SIGSTOP)
    let heir = try job.start(session, instance: "heir")
    sleep(2)
    zombie.send(SIGCONT)
    sleep(2)
    try job.finish([zombie, heir])
  }

  @Test(arguments: settings(turn: 1))
  func twoProcessesHaveOneName(_ setting: Setting) throws {
    let job = try LiveJob(Self.broker(setting.version), library: setting.library)
    let older = try job.start()
    job.beginWriting()
    usleep(500_000)
    let younger = try job.start()
    let outcome = older.wait()
    #expect(outcome.status == 5, "\(outcome.errors.suffix(3_000))")
    #expect(outcome.errors.contains("--instance") || outcome.errors.contains("group.instance.id"))
    try job.finish([younger])
  }

  // MARK: Records and rights

  /// A dead letter over its topic's bound gives way to a short one; everything else goes on.
  @Test(arguments: settings(turn: 2))
  func aRecordCanNeverBeWritten(_ setting: Setting) throws {
    let kafka = try Self.broker(setting.version)
    let job = try LiveJob(kafka, library: setting.library)
    let admin = try KafkaAdmin(kafka.configuration)
    let topic = NewTopic("\(job.topic).dead", partitions: 1, configuration: ["max.message.bytes": "30000"])
    let errors = try admin.createTopics([topic], timeoutMilliseconds: 20_000)
    #expect(errors.isEmpty, "\(errors)")
    let process = try job.start()
    try job.write(50)
    try job.write("{" + String(repeating: "x", count: 60_000))
    try job.write(50)
    try job.finish([process])
    let dead = try Kcat.read("\(job.topic).dead", of: kafka.bootstrapServers)
    #expect(dead.map { $0.headers["tocsin-truncated"] } == ["60001"])
  }

  /// The right to write alerts is withdrawn while the pipeline runs.
  @Test(arguments: settings(turn: 1))
  func aRightIsWithdrawn(_ setting: Setting) throws {
    // librdkafka 2.0.2 can't log in to Kafka 4 with SCRAM.
    let isLoginPossible = setting.library != nil || !setting.version.hasPrefix("4")
    let setting = isLoginPossible ? setting : Setting(version: "3.9.2", library: setting.library)
    let kafka = try Self.broker(setting.version)
    let job = try LiveJob(kafka, library: setting.library)
    let process = try job.start(isSecure: true)
    try job.write(20)
    try job.check()
    try kafka.deny("Write", ["--topic", "\(job.topic).alerts"])
    try job.write(20)
    let outcome = process.wait()
    #expect(outcome.status == 3, "\(outcome.errors.suffix(3_000))")
    #expect(outcome.errors.contains("WRITE"), "\(outcome.errors.suffix(3_000))")
    // A process that may write makes them, once.
    try job.finish([try job.start()])
  }
}
