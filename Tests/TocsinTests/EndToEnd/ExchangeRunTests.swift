import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// Rules of two keys on a real Kafka: what crosses the exchange is neither lost nor doubled, whatever dies.
@Suite(.serialized, .enabled(if: RealKafka.isAvailable("exchange") && Kcat.isAvailable("exchange")))
struct ExchangeRunTests {
  /// A window in which a key has enough events.
  struct Window: Hashable, Comparable, CustomStringConvertible {
    var rule: String
    var key: String
    var start: Int
    var description: String { "\(rule) of \(key) from \(start)" }

    static func < (left: Window, right: Window) -> Bool {
      (left.rule, left.key, left.start) < (right.rule, right.key, right.start)
    }
  }

  private static let threshold = 34
  private static let minute = 60_000

  private let kafka: RealKafka
  private let topic: String
  private let folder: URL
  private var expected: [Window] = []
  /// Records of each partition.
  private var written: [Int32: Int64] = [:]

  init() throws {
    kafka = try RealKafka.shared()
    topic = RealKafka.uniqueName("crossing")
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(topic)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try file.write(to: folder.appendingPathComponent("pipeline.yaml"), atomically: true, encoding: .utf8)
  }

  private var file: String {
    """
    tocsin: 1
    pipeline: \(topic)
    sources:
      transfers:
        topic: \(topic)
        format: json
        key: from
        time: { field: ts, out_of_order: 5s, idle: 3s }
        fields:
          ts:   { at: /ts, type: timestamp_ms }
          from: { at: $key, type: string, entity: account }
          to:   { at: /to, type: string, entity: account }
          n:    { at: /n, type: int }
    rules:
      - { id: sent, by: from, per: 1m, let: { n: count() }, condition: "n >= \(Self.threshold)", update_every: 1h }
      - { id: received, by: to, per: 1m, let: { n: count() }, condition: "n >= \(Self.threshold)", update_every: 1h }
    exchange: { partitions: 3, lead: 2m }
    outputs:
      alerts: { topic: \(topic).alerts }
      late:   { topic: \(topic).late }
    """
  }

  /// Writes events and computes what is to be found: group and count.
  private mutating func produce(_ count: Int, seed: UInt64) throws {
    let admin = try KafkaAdmin(kafka.configuration)
    #expect(try admin.createTopics([NewTopic(topic, partitions: 4)], timeoutMilliseconds: 20_000).isEmpty)
    let producer = try KafkaProducer(kafka.configuration.merging(["linger.ms": "20"]))
    defer { producer.destroy() }
    var random = SplitMix(seed)
    var counts: [Window: Int] = [:]
    for number in 0..<count {
      var time = 1_767_225_600_000 + number * 20
      if random.below(5) == 0 { time -= random.below(4_000) }
      let (from, to) = (random.below(90), random.below(100))
      let start = time / Self.minute * Self.minute
      counts[Window(rule: "sent", key: "a\(from)", start: start), default: 0] += 1
      counts[Window(rule: "received", key: "b\(to)", start: start), default: 0] += 1
      let value = Array("{\"ts\":\(time),\"to\":\"b\(to)\",\"n\":\(number)}".utf8)
      try write(value, key: Array("a\(from)".utf8), to: Int32(from % 4), with: producer)
      written[Int32(from % 4), default: 0] += 1
    }
    try producer.flush(timeoutMilliseconds: 30_000)
    #expect(producer.pollDeliveries().allSatisfy { $0.error == nil })
    expected = counts.filter { $0.value >= Self.threshold }.keys.sorted()
  }

  /// Waits while the producer's queue is full.
  private func write(
    _ value: [UInt8], key: [UInt8], to partition: Int32, with producer: KafkaProducer
  ) throws(KafkaError) {
    while true {
      do throws(KafkaError) {
        return try producer.produce(topic: topic, partition: partition, key: key, value: value)
      } catch {
        guard error.code == .queueFull else { throw error }
        try? producer.flush(timeoutMilliseconds: 100)
      }
    }
  }

  /// Whether the group has come to the end of the source.
  private func isAllRead() throws -> Bool {
    var configuration = kafka.configuration
    configuration["group.id"] = topic
    let consumer = try KafkaConsumer(configuration)
    let committed = try consumer.committed(written.keys.map { TopicPartition(topic, $0) }, timeoutMilliseconds: 20_000)
    return written.allSatisfy { committed[TopicPartition(topic, $0)]?.offset == $1 }
  }

  private struct SplitMix {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func below(_ limit: Int) -> Int {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }
  }

  private func start(_ instance: String, _ more: [String] = []) throws -> TocsinProcess {
    try TocsinProcess(
      [
        "run", folder.appendingPathComponent("pipeline.yaml").path, "--bootstrap", kafka.bootstrapServers,
        "--create-topics", "--instance", instance, "--log-format", "text", "--set",
        "librdkafka.group.instance.id=\(topic)-\(instance)", "--set", "librdkafka.session.timeout.ms=6000",
      ] + more)
  }

