import Detection
import Foundation
import Testing

@testable import Pipeline

/// What `tocsin plan` says.
@Suite struct PlanReportTests {
  private static let rules = """
    - { id: large, where: usd > 100 }
    - { id: hot, where: usd > 100, by: from, keep_firing_for: 1h }
    - { id: busy, by: from, over: 1h, let: { n: count() }, condition: n > 3 }
    - { id: daily, by: [from, asset], per: 1d, let: { payees: count_distinct(to) }, condition: payees > 3, evidence: 1 }
    """

  private func plan(_ change: (inout String) -> Void = { _ in }) throws -> PipelinePlan {
    var text = FileSupport.file(rules: Self.rules, outputs: "{ alerts: { topic: alerts }, late: { topic: late } }")
    change(&text)
    return try FileSupport.plan(text)
  }

  @Test func text() throws {
    let plan = try plan()
    let busy = try #require(StateLayout(plan.rules[2]))
    let daily = try #require(StateLayout(plan.rules[3]))
    func identity(_ rule: Int) -> String { plan.rules[rule].identity.map { String(format: "%02x", $0) }.joined() }
    let report = PlanReport(plan, keys: 1, partitions: ["transfers": 4, "test.versions": 2])
    #expect(
      report.text == """
        pipeline test
          file \(plan.version)

        sub-topology 1: reads transfers, partitioned on from; writes alerts, late
          large: fused: it looks at one event at a time
          hot: fused: its `by` holds `from`, which the source is partitioned on
          busy: fused: its `by` holds `from`, which the source is partitioned on
          daily: fused: its `by` holds `from`, which the source is partitioned on

        topics
          transfers      source               4 partitions
          alerts         alerts               any; --create-topics makes as many as the source has
          late           late events          as alerts
          test.state     state, compacted     as many as the source has
          test.versions  versions, compacted  2 partitions

        state (estimates)
          large (event), identity \(identity(0))
            no window; an open alert is kept until it closes
          hot (event by from), identity \(identity(1))
            no window; an open alert is kept until it closes
          busy (over: 1h by from), identity \(identity(2))
            keys x (\(busy.keyBytes) + granules x \(busy.pieceBytes) + events of evidence x \(busy.evidenceBytes))
            1 keys: \(busy.keyBytes + busy.pieceBytes + busy.evidenceBytes) B with one event each, at most \
        \(size(busy.keyBytes + 61 * busy.pieceBytes + 9 * busy.evidenceBytes)) with events in 61 granules each and 9 kept \
        as evidence
            bound: 256.0 MiB in one partition (`limits.state_bytes`); beyond it the oldest is dropped
          daily (per: 1d by from, asset), identity \(identity(3))
            keys x (\(daily.keyBytes) + granules x \(daily.pieceBytes))
            1 keys: \(daily.keyBytes + daily.pieceBytes) B with one event each, at most \
        \(daily.keyBytes + daily.pieceBytes) B with events
            bound: 256.0 MiB in one partition (`limits.state_bytes`); beyond it the oldest is dropped
            besides: different values and texts that aggregates keep

        """)
  }

  private func size(_ bytes: Int) -> String { "\((Double(bytes) / 1024 * 10).rounded() / 10) KiB" }

  @Test func against() throws {
    let new = try plan { text in
      text = text.replacing("over: 1h", with: "over: 2h").replacing("id: daily", with: "id: each-day")
        .replacing("usd > 100, by", with: "usd > 200, by").replacing(
          "late: { topic: late }", with: "late: { topic: l }")
    }
    let report = PlanReport(new, keys: 10, against: try plan())
    let text = report.text
    #expect(
      text.hasSuffix(
        """

        against the other file
          large: has no state
          hot: starts anew because `where` changed
          busy: starts anew because `window` changed
          each-day: is new: its conditions are looked at once its window lies wholly after the change
          daily: is removed; alerts of it that are open are not told of any more

        taken over by a restart only
          outputs.late.topic

        """), "\(text)")
    let same = PlanReport(try plan(), keys: 10, against: try plan())
    #expect(same.survival?.map(\.state) == ["stateless", "kept", "kept", "kept"])
    #expect(same.needsRestart == [])
  }

  @Test func json() throws {
    let report = PlanReport(
      try plan(), keys: 1_000, against: try plan { $0 = $0.replacing("over: 1h", with: "over: 2h") })
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
    #expect(
      object.keys.sorted() == [
        "needs_restart", "pipeline", "rules", "sub_topologies", "survival", "topics", "version",
      ])
    let rules = try #require(object["rules"] as? [[String: Any]])
    #expect(rules.map { $0["rule"] as? String } == ["large", "hot", "busy", "daily"])
    let layout = try #require(StateLayout(try plan().rules[2]))
    let state = try #require(rules[2]["state"] as? [String: Any])
    #expect(state["bound"] as? Int == 256 << 20)
    #expect(state["least"] as? Int == layout.bytes(keys: 1_000, pieces: 1, evidence: 1))
    #expect(state["most"] as? Int == layout.bytes(keys: 1_000, pieces: 61, evidence: 9))
    let survival = try #require(object["survival"] as? [[String: Any]])
    #expect(survival[2]["changed"] as? [String] == ["window"])
  }

  /// A source that does not say its key is told so.
  @Test func withoutKey() throws {
    let text = FileSupport.file(rules: Self.rules).replacing("    key: from\n", with: "")
    let report = PlanReport(try #require(FileSupport.read(text).plan), keys: 1)
    #expect(report.subTopologies[0].key == [])
    #expect(
      report.subTopologies[0].rules[1].why == "fused: the source does not say what it is partitioned on")
  }

  /// A rule of another key gets its events through an exchange.
  @Test func exchanges() throws {
    let report = PlanReport(
      try plan { $0 = $0.replacing("by: from, over: 1h", with: "by: [to, asset], over: 1h") }, keys: 1, group: "g",
      partitions: ["g.by-to-asset": 8])
    #expect(report.subTopologies.map(\.reads) == ["transfers", "g.by-to-asset"])
    #expect(report.subTopologies.map(\.key) == [["from"], ["to", "asset"]])
    #expect(report.subTopologies.map(\.writes) == [["alerts", "late", "g.by-to-asset"], ["alerts"]])
    #expect(report.subTopologies.map { $0.rules.map(\.rule) } == [["large", "hot", "daily"], ["busy"]])
    #expect(report.subTopologies[1].rules[0].isFused == false)
    #expect(
      report.topics.map(\.topic) == [
        "transfers", "alerts", "late", "g.by-to-asset", "g.state", "g.by-to-asset.state", "g.versions",
      ])
    #expect(report.topics[3].partitions == 8)
    #expect(
      report.text.contains(
        "\nsub-topology 2: reads g.by-to-asset, partitioned on to, asset; writes alerts\n  busy: exchanged: "))
  }
}
