import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// Each shipped pipeline on data that is made for it: every planted case raises its alert, every broken record is a dead
/// letter.
@Suite(.serialized, .enabled(if: RealKafka.isAvailable("shipped pipelines") && Kcat.isAvailable("shipped pipelines")))
struct ShippedPipelineTests {
  struct Case: Hashable, CustomStringConvertible {
    var rule: String
    var key: String
    var description: String { "\(rule) of \(key)" }
  }

  @Test(arguments: [("transfers", "crypto-transfers", "transfers"), ("cards", "card-payments", "card-auths")])
  func plantedCasesAreFound(kind: String, pipeline: String, topic: String) throws {
    let kafka = try RealKafka.shared()
    let name = RealKafka.uniqueName(topic)
    let file = try Self.pipeline(pipeline, topic: topic, renamed: name)
    let truth = FileManager.default.temporaryDirectory.appendingPathComponent("\(name).ndjson")
    defer {
      try? FileManager.default.removeItem(at: file)
      try? FileManager.default.removeItem(at: truth)
    }
    let made = try TocsinProcess.run([
      "generate", kind, "--events", "40000", "--seed", "11", "--truth", truth.path, "--bootstrap",
      kafka.bootstrapServers, "--topic", name, "--create-topic",
    ])
    #expect(made.status == 0, "\(made.errors)")
    let outcome = try TocsinProcess.run([
      "run", file.path, "--bootstrap", kafka.bootstrapServers, "--create-topics", "--stop-at-end", "--set",
      "librdkafka.group.id=\(name)", "--instance", name, "--log-format", "text",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try Self.truth(truth)
    let planted = Set(lines.filter { $0.rule != "dead-letter" })
    let alerts = try Kcat.read("\(name).alerts", of: kafka.bootstrapServers) { alerts in
      planted.isSubset(of: alerts.map { Self.subject($0) })
    }
    let found = Set(alerts.map { Self.subject($0) })
    #expect(!planted.isEmpty)
    #expect(planted.subtracting(found).isEmpty, "not found: \(planted.subtracting(found).prefix(5))")
    let broken = lines.count { $0.rule == "dead-letter" }
    let dead = try Kcat.read("\(name).dead", of: kafka.bootstrapServers) { $0.count >= broken }
    #expect(dead.count == broken)
    #expect(dead.allSatisfy { $0.headers["tocsin-reason"] != nil && $0.headers["tocsin-offset"] != nil })
  }

  /// What an alert is about.
  private static func subject(_ alert: Kcat.Record) -> Case {
    let finding = alert.json["finding_info"] as? [String: Any]
    let analytic = finding?["analytic"] as? [String: Any]
    let resource = (alert.json["resources"] as? [[String: Any]])?.first
    return Case(rule: analytic?["name"] as? String ?? "", key: resource?["uid"] as? String ?? "")
  }

  private static func truth(_ file: URL) throws -> [Case] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      return Case(rule: object["rule"] as? String ?? "", key: object["key"] as? String ?? "")
    }
  }

  /// A copy of a shipped pipeline with topics of its own.
  private static func pipeline(_ name: String, topic: String, renamed: String) throws -> URL {
    let folder = TocsinProcess.repository.appendingPathComponent("pipelines")
    let text = try String(contentsOf: folder.appendingPathComponent("\(name).yaml"), encoding: .utf8)
    let changed = text.replacing("topic: \(topic)", with: "topic: \(renamed)")
      .replacing("topic: alerts", with: "topic: \(renamed).alerts")
    let file = folder.appendingPathComponent("\(renamed).yaml")
    try changed.write(to: file, atomically: true, encoding: .utf8)
    return file
  }
}
