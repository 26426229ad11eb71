import Tables
import Testing

@testable import Pipeline

/// What may change while a pipeline runs, and what becomes of state.
@Suite struct ReloadTests {
  private func version(_ text: String) throws -> PipelineVersion {
    PipelineVersion(
      id: VersionContent(pipeline: Array(text.utf8)).manifest.id, plan: try FileSupport.plan(text), tables: [])
  }

  private static let rules = """
    - { id: each, where: usd > 100 }
    - { id: hot, where: usd > 100, by: from, keep_firing_for: 1h }
    - { id: busy, by: from, over: 1h, let: { n: count() }, condition: n > 3 }
    - { id: wide, by: from, over: 24h, let: { n: count() }, condition: n > 3 }
    """

  @Test func unchanged() throws {
    let text = FileSupport.file(rules: Self.rules)
    #expect(ReloadDecision(running: try version(text), loaded: try version(text)) == .unchanged)
    // A comment is another version, whose alerts name another file; all state is kept.
    let commented = ReloadDecision(running: try version(text), loaded: try version(text + "\n# why\n"))
    guard case .accepted(let survival) = commented else {
      Issue.record("\(commented)")
      return
    }
    #expect(survival.losses == [])
    #expect(survival.rules.map(\.fate) == [.stateless, .kept, .kept, .kept])
  }

  @Test func survival() throws {
    let after = Self.rules.replacing("id: wide", with: "id: wider").replacing("over: 1h", with: "over: 2h")
      .replacing("n > 3 }\n- { id: wider", with: "n > 5 }\n- { id: wider")
    let decision = ReloadDecision(
      running: try version(FileSupport.file(rules: Self.rules)), loaded: try version(FileSupport.file(rules: after)))
    guard case .accepted(let survival) = decision else {
      Issue.record("\(decision)")
      return
    }
    #expect(
      survival.rules == [
        StateSurvival.Rule(id: "each", fate: .stateless), StateSurvival.Rule(id: "hot", fate: .kept),
        StateSurvival.Rule(id: "busy", fate: .anew(["window"])), StateSurvival.Rule(id: "wider", fate: .new),
        StateSurvival.Rule(id: "wide", fate: .removed),
      ])
    #expect(survival.rules[2].sentence == "starts anew because `window` changed")
    #expect(survival.losses.map(\.id) == ["busy", "wide"])
  }

  @Test(arguments: [
    ("pipeline: test", "pipeline: other", "pipeline"), ("topic: transfers", "topic: more", "sources.transfers.topic"),
    ("key: from", "key: to", "sources.transfers.key"),
    ("rules:\n", "rules:\n  - { id: x, by: to, over: 1h, let: { n: count() }, condition: n > 3 }\n", "by of rule x"),
    ("time: { field: ts }", "time: { field: ts, idle: 1m }", "sources.transfers.time.idle"),
    ("topic: alerts", "topic: others", "outputs.alerts.topic"),
    ("{ alerts: { topic: alerts } }", "{ alerts: { topic: alerts }, late: { topic: l } }", "outputs.late.topic"),
    (
      "{ alerts: { topic: alerts } }", "{ alerts: { topic: alerts }, dead_letter: { topic: d } }",
      "outputs.dead_letter.topic"
    ), ("outputs:", "delivery: at_least_once\noutputs:", "delivery"),
    ("outputs:", "librdkafka: { client.id: x }\noutputs:", "librdkafka.client.id"),
    ("outputs:", "limits: { batch_records: 7 }\noutputs:", "limits.batch_records"),
    ("outputs:", "limits: { unsettled_bytes: 1MiB }\noutputs:", "limits.unsettled_bytes"),
  ]) func refused(_ text: String, _ replacement: String, _ setting: String) throws {
    let before = FileSupport.file(rules: "- { id: each, where: usd > 100 }")
    let after = before.replacing(text, with: replacement)
    let decision = ReloadDecision(running: try version(before), loaded: try version(after))
    guard case .refused(let lines) = decision else {
      Issue.record("\(setting): \(decision)")
      return
    }
    #expect(lines == ["`\(setting)` can't change while the pipeline runs: restart it"])
  }

  @Test(arguments: [
    "limits: { record_bytes: 2KiB }", "limits: { state_bytes: 2MiB }", "limits: { episodes: 5 }",
    "limits: { future: 2d }",
  ]) func mayChange(_ tail: String) throws {
    let decision = ReloadDecision(
      running: try version(FileSupport.file()), loaded: try version(FileSupport.file(tail: tail)))
    guard case .accepted = decision else {
      Issue.record("\(decision)")
      return
    }
  }

  private func identity(_ number: Int64) -> FileIdentity { FileIdentity(modified: number, size: 1, inode: 1) }

  @Test func watching() {
    var watch = FileWatch(read: ["a": identity(1), "b": identity(1)])
    let isDue1 = watch.look(["a": identity(1), "b": identity(1)])
    #expect(!isDue1)
    // Being written, then at rest.
    let isDue2 = watch.look(["a": identity(2), "b": identity(1)])
    #expect(!isDue2)
    let isDue3 = watch.look(["a": identity(3), "b": identity(1)])
    #expect(!isDue3)
    let isDue4 = watch.look(["a": identity(3), "b": identity(1)])
    #expect(isDue4)
    watch.note(read: ["a": identity(3), "b": identity(1)])
    let isDue5 = watch.look(["a": identity(3), "b": identity(1)])
    #expect(!isDue5)
    // Gone, and back as it was: nothing to read.
    let isDue6 = watch.look(["b": identity(1)])
    #expect(!isDue6)
    let isDue7 = watch.look(["a": identity(3), "b": identity(1)])
    #expect(!isDue7)
    let isDue8 = watch.look(["b": identity(1)])
    #expect(!isDue8)
    let isDue9 = watch.look(["b": identity(1)])
    #expect(isDue9)
  }
}
