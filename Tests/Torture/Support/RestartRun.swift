import Foundation
import Kafka
import KafkaTestSupport

/// A pipeline with many keys is killed and started again, many times in a row: how soon does its next alert come, and are
/// its alerts those of a run that nobody disturbed?
package final class RestartRun {
  /// How it runs.
  package struct Options: Sendable {
    package var keys = 1_000_000
    package var times = 20
    package var version = RealKafka.newest
    /// A Kafka that is there, where none is to be started.
    package var bootstrap: String?
    package var folder: String
    package var program: String

    package init(folder: String, program: String) {
      self.folder = folder
      self.program = program
    }
  }

  private static let partitions = 4
  private static let largeCents = 900_000
  private static let origin: Int64 = 1_767_225_600_000
  private static let pipeline = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("restart.yaml").path

  private let options: Options
  private let tell: (String) -> Void
  private let kafka: RealKafka
  private let topic: String
  private let producer: KafkaProducer
  private var random: TortureRandom
  private var sent = 0
  private var process: ChildProcess?
  private var lives = 0

  /// - Parameter tell: takes the lines that a person reads.
  package init(_ options: Options, seed: UInt64, tell: @escaping (String) -> Void) throws {
    self.options = options
    self.tell = tell
    try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
    kafka = try options.bootstrap.map { RealKafka.at($0) } ?? RealKafka.own("restart", version: options.version)
    topic = try kafka.makeTopic("restart", partitions: Self.partitions)
    producer = try KafkaProducer(
      kafka.configuration.merging(["linger.ms": "5", "queue.buffering.max.messages": "1000000"]))
    random = TortureRandom(seed: seed, stream: 5)
  }

  /// Runs it to its end.
  ///
  /// - Returns: whether the alerts are equal, and what was measured.
  package func run() throws -> TortureRun.Outcome {
    defer {
      process?.send(SIGKILL)
      kafka.stop()
      if options.bootstrap != nil { deleteTopics() }
    }
    for account in 0..<options.keys { try send(account) }
    try flush()
    tell("\(options.keys) accounts have paid once")
    let disturbed = "\(topic).disturbed"
    // Before the pipeline, so that the reader finds it.
    let admin = try KafkaAdmin(kafka.configuration)
    let alertTopic = NewTopic("\(disturbed).alerts", partitions: Self.partitions)
    for error in try admin.createTopics([alertTopic], timeoutMilliseconds: 20_000).values { throw error }
    try start(disturbed)
    let reader = try ChildProcess(
      "/usr/bin/kcat",
      [
        "-b", kafka.bootstrapServers, "-C", "-t", "\(disturbed).alerts", "-o", "beginning", "-q", "-u", "-X",
        "isolation.level=read_committed", "-X", "fetch.wait.max.ms=10", "-f", "%k\n",
      ], log: alertFile)
    defer { reader.send(SIGKILL) }
    let first = try timeToAlerts(seconds: 600)
    tell("started, with nothing committed: the alert on the newest payment came after \(text(first.last)) s")
    try waitForSnapshots(seconds: 600)
    let memory = peakMemory()
    var restoredMemory = 0
    var measured: [(first: Double, last: Double)] = []
    for time in 1...options.times {
      let times = try restart(disturbed)
      restoredMemory = max(restoredMemory, peakMemory())
      measured.append(times)
      tell(
        "restart \(time): first alert after \(text(times.first)) s, from every partition after \(text(times.last)) s")
    }
    process?.send(SIGTERM)
    let ending = process?.wait()
    let isEqual = try compare(disturbed)
    let firsts = measured.map(\.first).sorted()
    let lasts = measured.map(\.last).sorted()
    return TortureRun.Outcome(
      isRight: isEqual && ending == .exit(0),
      report: """
        \(options.keys) keys, \(options.times) times killed and restarted; last stop: \(ending.map { "\($0)" } ?? "none")
        first alert after a restart: median \(text(firsts[firsts.count / 2])) s, most \(text(firsts.last ?? 0)) s
        an alert from every partition: median \(text(lasts[lasts.count / 2])) s, most \(text(lasts.last ?? 0)) s
        peak memory: \(memory) MB before the restarts, \(restoredMemory) MB after one at most
        \(isEqual ? "the alerts equal those of an undisturbed run" : "THE ALERTS DIFFER; logs are in \(options.folder)")
        """)
  }

  private var alertFile: String { "\(options.folder)/alerts" }

  private var metricsFile: String { "\(options.folder)/metrics" }

  /// A metric of the input's partitions, by its labels; empty before it is written.
  private func metric(_ name: String) -> [String: Double] { (try? MetricsFile(metricsFile).series(name)) ?? [:] }

  private func text(_ seconds: Double) -> String { String(format: "%.2f", seconds) }

  /// The most memory that the process has had resident, in millions of bytes.
  private func peakMemory() -> Int {
    let status = process.flatMap { try? String(contentsOfFile: "/proc/\($0.processID)/status", encoding: .utf8) } ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    return kilobytes * 1_024 / 1_000_000
  }

  private func deleteTopics() {
    let own = ["disturbed", "calm"].flatMap { name in
      ["alerts", "late", "dead", "state", "versions"].map { "\(topic).\(name).\($0)" }
    }
    // Some of them may not be there.
    _ = try? KafkaAdmin(kafka.configuration).deleteTopics([topic] + own, timeoutMilliseconds: 60_000)
  }

  // MARK: Payments

  /// A payment of each of some accounts, of whom some make their fourth.
  private func trickle() throws {
    for _ in 0..<2_000 { try send(random.next(below: 1_000)) }
    try flush()
  }

  private func send(_ account: Int, cents: Int = 100, opaque: UInt = 0) throws {
    let time = Self.origin + Int64(sent / 100)
    let text = #"{"ts":\#(time),"account":"a\#(account)","cents":\#(cents)}"#
    sent += 1
    while true {
      do throws(KafkaError) {
        return try producer.produce(
          topic: topic, partition: Int32(account % Self.partitions), key: Array("a\(account)".utf8),
          value: Array(text.utf8), opaque: opaque)
      } catch {
        guard error.code == .queueFull else { throw error }
        _ = producer.pollDeliveries(timeoutMilliseconds: 20)
      }
    }
  }

  private func flush() throws {
    try producer.flush(timeoutMilliseconds: 120_000)
    for delivery in producer.pollDeliveries() { if let error = delivery.error { throw error } }
  }

  // MARK: Restarts

  private func start(_ name: String, _ more: [String] = []) throws {
    lives += 1
    process = try ChildProcess(
      options.program,
      [
        "run", Self.pipeline, "--bootstrap", kafka.bootstrapServers, "--create-topics", "--instance", "one",
        "--log-format", "text", "--metrics-file", metricsFile, "--set", "librdkafka.group.instance.id=\(name)-one",
      ] + more, environment: ["RESTART_TOPIC": topic, "RESTART_NAME": name],
      log: "\(options.folder)/life-\(lives).log")
  }

  /// Waits until state is saved up to what has been read of every partition.
  private func waitForSnapshots(seconds: Double) throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
      let (read, saved) = (metric("tocsin_offset"), metric("tocsin_snapshot_offset"))
      if read.count == Self.partitions, read == saved { return }
      usleep(200_000)
    }
    throw RealKafkaError(message: "state was not saved within \(text(seconds)) s; see \(options.folder)")
  }

  private func restart(_ name: String) throws -> (first: Double, last: Double) {
    try trickle()
    usleep(UInt32(random.next(in: 0.2..<3) * 1_000_000))
    process?.send(SIGKILL)
    _ = process?.wait()
    try start(name)
    return try timeToAlerts(seconds: 120)
  }

  /// Writes a large payment into each partition, and waits until a consumer has read their alerts.
  private func timeToAlerts(seconds: Double) throws -> (first: Double, last: Double) {
    let began = ContinuousClock.now
    _ = producer.pollDeliveries()
    for partition in 0..<Self.partitions { try send(partition, cents: Self.largeCents, opaque: 1) }
    try producer.flush(timeoutMilliseconds: 60_000)
    let places = producer.pollDeliveries().filter { $0.opaque == 1 }
      .map { "event:\(topic)/\($0.partition)/\($0.offset)" }
    guard places.count == Self.partitions else { throw RealKafkaError(message: "probes were not delivered") }
    var open = Set(places)
    var first: Double?
    while !open.isEmpty {
      let elapsed = (ContinuousClock.now - began) / .seconds(1)
      guard elapsed < seconds, process?.ending == nil else {
        throw RealKafkaError(message: "no alert on \(open.sorted()) after \(text(elapsed)) s; see \(options.folder)")
      }
      let seen = Set((try String(contentsOfFile: alertFile, encoding: .utf8)).split(separator: "\n").map(String.init))
      if first == nil, !open.isDisjoint(with: seen) { first = elapsed }
      open.subtract(seen)
      if open.isEmpty { return (first ?? elapsed, elapsed) }
      usleep(10_000)
    }
    return (0, 0)
  }

  // MARK: Comparison

  /// Reads the same input in one go and compares what both wrote, less what names the pipeline.
  private func compare(_ disturbed: String) throws -> Bool {
    let calm = "\(topic).calm"
    try start(calm, ["--stop-at-end"])
    guard process?.wait() == .exit(0) else { throw RealKafkaError(message: "the calm run failed: \(options.folder)") }
    let (found, expected) = (try alerts(disturbed), try alerts(calm))
    tell("\(found.count) alerts, \(expected.count) of the undisturbed run")
    return found == expected && !expected.isEmpty
  }

  private func alerts(_ name: String) throws -> [String] {
    var records: [Kcat.Record] = []
    // Markers of the last commit may come a little later.
    for _ in 0..<5 {
      let found = try Kcat.read("\(name).alerts", of: kafka.bootstrapServers)
      if !found.isEmpty, found.count == records.count { break }
      records = found
      sleep(1)
    }
    return records.map { record in
      let body = record.json
      let own = (body["unmapped"] as? [String: Any])?["tocsin"] as? [String: Any] ?? [:]
      let evidence = (body["evidences"] as? [[String: Any]] ?? []).map { ($0["uid"] as? String) ?? "" }
      let values = own["values"] as? [String: Any] ?? [:]
      return [
        record.headers["ce_type"] ?? "", record.headers["ce_time"] ?? "", record.key ?? "",
        values.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ","), evidence.joined(separator: ","),
        body["message"] as? String ?? "",
      ].joined(separator: " ")
    }.sorted()
  }
}
