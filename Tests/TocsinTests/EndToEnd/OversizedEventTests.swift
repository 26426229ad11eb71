import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// Events whose block is too large to be written to an exchange, on a real Kafka.
@Suite(.enabled(if: RealKafka.isAvailable("oversized") && Kcat.isAvailable("oversized")))
struct OversizedEventTests {
  /// Bytes that the producer takes in one record.
  private static let limit = 300_000

  private func file(_ topic: String, _ delivery: String) -> String {
    """
    tocsin: 1
    pipeline: \(topic)
    sources:
      notes:
        topic: \(topic)
        format: json
        key: from
        time: { field: ts, out_of_order: 5s, idle: 3s }
        fields:
          ts:   { at: /ts, type: timestamp_ms }
          from: { at: $key, type: string, entity: account }
          to:   { at: /to, type: string, entity: account }
          note: { at: /note, type: string }
    rules:
      - { id: received, by: to, per: 1m, where: "note != ''", let: { n: count() }, condition: "n >= 3", update_every: 1h }
    delivery: \(delivery)
    outputs:
      alerts: { topic: \(topic).alerts }
      dead_letter: { topic: \(topic).dead }
    """
  }

  /// What is too large is told, counted and kept with its reason; all before it and after it crosses, also what is large but
  /// can be written, and nothing is late for it.
  @Test(arguments: ["exactly_once", "at_least_once"]) func isToldAndTheRestCrosses(delivery: String) throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("oversized", partitions: 2)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(topic)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("pipeline.yaml").path
    try file(topic, delivery).write(toFile: path, atomically: true, encoding: .utf8)
    let producer = try KafkaProducer(kafka.configuration)
    defer { producer.destroy() }
    // By number: 20 and 40 are too large, 30 is just not.
    let sizes = [20: 310_000, 30: 290_000, 40: 700_000]
    var received: [String: Int] = [:]
    for number in 0..<60 {
      let (to, size) = ("b\(number % 4)", sizes[number] ?? 10)
      let value =
        "{\"ts\":\(1_767_225_600_000 + number * 10),\"to\":\"\(to)\",\"note\":\"\(String(repeating: "x", count: size))\"}"
      try producer.produce(
        topic: topic, partition: 0, key: Array("a\(number)".utf8), value: Array(value.utf8))
      if size < 300_000 { received[to, default: 0] += 1 }
    }
    try producer.flush(timeoutMilliseconds: 30_000)
    let metrics = folder.appendingPathComponent("metrics.prom")
    let outcome = try TocsinProcess.run([
      "run", path, "--bootstrap", kafka.bootstrapServers, "--create-topics", "--stop-at-end", "--log-format", "text",
      "--metrics-file", metrics.path, "--set", "librdkafka.message.max.bytes=\(Self.limit)",
    ])
    #expect(outcome.status == 0, "\(outcome.errors.suffix(3_000))")
    for number in [20, 40] {
      let line = outcome.errors.split(separator: "\n").first {
        $0.contains("too large to cross an exchange") && $0.contains("offset=\(number)")
      }
      #expect(line?.contains("partition=0") == true && line?.contains("topic=\(topic)") == true, "\(outcome.errors)")
    }
    let text = try String(contentsOf: metrics, encoding: .utf8)
    #expect(text.contains("tocsin_exchange_oversized_events_total 2"), "\(text)")
    let dead = try Kcat.read("\(topic).dead", of: kafka.bootstrapServers) { $0.count >= 2 }
    let offsets = dead.compactMap { $0.headers["tocsin-offset"] }
    #expect(Set(offsets) == ["20", "40"] && (offsets.count == 2 || delivery == "at_least_once"), "\(offsets)")
    for letter in dead {
      #expect(letter.headers["tocsin-reason"] == "exchange_too_large" && letter.headers["tocsin-topic"] == topic)
      #expect(letter.headers["tocsin-partition"] == "0" && letter.headers["tocsin-exchange"] == "\(topic).by-to")
      #expect(letter.key == "a\(letter.headers["tocsin-offset"] ?? "")")
      // Neither fits as it is.
      #expect(letter.headers["tocsin-truncated"] != nil && letter.value?.utf8.count == 16 << 10)
    }
    let alerts = try Kcat.read("\(topic).alerts", of: kafka.bootstrapServers) { $0.count >= 4 }
    // A refusal lets all of its transaction be sent again: at least once, alerts come a second time, with their ids.
    let ids = Set(alerts.compactMap { $0.headers["ce_id"] })
    #expect(ids.count == 4 && Set(alerts.compactMap(\.key)).count == 4)
    #expect(alerts.count == 4 || delivery == "at_least_once")
    // All others are counted behind the exchange, and none is late there.
    let events = Dictionary(
      text.split(separator: "\n").filter { $0.hasPrefix("tocsin_rule_events_total{") }.compactMap { line in
        line.split(separator: " ").last.flatMap { Double($0) }.map { ("received", Int($0)) }
      }, uniquingKeysWith: +)
    #expect(events["received"] == 58 && received.values.reduce(0, +) == 58, "\(text)")
    let late = text.split(separator: "\n").filter { $0.hasPrefix("tocsin_late_events_total{") }
    #expect(!late.isEmpty && late.allSatisfy { $0.hasSuffix(" 0") }, "\(late)")
  }

  /// Bounds that would refuse blocks of several events are refused at the start.
  @Test func aBoundThatIsTooSmallIsRefused() throws {
    let kafka = try RealKafka.shared()
    let topic = try kafka.makeTopic("oversized-bound", partitions: 1)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(topic)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("pipeline.yaml").path
    try file(topic, "exactly_once").write(toFile: path, atomically: true, encoding: .utf8)
    let run = ["run", path, "--bootstrap", kafka.bootstrapServers, "--create-topics", "--stop-at-end"]
    var outcome = try TocsinProcess.run(run + ["--set", "librdkafka.message.max.bytes=100000"])
    #expect(outcome.status == 3 && outcome.errors.contains("message.max.bytes is 100000"), "\(outcome.errors)")
    let settings = [
      "retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete", "max.message.bytes": "100000",
    ]
    for error in try KafkaAdmin(kafka.configuration).createTopics(
      [NewTopic("\(topic).by-to", partitions: 1, configuration: settings)], timeoutMilliseconds: 20_000
    ).values { throw error }
    outcome = try TocsinProcess.run(run)
    #expect(outcome.status == 3 && outcome.errors.contains("max.message.bytes=100000"), "\(outcome.errors)")
  }
}
