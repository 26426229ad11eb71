import Events
import TestSupport
import Testing

@testable import Detection

/// What happens when a rule's state reaches its bound.
@Suite struct StateBoundTests {
  private static let second: Int64 = 1_000_000_000

  /// Every event has a text of its own, so the number of different texts is the number of events: whatever was dropped.
  @Test(arguments: UInt64(0)..<20)
  func distinctCountsForgetWhatWasDropped(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    var shape = StreamShape()
    shape.outOfOrder = random.pick([0, 5]) * Self.second
    var events = TestEvent.stream(shape, &random)
    for index in events.indices { events[index].s = "s\(index)" }
    let always = ConditionSpec(text: "a0 > 0", holds: { _, _ in true }, observations: { _, _ in [] })
    let rule = RuleSpec(
      kind: .window(
        .trailing(300 * Self.second),
        lets: [RuleCatalogue.count(), RuleCatalogue.distinct(("s", { $0.scalar(6) }), nil)],
        conditions: [always]))
    let run = DetectorRun(
      [try rule.plan()], outOfOrder: shape.outOfOrder, stateBytes: random.pick([1_500, 3_000, 4_500]))
    let findings = run.feedAll(events)
    #expect(run.detector.takeCounts()[0].evicted > 0)
    let wrong = findings.first { $0.values[0].value != $0.values[1].value }
    #expect(wrong == nil)
  }

  /// The oldest goes first; what is left is counted as ever.
  @Test func theOldestIsDropped() throws {
    let rule = RuleSpec(
      kind: .window(.trailing(60 * Self.second), lets: [RuleCatalogue.count()], conditions: []), evidenceLimit: 0)
    var events = (0..<Int64(30)).map { TestEvent(offset: $0, time: $0 * Self.second, k: "k\($0)") }
    events += [0, 1, 2, 27, 28, 29].enumerated().map {
      TestEvent(offset: 30 + Int64($0), time: 31 * Self.second, k: "k\($1)")
    }
    let run = DetectorRun([try rule.plan()], stateBytes: 1_800)
    let counts = run.feedAll(events).map { $0.values[0].value }
    // Young keys kept their event, old ones lost it.
    #expect(counts.suffix(6) == [.int(1), .int(1), .int(1), .int(2), .int(2), .int(2)])
    let evicted = run.detector.takeCounts()[0].evicted
    #expect(evicted > 3 && evicted < 27)
    #expect(run.detector.sizes[0].stateBytes < 5_000)
  }

  /// With nothing older to drop, keys that are there go on and new ones are kept out.
  @Test func newKeysAreKeptOut() throws {
    let rule = RuleSpec(
      kind: .window(.tumbling(1_000 * Self.second), lets: [RuleCatalogue.count()], conditions: []), evidenceLimit: 0)
    let events = (0..<Int64(100)).map { TestEvent(offset: $0, time: $0, k: "k\($0 % 50)") }
    let run = DetectorRun([try rule.plan()], stateBytes: 2_000)
    let findings = run.feedAll(events)
    let kept = run.detector.sizes[0].keys
    #expect(kept > 0 && kept < 50)
    #expect(findings.count == 2 * kept && run.detector.takeCounts()[0].refused == 100 - 2 * kept)
    // The window's end makes room again.
    let later = run.feed([TestEvent(offset: 100, time: 1_000 * Self.second, k: "new")])
    #expect(later.last?.transition == .opened && run.detector.sizes[0].keys == 1)
  }

  @Test func openEpisodesAreBounded() throws {
    var rule = RuleSpec(kind: .event)
    rule.keepFiring = 100
    let run = DetectorRun([try rule.plan()], episodes: 3)
    let findings = run.feedAll((0..<Int64(10)).map { TestEvent(offset: $0, time: $0, k: "k\($0 % 5)") })
    #expect(findings.map(\.cause) == [0, 1, 2, 5, 6, 7])
    #expect(findings.map(\.transition) == [.opened, .opened, .opened, .updated, .updated, .updated])
    #expect(run.detector.sizes[0].episodes == 3)
    #expect(run.detector.takeCounts()[0].unopened == 4)
    #expect(run.detector.takeCounts()[0].unopened == 0)
    // Their time passes: there is room again.
    let later = run.feed([TestEvent(offset: 10, time: 1_000, k: "k4")])
    #expect(later.map(\.transition) == [.closed, .closed, .closed, .opened])
  }

  /// Everything that windows held is given back when the watermark has passed them.
  @Test func memoryIsGivenBack() throws {
    var random = SeededRandom(3)
    let lets = ["count_distinct(s)", "latest(s)", "max(s)", "sum(x)", "avg(m)"].map { LetSpec(text: $0) { _ in nil } }
    let rules = [WindowSpan.trailing(50 * Self.second), .tumbling(20 * Self.second)].map {
      RuleSpec(kind: .window($0, lets: lets, conditions: []))
    }
    let run = DetectorRun(try rules.map { try $0.plan() })
    let atStart = run.detector.sizes.map(\.stateBytes)
    var events = TestEvent.stream(StreamShape(count: 3_000, keys: 500, step: 10_000_000), &random)
    for index in events.indices where random.once(in: 2) { events[index].s = "text number \(random.int(0...3_000))" }
    _ = run.feedAll(events)
    #expect(zip(run.detector.sizes, atStart).allSatisfy { $0.stateBytes > $1 + 10_000 && $0.keys > 10 })
    var last = TestEvent(offset: 1 << 40, time: (events.map(\.time).max() ?? 0) + 1_000 * Self.second, k: nil)
    last.j = 1
    _ = run.feed([last])
    for (size, start) in zip(run.detector.sizes, atStart) {
      #expect(size.stateBytes == start && size.keys == 0 && size.episodes == 0)
    }
  }
}
