import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// One run of the peers' job: topics of its own, generated input, and what has to come out.
struct BenchJob {
  /// An alert by its rule and the record that caused it.
  struct Cause: Hashable, Comparable, CustomStringConvertible {
    var rule: String
    var partition: Int
    var offset: Int

    var description: String { "\(rule) \(partition)/\(offset)" }

    static func < (left: Cause, right: Cause) -> Bool {
      (left.rule, left.partition, left.offset) < (right.rule, right.partition, right.offset)
    }
  }

  let kafka: RealKafka
  let topic: String
  let folder: URL
  var expected: [Cause] = []
  /// librdkafka's folder, where not the system's.
  var library: String?

  init(_ kafka: RealKafka, events: Int, seed: Int, library: String? = nil) throws {
    self.kafka = kafka
    self.library = library
    topic = RealKafka.uniqueName("bench")
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(topic)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let outcome = try TocsinProcess.run([
      "generate", "bench", "--events", "\(events)", "--seed", "\(seed)", "--watchlist", path("watch.txt"), "--truth",
      path("truth.ndjson"), "--bootstrap", kafka.bootstrapServers, "--topic", topic, "--create-topic", "--partitions",
      "4",
    ])
    try #require(outcome.status == 0, "generate: \(outcome.errors)")
    expected = try Self.truth(path("truth.ndjson"))
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  var environment: [String: String] {
    var variables = [
      "TOCSIN_BENCH_WATCHLIST": path("watch.txt"), "TOCSIN_BENCH_TOPIC": topic,
      "TOCSIN_BENCH_ALERTS": "\(topic).alerts", "TOCSIN_BENCH_LATE": "\(topic).late",
      "TOCSIN_BENCH_DEAD": "\(topic).dead",
    ]
    if let library { variables["LD_LIBRARY_PATH"] = library }
    return variables
  }

  /// The arguments of a run; a static member, which every process is, is back at once where it was killed.
  func arguments(instance: String = "one", isStatic: Bool = true, _ more: [String] = []) -> [String] {
    let membership = isStatic ? [] : ["--set", "librdkafka.group.instance.id="]
    return [
      "run", "Benchmarks/bench.yaml", "--bootstrap", kafka.bootstrapServers, "--create-topics", "--instance", instance,
      "--set", "librdkafka.group.id=\(topic)", "--log-format", "text",
    ] + membership + more
  }

  func start(instance: String = "one", isStatic: Bool = true, _ more: [String] = []) throws -> TocsinProcess {
    try TocsinProcess(arguments(instance: instance, isStatic: isStatic, more), environment: environment)
  }

  private static func truth(_ path: String) throws -> [Cause] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      return Cause(
        rule: object["rule"] as? String ?? "", partition: object["partition"] as? Int ?? -1,
        offset: object["offset"] as? Int ?? -1)
    }.sorted()
  }

  private static func isOpened(_ record: Kcat.Record) -> Bool {
    record.headers["ce_type"] == "dev.tocsin.alert.opened.v1"
  }

  /// What a consumer that is not ours finds on the alert topic: each alert that opened, by its cause.
  func opened() throws -> [Cause] {
    try Kcat.read("\(topic).alerts", of: kafka.bootstrapServers) { records in
      records.count { Self.isOpened($0) } >= expected.count
    }
    .filter { Self.isOpened($0) }
    .map { record in
      let json = record.json
      let finding = json["finding_info"] as? [String: Any]
      let analytic = finding?["analytic"] as? [String: Any]
      let evidence = (json["evidences"] as? [[String: Any]])?.last?["data"] as? [String: Any]
      return Cause(
        rule: analytic?["name"] as? String ?? "", partition: evidence?["partition"] as? Int ?? -1,
        offset: evidence?["offset"] as? Int ?? -1)
    }.sorted()
  }

  /// Compares what came out with what had to: nothing missing, nothing twice, nothing else.
  func check(_ comment: Comment? = nil) throws {
    let found = try opened()
    #expect(!expected.isEmpty)
    if found == expected { return }
    let counts = Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +)
    let doubled = counts.filter { $0.value > 1 }.keys.sorted()
    let missing = Set(expected).subtracting(found).sorted()
    let wrong = Set(found).subtracting(expected).sorted()
    Issue.record(
      "\(found.count) alerts, expected \(expected.count); missing \(missing.prefix(5)), doubled \(doubled.prefix(5)), wrong \(wrong.prefix(5))"
    )
    #expect(found == expected, comment)
  }
}
