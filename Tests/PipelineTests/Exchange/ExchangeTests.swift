import Events
import Foundation
import Telemetry
import Testing

@testable import Pipeline

/// Tasks of the source, exchanges and the tasks behind them, against one task that sees everything.
@Suite struct ExchangeTests {
  /// With one partition of the source, everything comes out byte for byte, also late events, however the work is cut.
  @Test(arguments: 0..<10) func onePartitionGivesTheSameBytes(seed: Int) throws {
    let records = ExchangeWorld.records(700, partitions: 1, lateOnes: true, seed: UInt64(seed))
    let expected = try ExchangeWorld.reference(records)
    var world = try ExchangeWorld(records, partitions: 1, seed: UInt64(seed) + 100)
    world.run()
    #expect(try difference(expected.filter { $0.destination == .alerts }, world.alerts) == nil)
    #expect(Set(try world.alerts.map { try AlertView($0).rule }).count == 6)
    let others = expected.filter { $0.destination != .alerts }
    #expect(!others.isEmpty && Set(world.others.map(\.value)) == Set(others.map(\.value)))
    #expect(world.others.count == others.count)
  }

  /// Tasks die at any time and are taken up from what was committed: nothing is lost, nothing is doubled.
  @Test(arguments: 0..<10) func deathsDoNotShow(seed: Int) throws {
    let records = ExchangeWorld.records(700, partitions: 1, lateOnes: true, seed: UInt64(seed) + 50)
    let expected = try ExchangeWorld.reference(records)
    var world = try ExchangeWorld(records, partitions: 1, seed: UInt64(seed) + 900)
    world.run(deaths: 12)
    #expect(try difference(expected.filter { $0.destination == .alerts }, world.alerts) == nil)
  }

  /// With several partitions, rules that do not depend on order find the same windows; nothing is late behind an exchange.
  @Test(arguments: 0..<10) func severalPartitionsFindTheSameWindows(seed: Int) throws {
    let records = ExchangeWorld.records(900, partitions: 3, lateOnes: false, seed: UInt64(seed) + 20)
    let expected = try ExchangeWorld.reference(records)
    var world = try ExchangeWorld(records, partitions: 3, seed: UInt64(seed) + 300)
    world.run(deaths: seed % 2 == 0 ? 0 : 10)
    let rules: Set = ["single", "card-minute", "to-minute", "to-place"]
    let wanted = try opened(expected, rules)
    #expect(wanted.count > 40 && Set(wanted.map(\.rule)) == rules)
    #expect(try opened(world.alerts, rules) == wanted)
    #expect(world.registry.total(PipelineMetrics.late) == 0)
  }

  /// A partition that leads by far changes nothing behind an exchange: windows wait for the slowest.
  @Test func aLeadingPartitionIsWaitedFor() throws {
    let records = ExchangeWorld.records(600, partitions: 2, lateOnes: false, seed: 7)
    var world = try ExchangeWorld(records, partitions: 2, seed: 8)
    while world.watermarks.values.max() ?? .min == .min {
      world.feed(source: 1, atMost: 150)
      world.tick(1)
      for number in world.exchanges.indices {
        for place in world.exchanges[number].indices { world.feed(exchange: number, place) }
      }
      world.now += 2_000_000_000
      if world.now > 60_000_000_000 { break }
    }
    // The other has not been heard of: nobody moved on.
    #expect(world.watermarks.values.allSatisfy { $0 == .min } && !world.watermarks.isEmpty)
    world.run()
    let rules: Set = ["to-minute", "to-place"]
    #expect(try opened(world.alerts, rules) == opened(try ExchangeWorld.reference(records), rules))
    #expect(world.registry.total(PipelineMetrics.late) == 0)
  }

