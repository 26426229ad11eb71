import Events
import Foundation
import Kafka
import KafkaTestSupport
import Locking
import Testing

/// A pipeline that is changed while it runs: one rule tells of every event, and so by which version it was worked on; one
/// counts the events of a key, which no change may disturb; one does so behind an exchange; one asks a list that changes too;
/// one begins anew with each version that has another filter.
final class ReloadJob: Sendable {
  /// What one version is made of.
  struct Version: Hashable {
    /// The remainder at which the counting rule's condition holds.
    var remainder: Int
    /// The listed keys.
    var listed: [String]
    /// What the filter of the rule `fresh` names, which lets everything through: another one is another state identity.
    var filter = 0
  }

  /// A version as alerts name it.
  struct Name: Hashable {
    var file: String
    var list: String
  }

  static let partitions = 3
  static let modulus = 7
  private static let keys = 30
  static let groups = 4
  /// Event time of the first event, in milliseconds since 1970.
  private static let start = 1_767_225_600_000
  /// Milliseconds of event time between two events.
  private static let step = 10
  /// Milliseconds of the windows of the rule `fresh`, and the events of a key from which on it alerts there.
  static let window = 2_000
  static let enough = 4

  let kafka: RealKafka
  let topic: String
  let folder: URL
  let known = Lock<[Name: Version]>([:])
  private let isProducing = Lock(true)
  private let isPaused = Lock(false)
  private let settings: [String]

