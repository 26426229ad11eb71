import Configuration
import Detection
import Events
import Foundation
import Tables
import Testing

@testable import Pipeline

/// The pipelines that come with Tocsin.
@Suite struct FileShippedTests {
  static let names = ["crypto-transfers", "card-payments"]

  private func load(_ name: String) -> (plan: PipelinePlan?, diagnostics: DiagnosticBag) {
    PipelineFile.load(
      path: FileSupport.repository.appendingPathComponent("pipelines/\(name).yaml").path, environment: [:])
  }

  @Test(arguments: names)
  func theyLoadWithoutAnyMessage(_ name: String) throws {
    let (plan, diagnostics) = load(name)
    #expect(diagnostics.rendered() == "")
    let found = try #require(plan)
    #expect(found.name == name)
    #expect(found.rules.count == found.descriptions.count)
    for (rule, description) in zip(found.rules, found.descriptions) {
      #expect(rule.id == description.id)
      #expect(rule.evidenceSlots.count <= RuleReader.evidenceFieldLimit)
    }
  }

  @Test(arguments: names)
  func theirTablesLoad(_ name: String) throws {
    for source in try #require(load(name).plan).tables {
      let table = try TableLoader.load(source)
      #expect(table.entryCount > 0)
    }
  }

  @Test func transfers() throws {
    let plan = try #require(load("crypto-transfers").plan)
    #expect(plan.rules.map(\.id) == ["sanctioned-counterparty", "structuring", "fan-out", "velocity"])
    #expect(plan.source.topic == "transfers" && plan.source.key == "from")
    let from = try #require(plan.schema.slot(of: "from"))
    #expect(plan.rules.allSatisfy { $0.keySlots == [from] })
    #expect(plan.descriptions.allSatisfy { $0.entity == "wallet" })
    #expect(plan.descriptions[0].action == .block && plan.descriptions[0].risk == 100)
    #expect(plan.rules[0].keepFiring == 86_400_000_000_000)
    #expect(plan.rules[0].severities.map(\.severity) == [.critical, .high])
    #expect(plan.rules[0].severities[1].condition == nil)
    guard case .window(let window) = plan.rules[1].kind else {
      Issue.record("structuring has a window")
      return
    }
    #expect(window.span == .trailing(86_400_000_000_000))
    #expect(plan.descriptions[1].window == "over: 24h")
    #expect(plan.derived.map(\.slot) == [plan.schema.slot(of: "usd")])
  }

  @Test func cards() throws {
    let plan = try #require(load("card-payments").plan)
    #expect(plan.rules.map(\.id) == ["velocity", "many-terminals", "spend-over-limit", "card-testing"])
    guard case .window(let window) = plan.rules[2].kind else {
      Issue.record("spend-over-limit has a window")
      return
    }
    #expect(window.span == .calendar(.day, zone: "Europe/Berlin"))
    let present = try #require(plan.schema.slot(of: "present"))
    #expect(plan.schema.fields[present].absence == .defaultValue(.bool(false)))
  }

  /// The whole language stands in the four examples of the design: what is not built is refused by name, nothing else is
  /// said about them.
  @Test(arguments: ["1-crypto-transfers", "2-card-payments", "3-bank-attacks", "4-login-then-transfer"])
  func theDesignsExamplesAreRefusedByName(_ name: String) throws {
    let path = FileSupport.repository.deletingLastPathComponent()
      .appendingPathComponent("shared/examples/\(name).yaml").path
    guard FileManager.default.fileExists(atPath: path) else {
      print("skipped: \(path) is not here")
      return
    }
    let (plan, bag) = PipelineFile.load(path: path, environment: [:])
    #expect(plan == nil)
    #expect(bag.diagnostics.count >= 5)
    for diagnostic in bag.diagnostics where !diagnostic.message.contains("not supported") {
      Issue.record("\(diagnostic.rendered(source: bag.source))")
    }
  }
}
