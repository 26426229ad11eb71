import Events
import TestSupport
import Testing

@testable import Detection

/// A detector that begins where `replayPoint` says finds from then on what the one that was never stopped finds.
@Suite struct ReplayTests {
  @Test(arguments: UInt64(500)..<524)
  func replayFindsTheSame(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    var given = ReferenceTests.makeCase(seed)
    given.rules.append(Self.fewEvents(unit: 1_000_000_000, &random))
    let plans = try given.rules.map { try $0.plan() }
    let run = DetectorRun(plans, outOfOrder: given.outOfOrder)
    var findings: [Finding] = []
    // Where a restart may happen: after each batch, with the point that was told then.
    var stops: [(next: Int, point: ReplayPoint)] = []
    var start = 0
    while start < given.events.count {
      let end = min(given.events.count, start + Int.random(in: 1...25, using: &random))
      findings += run.feed(given.events[start..<end])
      start = end
      if let point = run.detector.replayPoint() { stops.append((end, point)) }
    }
    for stop in stops where random.once(in: 3) {
      try check(given, plans, findings, stop, seed, &random)
    }
  }

  private func check(
    _ given: ReferenceTests.Case, _ plans: [RulePlan], _ findings: [Finding], _ stop: (next: Int, point: ReplayPoint),
    _ seed: UInt64, _ random: inout SeededRandom
  ) throws {
    let last = given.events[stop.next - 1].offset
    #expect(stop.point.offset <= last)
    let expected = findings.filter { $0.cause > last }
    let again = DetectorRun(plans, outOfOrder: given.outOfOrder, origin: stop.point)
    let events = given.events.filter { $0.offset >= stop.point.offset }
    let found = again.feedAll(events) { Int.random(in: 1...100, using: &random) }.filter { $0.cause > last }
    let difference = difference(expected, found)
    #expect(
      difference == nil,
      "seed \(seed), stopped after \(last), from \(stop.point)\n\(difference ?? "")")
  }

  /// A condition that few events fulfil: whoever begins in the middle of a window is misled by it.
  private static func fewEvents(unit: Int64, _ random: inout SeededRandom) -> RuleSpec {
    let count = RuleCatalogue.count()
    var rule = RuleSpec(
      kind: .window(
        .trailing(random.pick([5, 40, 200]) * unit), lets: [count],
        conditions: [RuleCatalogue.comparison(0, "<", .int(3), of: count.text)]))
    rule.keepFiring = random.int(0...10) * unit
    rule.updateEvery = random.int(0...5) * unit
    return rule
  }

  /// What a replay reads is bounded by what is open: not the whole partition.
  @Test func replayDoesNotBeginAtTheStart() throws {
    var random = SeededRandom(9)
    let events = TestEvent.stream(StreamShape(count: 2_000), &random)
    let rule = Self.fewEvents(unit: 1_000_000_000, &random)
    let run = DetectorRun([try rule.plan()])
    _ = run.feedAll(events) { 10 }
    let point = try #require(run.detector.replayPoint())
    #expect(point.offset > events[1_000].offset)
  }
}
