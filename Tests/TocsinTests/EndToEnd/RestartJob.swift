import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// A pipeline that counts a day's events of each account, on topics of its own: what it knows of the past is all in its state.
struct RestartJob {
  let kafka: RealKafka
  let name: String
  let folder: URL
  let partitions: Int
  let file: URL
  private let producer: KafkaProducer
  private let isTransactional: Bool
  /// Event time of the first event, in milliseconds since 1970.
  static let start: Int64 = 1_767_225_600_000

  /// - Parameters:
  ///   - threshold: an account's events in a day from which on it alerts.
  ///   - isTransactional: whether each `write` is a transaction.
  init(
    _ kafka: RealKafka, _ stem: String, threshold: Int, partitions: Int = 2, isTransactional: Bool = false
  ) throws {
    self.kafka = kafka
    self.isTransactional = isTransactional
    self.partitions = partitions
    name = RealKafka.uniqueName(stem)
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    file = folder.appendingPathComponent("pipeline.yaml")
    try """
    tocsin: 1
    pipeline: \(name)
    snapshot: { every: 1s }
    sources:
      moves:
        topic: \(name).in
        format: json
        key: from
        time: { field: ts, out_of_order: 5s, idle: 30s }
        fields:
          ts:   { at: /ts, type: timestamp_ms }
          from: { at: /from, type: string, entity: account }
    rules:
      - id: busy
        by: from
        over: 24h
        let: { n: count() }
        condition: n >= \(threshold)
        evidence: 1
    outputs:
      alerts: { topic: \(name).alerts }
    """.write(to: file, atomically: true, encoding: .utf8)
    let own = isTransactional ? ["transactional.id": name] : [:]
    producer = try KafkaProducer(kafka.configuration.merging(own))
    if isTransactional { try producer.initTransactions(timeoutMilliseconds: 30_000) }
    let errors = try KafkaAdmin(kafka.configuration).createTopics(
      // The records' timestamps are those of the events: retention would throw them away at its next look.
      [NewTopic("\(name).in", partitions: partitions, configuration: ["retention.ms": "-1"])],
      timeoutMilliseconds: 20_000)
    for error in errors.values { throw error }
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  var input: String { "\(name).in" }
  var stateTopic: String { "\(name).state" }

  /// Sets the group's offsets. Kafka's tool refuses while a member that has just left is still known, and says so in words only.
  func setBack(to offset: Int64) throws {
    let group = try group()
    var committed: [Int64?] = []
    for _ in 0..<10 {
      try kafka.tool(
        "groups", ["--reset-offsets", "--group", name, "--topic", input, "--to-offset", "\(offset)", "--execute"])
      committed = try self.committed(group)
      if committed.allSatisfy({ $0 == offset }) { return }
    }
    throw RealKafkaError(message: "the group \(name) could not be set back to \(offset): it is at \(committed)")
  }

  /// Writes `count` events of each partition, a millisecond apart, going round `accounts` accounts of that partition.
  func write(_ count: Int, from first: Int, accounts: Int) throws {
    if isTransactional { try producer.beginTransaction() }
    for number in first..<(first + count) {
      for partition in 0..<partitions {
        let value = "{\"ts\":\(Self.start + Int64(number)),\"from\":\"a\(partition)-\(number % accounts)\"}"
        while true {
          do throws(KafkaError) {
            try producer.produce(
              topic: input, partition: Int32(partition), key: Array("a\(partition)-\(number % accounts)".utf8),
              value: Array(value.utf8), timestamp: Self.start + Int64(number))
            break
          } catch {
            guard error.code == .queueFull else { throw error }
            try? producer.flush(timeoutMilliseconds: 500)
          }
        }
      }
    }
    try producer.flush(timeoutMilliseconds: 60_000)
    for delivery in producer.pollDeliveries() { if let error = delivery.error { throw error } }
    if isTransactional { try producer.commitTransaction(timeoutMilliseconds: 20_000) }
  }

  /// Takes the input's records before an offset away, as retention does.
  func trim(before offset: Int64) throws {
    try KafkaAdmin(kafka.configuration).deleteRecords(
      before: (0..<partitions).map { TopicPartitionOffset(input, Int32($0), offset: offset) },
      timeoutMilliseconds: 20_000)
  }

  func arguments(instance: String = "one", _ more: [String] = []) -> [String] {
    [
      "run", file.path, "--bootstrap", kafka.bootstrapServers, "--create-topics", "--instance", instance,
      "--log-format",
      "text", "--metrics-file", metricsPath(instance),
    ] + more
  }

  func start(instance: String = "one", _ more: [String] = []) throws -> TocsinProcess {
    try TocsinProcess(arguments(instance: instance, more))
  }

  /// Runs to the input's end.
  func runToEnd(_ more: [String] = [], seconds: Int = 120) throws -> TocsinProcess.Outcome {
    try start(["--stop-at-end"] + more).wait(seconds: seconds)
  }

  /// The sum of a metric's series in what an instance wrote last.
  func metric(_ metric: String, instance: String = "one") throws -> Int {
    try MetricsFile(metricsPath(instance)).sum(metric)
  }

  private func metricsPath(_ instance: String) -> String { folder.appendingPathComponent("metrics-\(instance)").path }

  /// Waits until the group has come to an offset in every partition.
  func waitForCommitted(_ offset: Int64) throws {
    let group = try group()
    var committed: [Int64?] = []
    for _ in 0..<300 {
      committed = try self.committed(group)
      if committed.allSatisfy({ $0 ?? 0 >= offset }) { return }
      usleep(100_000)
    }
    throw RealKafkaError(message: "the group \(name) has not come to \(offset): it is at \(committed)")
  }

  /// A client that asks in the group's name, and does not join it.
  private func group() throws -> KafkaConsumer { try KafkaConsumer(kafka.configuration.merging(["group.id": name])) }

  /// What the group has committed, by partition.
  private func committed(_ group: KafkaConsumer) throws -> [Int64?] {
    let all = (0..<partitions).map { TopicPartition(input, Int32($0)) }
    let found = try group.committed(all, timeoutMilliseconds: 20_000)
    return all.map { found[$0]?.offset }
  }

  /// Waits until the state topic holds a snapshot that counts, of whatever run.
  func waitForSnapshot() throws {
    let isThere = try !Kcat.read(stateTopic, of: kafka.bootstrapServers) { !$0.isEmpty }.isEmpty
    #expect(isThere, "no snapshot came into \(stateTopic)")
  }

  /// Compares the alerts that opened, as account and offset of the event that made them open, with what has to be.
  func check(_ expected: [String]) throws {
    let found = try opened(atLeast: expected.count)
    let counts = Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +)
    let missing = Set(expected).subtracting(found).sorted().prefix(4)
    let wrong = Set(found).subtracting(expected).sorted().prefix(4)
    let doubled = counts.filter { $0.value > 1 }.keys.sorted().prefix(4)
    #expect(
      found.count == expected.count && missing.isEmpty && wrong.isEmpty && doubled.isEmpty,
      "\(found.count) alerts, expected \(expected.count); missing \(missing), wrong \(wrong), doubled \(doubled)")
  }

  /// The alerts that opened, as account and the offset that caused it.
  func opened(atLeast count: Int) throws -> [String] {
    func isOpened(_ record: Kcat.Record) -> Bool { record.headers["ce_type"] == "dev.tocsin.alert.opened.v1" }
    return try Kcat.read("\(name).alerts", of: kafka.bootstrapServers) { $0.count { isOpened($0) } >= count }
      .filter { isOpened($0) }
      .map { record in
        let evidence = (record.json["evidences"] as? [[String: Any]])?.last?["data"] as? [String: Any]
        return "\(record.key ?? "?") \(evidence?["offset"] as? Int ?? -1)"
      }.sorted()
  }
}
