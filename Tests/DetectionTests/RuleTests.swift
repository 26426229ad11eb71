import Events
import Expressions
import Testing

@testable import Detection

/// What the random rules do not reach.
@Suite struct RuleTests {
  @Test func whatIsSelectedIsCounted() throws {
    var rule = RuleSpec(kind: .window(.tumbling(1_000), lets: [RuleCatalogue.count()], conditions: []))
    rule.filters = [RuleCatalogue.eventCondition(">", 0, name: "n")]
    rule.exception = (RuleCatalogue.flag, 50)
    let run = DetectorRun([try rule.plan()])
    var events = (0..<Int64(8)).map { TestEvent(offset: $0, time: $0 * 10) }
    for index in events.indices where index != 0 { events[index].n = Int64(index) }
    events[1].n = -1
    events[2].k = nil
    for index in [3, 4, 5, 6] { events[index].b = true }
    events[7].time = 5
    _ = run.feed(events[...])
    let counts = run.detector.takeCounts()[0]
    // 0: no n; 1: filtered; 2: no key; 3, 4: excepted; 5, 6: no longer; 7: late.
    #expect(counts.errors == 1 && counts.nullKeys == 1 && counts.excepted == [2] && counts.selected == 2)
    #expect(counts.opened == 1 && counts.updated == 1 && counts.closed == 0)
    #expect(run.detector.late.indices == [7])
    #expect(run.detector.takeCounts()[0] == RuleCounts(exceptions: 1))
  }

  @Test func evidenceIsTheRecordItself() throws {
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(Array("abc".utf8).withUnsafeBufferPointer { SHA256.digest($0) }.map { hex($0) }.joined() == digest)
    let rule = RuleSpec(
      kind: .window(.trailing(1_000), lets: [RuleCatalogue.count()], conditions: []), evidenceLimit: 3)
    let run = DetectorRun([try rule.plan()])
    let events = (0..<Int64(5)).map { TestEvent(offset: $0 * 2, time: $0) }
    let last = try #require(run.feedAll(events) { 2 }.last)
    #expect(last.evidence.map(\.origin.offset) == [4, 6, 8])
    for (evidence, event) in zip(last.evidence, events.suffix(3)) {
      #expect(evidence.digest == event.json.withUnsafeBufferPointer { SHA256.digest($0) })
    }
  }

  private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  /// Table entries are named in the alert, all of them.
  @Test func hitsAreTold() throws {
    let table = ListTable(["bad", "worse"])
    let environment = Environment(
      fields: TestEvent.schema.fields.enumerated().map {
        Environment.Variable(name: $1.name, type: $1.type.columnType, slot: $0, isOptional: true)
      }, tables: [TableDeclaration(name: "listed", columns: [], hasElse: false)])
    let plan = RulePlan(
      id: "hit", filters: [try Program.compile("k in listed || s in listed", in: environment)], kind: .event,
      severities: [SeverityStep(.high)], message: try Template.compile("{k}", in: environment))
    let run = DetectorRun([plan], tables: [table])
    var events = (0..<Int64(3)).map { TestEvent(offset: $0, time: $0, k: "good") }
    events[1].s = "worse"
    events[2].k = "bad"
    events[2].s = "worse"
    let findings = run.feed(events[...])
    #expect(findings.map(\.cause) == [1, 2])
    #expect(findings[0].hits == [TableHit(table: 0, entry: 1, key: "worse", field: "s")])
    #expect(
      findings[1].hits == [
        TableHit(table: 0, entry: 0, key: "bad", field: "k"), TableHit(table: 0, entry: 1, key: "worse", field: "s"),
      ])
  }

  /// Records that are no events move nothing, and rows keep their offsets.
  @Test func deadLettersBetweenEvents() throws {
    let rule = RuleSpec(kind: .window(.tumbling(10), lets: [RuleCatalogue.count()], conditions: []))
    let run = DetectorRun([try rule.plan()])
    func record(_ offset: Int64, _ time: Int64?) -> (offset: Int64, value: [UInt8]) {
      (offset, time.map { TestEvent(offset: offset, time: $0).json } ?? Array("{".utf8))
    }
    #expect(run.feed(records: [record(0, nil), record(1, nil)]).isEmpty)
    let findings = run.feed(records: [record(2, nil), record(3, 1), record(4, nil), record(5, 25), record(6, nil)])
    #expect(findings.map(\.cause) == [3, 5, 5])
    #expect(findings.map(\.transition) == [.opened, .closed, .opened])
    #expect(run.feed(records: [record(7, nil)]).isEmpty)
  }

  /// A late event of an event rule: its alert's time is over when it opens. Both ends are told by its own record.
  @Test func aLateMatchOpensAndCloses() throws {
    var rule = RuleSpec(kind: .event)
    rule.keepFiring = 5
    let times: [Int64] = [100, 102, 3, 104]
    let events = times.enumerated().map { TestEvent(offset: Int64($0), time: $1, k: $1 == 3 ? "late" : "a") }
    for size in [1, 2, 4] {
      let findings = DetectorRun([try rule.plan()]).feedAll(events) { size }
      let late = findings.filter { $0.episode.key == [.string("late")] }
      #expect(late.map(\.cause) == [2, 2] && late.map(\.transition) == [.opened, .closed])
      #expect(late.last?.time == 8)
    }
  }
}
