import Foundation
import KafkaTestSupport

/// One run: payments flow, processes and brokers are beaten, then everything is let to drain and compared with the truth.
package final class TortureRun {
  /// How it runs.
  package struct Options: Sendable {
    package var seconds = 600.0
    package var seed: UInt64 = 1
    package var nodes = 3
    package var version = RealKafka.newest
    package var instances = 4
    /// Payments a second.
    package var rate = 400.0
    /// Seconds between two blows.
    package var gap = 1.0..<5.0
    /// Seconds that what is unsettled when the blows have ended may take.
    package var drain = 180.0
    /// The folder of its files; it is removed where all was right.
    package var folder: String
    /// The program `tocsin`.
    package var program: String
    /// Whether members of the group have names of their own in it, so that a restart moves nothing.
    package var isStatic = true
    /// The folder of a librdkafka other than the system's.
    package var library: String?

    package init(folder: String, program: String) {
      self.folder = folder
      self.program = program
    }
  }

  /// What came of it.
  package struct Outcome: Sendable {
    package var isRight: Bool
    package var report: String
  }

  private let options: Options
  private let tell: (String) -> Void
  private let began = ContinuousClock.now

  /// - Parameter tell: takes the lines that a person reads.
  package init(_ options: Options, tell: @escaping (String) -> Void) {
    self.options = options
    self.tell = tell
  }

  private static let pipeline = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("torture.yaml").path

  /// Runs it to its end.
  package func run() throws -> Outcome {
    try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
    let kafka = try RealKafka.own("torture", version: options.version, nodes: options.nodes)
    defer { kafka.stop() }
    let topic = try kafka.makeTopic("torture", partitions: PaymentStream.partitions)
    var environment = ["TORTURE_TOPIC": topic]
    if let library = options.library { environment["LD_LIBRARY_PATH"] = library }
    let isStatic = options.isStatic
    let fleet = try Fleet(
      options.instances, program: options.program, folder: options.folder, environment: environment
    ) { name in
      [
        "run", Self.pipeline, "--bootstrap", kafka.bootstrapServers, "--create-topics", "--instance", name,
        "--log-format", "text", "--set", "librdkafka.session.timeout.ms=10000",
      ] + ["--set", "librdkafka.group.instance.id=\(isStatic ? "\(topic)-\(name)" : "")"]
    }
    defer { fleet.abandon() }
    let brokers = Brokers(kafka, count: options.nodes)
    let traffic = try Traffic(kafka, topic: topic, seed: options.seed)
    var villain = Villain(seed: options.seed, gap: options.gap, mayKillBrokers: options.nodes > 2)
    try beat(fleet, brokers, traffic, &villain)
    let verdict = try settle(fleet, brokers, traffic, kafka, topic)
    let outcome = judge(verdict, fleet, brokers, traffic, villain)
    if outcome.isRight {
      try? FileManager.default.removeItem(atPath: options.folder)
    } else {
      kafka.keepLogs(in: options.folder)
      keepTopics(kafka, topic)
      note(outcome.report)
    }
    return outcome
  }

  /// Writes what stands in the topics into the folder, one JSON object a record.
  private func keepTopics(_ kafka: RealKafka, _ topic: String) {
    for name in ["", ".alerts", ".late", ".by-merchant"] {
      let reader = try? ChildProcess(
        "/usr/bin/env",
        [
          "timeout", "300", "kcat", "-b", kafka.bootstrapServers, "-C", "-t", topic + name, "-o", "beginning", "-e",
          "-q",
          "-J", "-X", "isolation.level=read_committed",
        ], log: "\(options.folder)/topic\(name).ndjson")
      _ = reader?.wait()
    }
  }

  private var seconds: Double { (ContinuousClock.now - began) / .seconds(1) }

  private func note(_ text: String) {
    let file = "\(options.folder)/torture.log"
    if !FileManager.default.fileExists(atPath: file) { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    guard let handle = FileHandle(forWritingAtPath: file) else { return }
    handle.seekToEndOfFile()
    handle.write(Data("\(Date().ISO8601Format()) \(text)\n".utf8))
    try? handle.close()
  }

  // MARK: Blows

  private func beat(_ fleet: Fleet, _ brokers: Brokers, _ traffic: Traffic, _ villain: inout Villain) throws {
    let start = ContinuousClock.now
    let end = start + .seconds(options.seconds)
    var nextLine = start + .seconds(30)
    while ContinuousClock.now < end {
      try fleet.tick()
      villain.tick(fleet, brokers, note)
      try traffic.send(until: Int((ContinuousClock.now - start) / .seconds(1) * options.rate))
      if ContinuousClock.now >= nextLine {
        nextLine += .seconds(30)
        let running = fleet.instances.count { $0.child != nil }
        tell(
          "\(Int(seconds)) s: \(traffic.sent) payments sent, \(villain.counts.values.reduce(0, +)) blows, "
            + "\(villain.kills) kills, \(running) of \(fleet.instances.count) processes up"
            + (fleet.complaints.isEmpty ? "" : ", \(fleet.complaints.count) COMPLAINTS"))
      }
      usleep(20_000)
    }
  }

  // MARK: The end

  /// Lets all be worked off, compares, stops everything in order, and compares again.
  private func settle(
    _ fleet: Fleet, _ brokers: Brokers, _ traffic: Traffic, _ kafka: RealKafka, _ topic: String
  ) throws -> Verdict {
    note("the blows have ended")
    while !brokers.isCalm {
      try fleet.tick()
      usleep(50_000)
    }
    fleet.calm()
    try traffic.finish()
    let truth = Truth(try traffic.read(into: options.folder))
    tell(
      "\(Int(seconds)) s: no more blows; \(truth.payments.count) payments are in the topic, waiting for the last alerts"
    )
    let deadline = ContinuousClock.now + .seconds(options.drain)
    while ContinuousClock.now < deadline {
      for _ in 0..<40 {
        try fleet.tick()
        usleep(50_000)
      }
      let verdict = try verdict(truth, kafka, topic)
      if verdict.isRight || !(verdict.doubled.isEmpty && verdict.wrong.isEmpty) { break }
    }
    try fleet.close()
    return try verdict(truth, kafka, topic)
  }

  private func verdict(_ truth: Truth, _ kafka: RealKafka, _ topic: String) throws -> Verdict {
    Verdict(truth, try Outputs(kafka, topic: topic), topic: topic)
  }

  private func judge(
    _ verdict: Verdict, _ fleet: Fleet, _ brokers: Brokers, _ traffic: Traffic, _ villain: Villain
  ) -> Outcome {
    let complaints = fleet.complaints + brokers.complaints
    let isRight = verdict.isRight && complaints.isEmpty && verdict.expected > 0
    let blows = Villain.Blow.allCases.map { "\($0.rawValue) \(villain.counts[$0, default: 0])" }
    let exits = fleet.exits.sorted { $0.key < $1.key }.map { "\($0.value) with \($0.key)" }
    var lines = [
      "seed \(options.seed), \(Int(options.seconds)) s, Kafka \(options.version), \(options.nodes) nodes",
      "blows: \(villain.counts.values.reduce(0, +)) (\(blows.joined(separator: ", "))); kills: \(villain.kills)",
      "processes started: \(fleet.instances.reduce(0) { $0 + $1.lives }); exits: \(exits.joined(separator: ", "))",
      "payments: \(traffic.sent) sent, \(traffic.failed) not taken by the brokers",
      "alerts, late events and dead letters: \(verdict.expected) expected, \(verdict.found) found",
      "\(verdict.lost.count) lost, \(verdict.doubled.count) doubled, \(verdict.wrong.count) wrong",
    ]
    for (code, said) in fleet.reasons.sorted(by: { $0.key < $1.key }) { lines += said.map { "  exit \(code): \($0)" } }
    for (kind, items) in [
      ("lost", verdict.lost), ("doubled", verdict.doubled), ("wrong", verdict.wrong), ("complaint", complaints),
    ] {
      lines += items.prefix(10).map { "  \(kind): \($0)" }
    }
    lines.append(isRight ? "all is right" : "NOT RIGHT; logs are kept in \(options.folder)")
    return Outcome(isRight: isRight, report: lines.joined(separator: "\n"))
  }
}