  /// - Parameter settings: further lines of the pipeline file.
  init(_ kafka: RealKafka, _ first: Version, settings: [String] = []) throws {
    self.kafka = kafka
    self.settings = settings
    topic = RealKafka.uniqueName("reload")
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(topic)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let admin = try KafkaAdmin(kafka.configuration)
    _ = try admin.createTopics([NewTopic(topic, partitions: Self.partitions)], timeoutMilliseconds: 20_000)
    try write(first)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  // MARK: Files

  var path: String { folder.appendingPathComponent("pipeline.yaml").path }
  var metricsPath: String { folder.appendingPathComponent("metrics.prom").path }

  private func text(_ version: Version) -> String {
    """
    tocsin: 1
    pipeline: \(topic)
    sources:
      events:
        topic: \(topic)
        format: json
        key: k
        time: { field: ts }
        fields:
          ts: { at: /ts, type: timestamp_ms }
          k:  { at: /k, type: string, entity: account }
          g:  { at: /g, type: string, entity: group }
    tables:
      marks:
        load: { file: marks.txt, format: text }
        key: string
    rules:
      - { id: each, where: "k != ''" }
      - { id: listed, where: k in marks }
      - id: tick
        by: k
        over: 30d
        let: { n: count() }
        condition: n % \(Self.modulus) == \(version.remainder)
        evidence: 1
      - id: cross
        by: g
        over: 30d
        let: { c: count() }
        condition: c % \(Self.modulus) == \(version.remainder)
        evidence: 1
      - id: fresh
        by: k
        per: \(Self.window / 1_000)s
        where: "k != 'none\(version.filter)'"
        let: { n: count() }
        condition: n == \(Self.enough)
        evidence: 1
    outputs:
      alerts: { topic: \(topic).alerts }
    \(settings.joined(separator: "\n"))
    """
  }

  /// Puts a version's files in place, each moved there whole.
  func write(_ version: Version) throws {
    let list = version.listed.joined(separator: "\n") + "\n"
    let text = text(version)
    let name = Name(file: "sha256:\(SHA256.hex(Array(text.utf8)))", list: "sha256:\(SHA256.hex(Array(list.utf8)))")
    known.withLock { $0[name] = version }
    try list.write(to: folder.appendingPathComponent("marks.txt"), atomically: true, encoding: .utf8)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// Puts a file with a mistake in place; `kind` chooses one.
  func writeBroken(_ kind: Int) throws {
    let text = text(Version(remainder: 0, listed: []))
    let broken =
      switch kind % 4 {
      case 0: text.replacing("k in marks", with: "kk in marks")
      case 1: text.replacing("condition:", with: "conditoin:")
      case 2: String(text.prefix(300))
      default: text.replacing("key: k\n", with: "")
      }
    try broken.write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// Lets the versions that are kept look as if they were written so many hours ago, and adds one as old that nobody has used.
  ///
  /// - Returns: the name of the latter.
  func ageVersions(hours: Int64) throws -> String {
    let producer = try KafkaProducer(kafka.configuration)
    defer { producer.destroy() }
    let kept = try Kcat.read("\(topic).versions", of: kafka.bootstrapServers).filter { $0.partition == 0 }
    let last = try #require(kept.last?.value)
    // Of the same files, with a variable more.
    let other = last + "variable 41 42\n"
    let name = String(SHA256.hex(Array(other.utf8)).prefix(32))
    let manifests = kept.compactMap { record in record.key.map { ($0, record.value) } } + [("version/\(name)", other)]
    for (key, value) in manifests {
      try producer.produce(
        topic: "\(topic).versions", partition: 0, key: Array(key.utf8), value: value.map { Array($0.utf8) },
        timestamp: Int64(Date().timeIntervalSince1970 * 1_000) - hours * 3_600_000)
    }
    try producer.flush(timeoutMilliseconds: 20_000)
    return name
  }

  // MARK: Runs

  func start(instance: String = "one", _ more: [String] = []) throws -> TocsinProcess {
    try TocsinProcess(
      [
        "run", path, "--bootstrap", kafka.bootstrapServers, "--create-topics", "--instance", instance, "--log-format",
        "text", "--metrics-file", metricsPath, "--set", "librdkafka.group.instance.id=\(topic)-\(instance)", "--set",
        "librdkafka.session.timeout.ms=6000",
      ] + more)
  }

  // MARK: Events

  /// Writes events at a steady rate on a thread of its own until `endProducing`.
  func startProducing(perSecond rate: Int) throws {
    let producer = try KafkaProducer(kafka.configuration)
    let thread = Thread { [self] in
      var number = 0
      let began = ContinuousClock.now
      var skipped = 0
      while isProducing.withLock({ $0 }) {
        let due = Int((ContinuousClock.now - began) / .seconds(1) * Double(rate)) - skipped
        if isPaused.withLock({ $0 }) {
          skipped += due - number
        } else {
          while number < due {
            produce(number, producer)
            number += 1
          }
        }
        _ = producer.pollDeliveries()
        usleep(5_000)
      }
      try? producer.flush(timeoutMilliseconds: 20_000)
      producer.destroy()
      isProducing.withLock { $0 = true }
    }
    thread.start()
  }

  private func produce(_ number: Int, _ producer: KafkaProducer) {
    let key = number * 7_919 % Self.keys
    let partition = key % Self.partitions
    let time = Self.start + number * Self.step
    let json = "{\"ts\":\(time),\"k\":\"k\(key)\",\"g\":\"g\(number % Self.groups)\"}"
    try? producer.produce(
      topic: topic, partition: Int32(partition), key: Array("k\(key)".utf8), value: Array(json.utf8))
  }

  /// Holds the writing up, or lets it go on.
  func pauseProducing(_ isPaused: Bool) { self.isPaused.withLock { $0 = isPaused } }

  /// Ends the writing once all is delivered.
  func endProducing() {
    isProducing.withLock { $0 = false }
    while !isProducing.withLock({ $0 }) { usleep(10_000) }
  }

  /// Waits until the group has come further by so many records.
  func waitForProgress(_ records: Int64) throws {
    var configuration = kafka.configuration
    configuration["group.id"] = topic
    configuration["isolation.level"] = "read_committed"
    let consumer = try KafkaConsumer(configuration)
    let partitions = (0..<Self.partitions).map { TopicPartition(topic, Int32($0)) }
    func places() -> [TopicPartition: Int64] {
      ((try? consumer.committed(partitions, timeoutMilliseconds: 2_000)) ?? [:]).mapValues(\.offset)
    }
    let before = places()
    let deadline = ContinuousClock.now + .seconds(40)
    while ContinuousClock.now < deadline {
      let now = places()
      if partitions.allSatisfy({ now[$0, default: 0] >= before[$0, default: 0] + records }) { return }
      usleep(50_000)
    }
    Issue.record("the group did not come further than \(places())")
  }

  /// Waits until the state of a partition is saved once more.
  func waitForSnapshot() throws {
    let reader = try KafkaReader(kafka.configuration.merging(["isolation.level": "read_committed"]))
    func end(_ partition: Int) -> Int64 {
      let place = TopicPartition("\(topic).state", Int32(partition))
      return (try? reader.watermarkOffsets(place, timeoutMilliseconds: 2_000).high) ?? 0
    }
    let before = (0..<Self.partitions).map(end)
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
      if before.indices.contains(where: { end($0) > before[$0] }) { return }
      usleep(50_000)
    }
    Issue.record("no state was saved in \(topic).state beyond \(before)")
  }

  /// Waits until state is saved up to the end of what is there, while nothing is written: at two looks in a row, because the
  /// metrics are written about once a second.
  func waitForSnapshotAtEnd() throws {
    let deadline = ContinuousClock.now + .seconds(40)
    var last: [String: Double] = [:]
    while ContinuousClock.now < deadline {
      let read = series("tocsin_offset")
      if read.count == Self.partitions, read == series("tocsin_snapshot_offset"), read == last { return }
      last = read
      usleep(1_200_000)
    }
    Issue.record("state was not saved up to \(series("tocsin_offset")): \(series("tocsin_snapshot_offset"))")
  }

  /// A metric of the source's partitions, by its labels.
  private func series(_ metric: String) -> [String: Double] {
    let series = (try? MetricsFile(metricsPath).series(metric)) ?? [:]
    return series.filter { $0.key.contains("topic=\"\(topic)\"") }
  }
}
