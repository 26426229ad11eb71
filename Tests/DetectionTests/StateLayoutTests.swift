import Events
import Testing

@testable import Detection

/// What the layout says of memory is what a detector's account comes to.
@Suite struct StateLayoutTests {
  private static let second: Int64 = 1_000_000_000

  /// A rule that keeps all it has in its cells.
  private func rule(_ span: WindowSpan, evidence: Int) throws -> RulePlan {
    try RuleSpec(
      kind: .window(span, lets: [RuleCatalogue.count()], conditions: []), evidenceLimit: evidence
    ).plan()
  }

  @Test(arguments: [0, 1, 2, 5, 10]) func theDetectorAgrees(_ evidence: Int) throws {
    let plan = try rule(.trailing(600 * Self.second), evidence: evidence)
    let layout = try #require(StateLayout(plan))
    #expect(layout.evidence == max(0, evidence - 1))
    for (keys, pieces) in [(1, 1), (7, 1), (5, 4), (30, 10)] {
      let run = DetectorRun([plan])
      var events: [TestEvent] = []
      for piece in 0..<Int64(pieces) {
        for key in 0..<keys {
          events.append(
            TestEvent(
              offset: Int64(events.count), time: 1_790_000_000 * Self.second + piece * 10 * Self.second, k: "k\(key)"))
        }
      }
      _ = run.feedAll(events)
      #expect(run.detector.sizes[0].stateBytes == layout.bytes(keys: keys, pieces: pieces, evidence: pieces))
    }
  }

  /// No key ever has more granules than the layout says.
  @Test func mostGranules() throws {
    let plan = try rule(.trailing(600 * Self.second), evidence: 0)
    let layout = try #require(StateLayout(plan))
    #expect(layout.pieces == 61)
    let run = DetectorRun([plan])
    let events = (0..<Int64(2_000)).map { TestEvent(offset: $0, time: 1_790_000_000 * Self.second + $0 * Self.second) }
    var most = 0
    for event in events {
      _ = run.feed([event])
      most = max(most, run.detector.sizes[0].stateBytes)
    }
    // Until the watermark has passed a granule as a whole, one more is held.
    #expect(most <= layout.bytes(keys: 1, pieces: layout.pieces + 1, evidence: 0))
    #expect(most >= layout.bytes(keys: 1, pieces: layout.pieces, evidence: 0))
  }

  @Test func kinds() throws {
    #expect(try StateLayout(rule(.tumbling(60 * Self.second), evidence: 3))?.pieces == 1)
    #expect(try StateLayout(rule(.trailing(span: 100, granule: 30), evidence: 3))?.pieces == 5)
    #expect(StateLayout(try RuleSpec(kind: .event).plan()) == nil)
    #expect(try StateLayout(rule(.trailing(.max / 2), evidence: 3))?.isOpen == false)
    let open = RuleSpec(
      kind: .window(
        .tumbling(60 * Self.second), lets: [RuleCatalogue.distinct(("s", { $0.scalar(6) }), nil)], conditions: []))
    #expect(StateLayout(try open.plan())?.isOpen == true)
    let huge = try #require(StateLayout(rule(.tumbling(60), evidence: 3)))
    #expect(huge.bytes(keys: .max, pieces: 2, evidence: 3) == .max)
  }
}