  /// A partition that is idle holds nobody back; when it comes back, what lies too far behind is late, and told.
  @Test func anIdlePartitionHoldsNobodyBack() throws {
    let records = ExchangeWorld.records(400, partitions: 2, lateOnes: false, seed: 9)
    var world = try ExchangeWorld(records, partitions: 2, seed: 10)
    world.tick(0)
    world.now += 31_000_000_000
    world.tick(0)
    while world.watermarks.values.max() ?? .min == .min, world.now < 90_000_000_000 {
      world.feed(source: 1, atMost: 150)
      world.now += 1_100_000_000
      world.tick(1)
      for number in world.exchanges.indices {
        for place in world.exchanges[number].indices { world.feed(exchange: number, place) }
      }
    }
    #expect(world.watermarks.values.contains { $0 > .min })
    world.run()
    let late = world.others.filter { $0.destination == .late }
    #expect(world.registry.total(PipelineMetrics.late) == Int64(late.count))
  }

  /// Versions that differ in what alerts name, and in the order of rules, come into force while tasks die: what is found is the
  /// same, so all state goes on; behind an exchange, too.
  @Test(arguments: 0..<10) func changesDoNotShow(seed: Int) throws {
    let versions = try [{ $0 }, { $0 + "\n# one\n" }, Self.reordered, { $0.replacing("n >= 5", with: "n >= 5 ") }]
      .map { (change: (String) -> String) in
        let text = Array(change(ExchangeWorld.file).utf8)
        let plan = try #require(PipelineFile.read(bytes: text, path: "/test.yaml", environment: [:]).plan)
        return PipelineVersion(id: VersionContent(pipeline: text).manifest.id, plan: plan, tables: [])
      }
    let records = ExchangeWorld.records(700, partitions: 1, lateOnes: true, seed: UInt64(seed) + 70)
    let expected = try ExchangeWorld.reference(records)
    var world = try ExchangeWorld(records, partitions: 1, seed: UInt64(seed) + 400, versions: versions)
    world.run(deaths: seed % 2 == 0 ? 0 : 12, changes: true)
    let found = try world.alerts.map { try AlertView($0) }.sorted()
    #expect(try found == expected.filter { $0.destination == .alerts }.map { try AlertView($0) }.sorted())
    let named = try Set(world.alerts.map { try version($0) })
    #expect(named.isSubset(of: versions.map(\.plan.version)) && named.count > 1)
    #expect(world.versionsAtWork.isSubset(of: versions.map(\.id)))
  }

  private func version(_ alert: Output) throws -> String {
    let body = try JSONSerialization.jsonObject(with: Data(alert.value ?? [])) as? [String: Any]
    let own = (body?["unmapped"] as? [String: Any])?["tocsin"] as? [String: Any]
    return own?["pipeline_version"] as? String ?? ""
  }

  /// The rule of one exchange stands before those of another.
  private static func reordered(_ text: String) -> String {
    guard let from = text.range(of: "  - id: to-place"), let to = text.range(of: "  - { id: single") else { return "" }
    let end = text.range(of: "exchange: {")?.lowerBound ?? text.endIndex
    let moved = String(text[from.lowerBound..<end])
    return text[..<to.lowerBound] + moved + text[to.lowerBound..<from.lowerBound] + text[end...]
  }

  private func opened(_ outputs: [Output], _ rules: Set<String>) throws -> [AlertView] {
    try outputs.filter { $0.destination == .alerts }.map { try AlertView($0) }
      .filter { rules.contains($0.rule) && $0.state == "Create" }.sorted()
  }

  /// Where two runs differ; nil: nowhere.
  private func difference(_ expected: [Output], _ found: [Output]) throws -> String? {
    let (left, right) = (texts(expected), texts(found))
    if left == right { return nil }
    let missing = left.filter { !right.contains($0) }
    let wrong = right.filter { !left.contains($0) }
    return "\(expected.count) expected, \(found.count) found; missing \(missing.count), first \(missing.first ?? "-"); "
      + "wrong \(wrong.count), first \(wrong.first ?? "-")"
  }

  private func texts(_ outputs: [Output]) -> [String] {
    outputs.map { output in
      let headers = output.headers.map { "\($0.name)=\(String(decoding: $0.value ?? [], as: UTF8.self))" }
      return headers.joined(separator: " ") + " " + String(decoding: output.value ?? [], as: UTF8.self)
    }.sorted()
  }
}
