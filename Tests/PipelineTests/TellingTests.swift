import Configuration
import Foundation
import Tables
import Telemetry
import Testing

@testable import Pipeline

/// What an alert says of lists and of the events before it.
@Suite struct TellingTests {
  private static func file(_ rules: String) -> String {
    """
    tocsin: 1
    pipeline: test
    sources:
      moves:
        topic: moves
        format: json
        key: from
        time: { field: ts, out_of_order: 1s }
        fields:
          ts:     { at: /ts, type: timestamp_ms }
          from:   { at: /from, type: string, entity: account }
          to:     { at: /to, type: string }
          listed: { type: bool, value: "to in bad" }
          worse:  { type: bool, value: "listed && from != ''" }
    tables:
      bad:
        load: { file: bad.txt, format: text }
        key: string
    rules:
    \(rules)
    outputs:
      alerts: { topic: alerts }
    """
  }

  /// The alerts on some moves of the account `a`, a second apart.
  private func alerts(_ rules: String, to payees: [String]) throws -> [[String: Any]] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try "m7\nm8\n".write(to: folder.appendingPathComponent("bad.txt"), atomically: true, encoding: .utf8)
    let read = PipelineFile.read(
      bytes: Array(Self.file(rules).utf8), path: folder.appendingPathComponent("test.yaml").path, environment: [:])
    let plan = try #require(read.plan, "\(read.diagnostics.rendered())")
    let task = PartitionTask(
      plan: plan, tables: try plan.tables.map { try TableLoader.load($0) }, partition: PartitionID("moves", 0),
      start: PartitionTask.Start(offset: 0, committed: 0), productVersion: "0", registry: MetricsRegistry())
    for (offset, payee) in payees.enumerated() {
      let value = "{\"ts\":\(1_767_225_600_000 + offset * 1_000),\"from\":\"a\",\"to\":\"\(payee)\"}"
      task.records.append(offset: Int64(offset), key: nil, value: Array(value.utf8), headers: [])
    }
    return try (task.process(now: 0)?.outputs ?? []).map { output in
      try #require(try JSONSerialization.jsonObject(with: Data(output.value ?? [])) as? [String: Any])
    }
  }

  private func hits(_ alert: [String: Any]?) -> [String] {
    (alert?["enrichments"] as? [[String: Any]] ?? []).map { $0["value"] as? String ?? "?" }
  }

  /// However the rule asks whether a field is on a list.
  @Test(
    arguments: [
      "- { id: r, where: to in bad }", "- { id: r, where: listed }", "- { id: r, where: worse }",
      "- { id: r, by: from, over: 1h, let: { n: count(to in bad) }, condition: n >= 1 }",
      "- { id: r, by: from, over: 1h, let: { n: count(listed) }, condition: n >= 1 }",
      "- { id: r, by: from, over: 1h, let: { n: count() }, condition: n >= 1, severity: { high: event.listed, low: \"true\" } }",
    ])
  func theHitIsTold(_ rule: String) throws {
    let found = try alerts(rule, to: ["m7"])
    #expect(found.count == 1 && hits(found.first) == ["m7"], "\(found)")
  }

  @Test func whatIsNotAskedIsNotTold() throws {
    let found = try alerts("- { id: r, where: \"from == 'a'\" }", to: ["m7"])
    #expect(found.count == 1 && hits(found.first).isEmpty)
  }

  /// Of the events before the last one no more is known than what they have in common.
  @Test func earlierEvidenceHasItsKey() throws {
    let rule = "- { id: r, by: [from], over: 1h, let: { n: count() }, condition: n >= 3, message: \"{event.to}\" }"
    let found = try alerts(rule, to: ["m1", "m2", "m3"])
    let evidence = try #require(found.first?["evidences"] as? [[String: Any]])
    let fields = evidence.map { ($0["data"] as? [String: Any])?["fields"] as? [String: String] }
    #expect(fields == [["from": "a"], ["from": "a"], ["from": "a", "to": "m3"]])
  }
}
