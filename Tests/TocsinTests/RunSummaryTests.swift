import Detection
import Foundation
import Pipeline
import Telemetry
import Testing

@testable import tocsin

/// What a run says at its end.
@Suite struct RunSummaryTests {
  private static func summary() throws -> RunSummary {
    let path = TocsinProcess.repository.appendingPathComponent("pipelines/crypto-transfers.yaml").path
    var plan = try #require(PipelineFile.load(path: path, environment: [:]).plan)
    let structuring = try #require(plan.rules.firstIndex { $0.id == "structuring" })
    let condition = try #require(plan.rules.lazy.flatMap(\.filters).first)
    plan.rules[structuring].exceptions = [ExceptionPlan(condition: condition, reason: "pilot", ticket: "FC-118")]
    let registry = MetricsRegistry()
    registry.counter(PipelineMetrics.records, [plan.source.topic, "0"]).add(40)
    registry.counter(PipelineMetrics.records, [plan.source.topic, "1"]).add(2)
    // Blocks of an exchange are no events.
    registry.counter(PipelineMetrics.records, ["crypto-transfers.by-to", "0"]).add(1_000)
    registry.counter(PipelineMetrics.replayed, [plan.source.topic, "1"]).add(1)
    registry.counter(PipelineMetrics.replayed, ["crypto-transfers.by-to", "0"]).add(500)
    registry.counter(PipelineMetrics.transactions).add(3)
    registry.counter(PipelineMetrics.alerts, ["structuring", "opened"]).add(4)
    registry.counter(PipelineMetrics.selected, ["structuring"]).add(5)
    registry.counter(PipelineMetrics.ruleErrors, ["structuring"]).add(6)
    registry.counter(PipelineMetrics.excepted, ["structuring", "pilot"]).add(9)
    // A rule that a reload brought in.
    registry.counter(PipelineMetrics.selected, ["later"]).add(7)
    registry.counter(PipelineMetrics.excepted, ["later", "known"]).add(8)
    return RunSummary(registry, plan, seconds: 1.25)
  }

  @Test func forAPerson() throws {
    let lines = try Self.summary().text.split(separator: "\n").map(String.init)
    #expect(lines[0] == "42 events read in 1.3 s, 1 of them again; 0 late, 0 dead letters, 3 commits")
    #expect(lines.contains("  structuring: 4 opened, 0 updated, 0 closed; 5 events; 6 without a value"))
    #expect(lines.contains("    9 excepted: pilot (FC-118)"))
    #expect(
      Array(lines.suffix(2)) == ["  later: 0 opened, 0 updated, 0 closed; 7 events", "    8 excepted: known"])
  }

  @Test func forTheLog() throws {
    let fields = try Self.summary().fields
    let expected = [
      "events": "42", "replayed": "1", "late": "0", "dead_letters": "0", "commits": "3", "seconds": "1.3",
      "rule.structuring.opened": "4", "rule.structuring.events": "5", "rule.structuring.without_value": "6",
      "rule.later.events": "7", "rule.later.excepted": "8", "rule.fan-out.closed": "0",
    ]
    for (name, value) in expected { #expect(fields[name] == value, "\(name)") }
  }
}