  private func check() throws {
    let alerts = try Kcat.read("\(topic).alerts", of: kafka.bootstrapServers) {
      $0.count { isOpened($0) } >= expected.count
    }
    let opened = alerts.filter { isOpened($0) }
    let found = opened.map { alert in
      let json = alert.json
      let analytic = (json["finding_info"] as? [String: Any])?["analytic"] as? [String: Any]
      let resource = (json["resources"] as? [[String: Any]])?.first
      let window = ((json["unmapped"] as? [String: Any])?["tocsin"] as? [String: Any])?["window"] as? [String: Any]
      return Window(
        rule: analytic?["name"] as? String ?? "", key: resource?["uid"] as? String ?? "",
        start: window?["from"] as? Int ?? -1)
    }.sorted()
    #expect(expected.count > 100 && Set(expected.map(\.rule)).count == 2)
    let missing = Set(expected).subtracting(found).sorted()
    let wrong = Set(found).subtracting(expected).sorted()
    #expect(
      found == expected,
      "\(found.count) found, \(expected.count) expected; missing \(missing.prefix(4)), wrong \(wrong.prefix(4))")
    #expect(try Kcat.read("\(topic).late", of: kafka.bootstrapServers).isEmpty)
    // What an alert shows stands in the source topic, not in the exchange.
    for alert in opened.prefix(200) {
      let places = (alert.json["evidences"] as? [[String: Any]] ?? []).compactMap { $0["data"] as? [String: Any] }
      #expect(!places.isEmpty && places.allSatisfy { $0["topic"] as? String == topic })
    }
  }

  private func isOpened(_ record: Kcat.Record) -> Bool { record.headers["ce_type"] == "dev.tocsin.alert.opened.v1" }

  @Test mutating func killedAgainAndAgain() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try produce(60_000, seed: 3)
    for round in 0..<4 {
      let process = try start("one")
      #expect(process.waitFor("partitions were assigned"), "\(process.errorText)")
      usleep(UInt32(300_000 + round * 350_000))
      process.send(SIGKILL)
      _ = process.wait()
    }
    let outcome = try start("one", ["--stop-at-end"]).wait(seconds: 180)
    #expect(outcome.status == 0, "\(outcome.errors)")
    try check()
  }

  /// Two instances share source and exchange; one of them is killed.
  @Test mutating func twoInstancesShare() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try produce(40_000, seed: 4)
    let first = try start("one")
    let second = try start("two")
    #expect(first.waitFor("partitions were assigned"), "\(first.errorText)")
    #expect(second.waitFor("partitions were assigned"), "\(second.errorText)")
    usleep(1_500_000)
    second.send(SIGKILL)
    _ = second.wait()
    first.send(SIGTERM)
    #expect(first.wait().status == 0, "\(first.errorText)")
    sleep(7)
    let outcome = try start("one", ["--stop-at-end"]).wait(seconds: 180)
    #expect(outcome.status == 0, "\(outcome.errors)")
    try check()
  }

  /// Two instances run to the end of what there is while one of them stands still for a while: when both have ended, all has
  /// crossed and all alerts are out, although blocks for the partitions of the one come from the other at the end.
  @Test(arguments: [0, 1]) mutating func twoInstancesEndTogether(standing: Int) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try produce(120_000, seed: UInt64(5 + standing))
    // Slow readers, of whom both come to read; they hear of each other soon.
    let settings = ["fetch.message.max.bytes=20000", "queued.min.messages=100", "heartbeat.interval.ms=200"]
    let more = ["--stop-at-end"] + settings.flatMap { ["--set", "librdkafka.\($0)"] }
    let processes = try [start("one", more), start("two", more)]
    for process in processes { #expect(process.waitFor("partitions were assigned"), "\(process.errorText)") }
    // Not for longer than the group's session.
    processes[standing].send(SIGSTOP)
    usleep(4_000_000)
    // Where one was slow to come, the other may have read all by then.
    let other = processes[1 - standing]
    #expect(try other.isRunning || isAllRead(), "ended without the other: \(other.errorText)")
    processes[standing].send(SIGCONT)
    let outcomes = processes.map { $0.wait(seconds: 180) }
    for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))") }
    try check()
    // And nothing is left for the next.
    let next = try start("three", ["--stop-at-end"]).wait(seconds: 60)
    #expect(next.status == 0 && next.errors.contains("0 events read"), "\(next.errors.suffix(3_000))")
  }

  /// Where topics of its own may not be made, that of an exchange is not made either.
  @Test mutating func aTopicThatMayNotBeMadeIsMissed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try produce(1_000, seed: 10)
    var outcome = try start("one", ["--stop-at-end"]).wait(seconds: 60)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let exchange = "\(topic).by-to"
    for error in try KafkaAdmin(kafka.configuration).deleteTopics([exchange], timeoutMilliseconds: 20_000).values {
      throw error
    }
    usleep(1_000_000)
    let path = folder.appendingPathComponent("pipeline.yaml").path
    try (file + "\ninternal_topics: require\n").write(toFile: path, atomically: true, encoding: .utf8)
    outcome = try start("one", ["--stop-at-end"]).wait(seconds: 60)
    #expect(
      outcome.status == 3 && outcome.errors.contains("no topic `\(exchange)`")
        && outcome.errors.contains("internal_topics: require"), "\(outcome.errors)")
  }

  /// More instances than partitions: who has nothing to read ends too.
  @Test mutating func anInstanceWithoutPartitionsEnds() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try produce(20_000, seed: 9)
    let processes = try (0..<8).map { try start("i\($0)", ["--stop-at-end"]) }
    for process in processes {
      let outcome = process.wait(seconds: 180)
      #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    }
    try check()
  }
}
