import Events
import TestSupport
import Testing

@testable import Detection

/// Times at the ends of 64 bits, sums that no type holds, large texts, many keys.
@Suite struct ExtremeTests {
  private static let always: [ConditionSpec] = []

  private func lets(_ texts: [String]) -> [LetSpec] { texts.map { LetSpec(text: $0) { _ in nil } } }

  /// The values that a rule of one window over everything finds at each event.
  private func values(_ texts: [String], _ events: [TestEvent], span: WindowSpan = .trailing(1_000)) throws
    -> [[Scalar?]]
  {
    let rule = RuleSpec(kind: .window(span, lets: lets(texts), conditions: Self.always))
    return DetectorRun([try rule.plan()]).feedAll(events) { 2 }.filter { $0.transition != .closed }
      .map { $0.values.map(\.value) }
  }

  private func events(_ count: Int, _ fill: (inout TestEvent, Int) -> Void) -> [TestEvent] {
    (0..<count).map { index in
      var event = TestEvent(offset: Int64(index), time: Int64(index))
      fill(&event, index)
      return event
    }
  }

  // MARK: Time

  /// The ends of time against the reference model, whose times are 128 bits wide.
  @Test(arguments: UInt64(0)..<40)
  func timesAtTheEnds(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    let spans: [WindowSpan?] = [
      .trailing(random.pick([1, 60, 86_400_000_000_000])), .trailing(.max),
      .tumbling(random.pick([1, 7, 3_600_000_000_000])),
      .calendar(random.pick(CalendarUnit.allCases), zone: random.pick(["UTC", "Pacific/Kiritimati"])), nil,
    ]
    var rules = spans.map { RuleCatalogue.randomRule($0, unit: 1, start: 0, &random) }
    for index in rules.indices { rules[index].keepFiring = random.pick([0, 0, 1, 1_000_000, .max]) }
    let outOfOrder: Int64 = random.pick([0, 5, 3_600_000_000_000, .max])
    var events = TestEvent.stream(StreamShape(count: 60), &random)
    // The last nanosecond and the first stand for all that lies beyond: nothing is told there.
    let (low, high) = (Int64.min + 1, Int64.max - 1)
    for index in events.indices {
      let base = index < 30 ? [low, low + 1, low + 1_000_000, -5] : [0, high - 1_000_000, high - 1, high]
      events[index].time = random.pick(base)
    }
    if seed % 2 == 0 { events.sort { $0.time < $1.time } }
    for index in events.indices { events[index].offset = Int64(index) }
    let expected = ReferenceModel(rules, outOfOrder: outOfOrder).run(events)
    let found = DetectorRun(try rules.map { try $0.plan() }, outOfOrder: outOfOrder).feedAll(events) { 7 }
    let difference = difference(expected, found)
    #expect(difference == nil, "seed \(seed)\n\(difference ?? "")")
  }

  /// The very ends: nothing traps or loops, and batches do not show.
  @Test(arguments: UInt64(0)..<10)
  func theFirstAndTheLastNanosecond(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    let spans: [WindowSpan?] = [
      .trailing(60), .trailing(.max), .tumbling(7), .calendar(.day, zone: "UTC"), .calendar(.month, zone: "Asia/Tokyo"),
      nil,
    ]
    let rules = try spans.map { try RuleCatalogue.randomRule($0, unit: 1, start: 0, &random).plan() }
    var events = TestEvent.stream(StreamShape(count: 60), &random)
    for index in events.indices { events[index].time = random.pick(index < 30 ? [.min, .min, 0] : [.min, .max]) }
    let whole = DetectorRun(rules, outOfOrder: random.pick([0, .max])).feedAll(events)
    #expect(!whole.isEmpty)
  }

  /// Where everything lies at the beginning of time, all of it is read again.
  @Test func replayAtTheBeginningOfTime() throws {
    let rule = RuleSpec(kind: .window(.trailing(60), lets: lets(["count()"]), conditions: Self.always))
    let run = DetectorRun([try rule.plan()], outOfOrder: 1_000)
    for index in 0..<Int64(5) { _ = run.feed([TestEvent(offset: index, time: .min + index)]) }
    #expect(run.detector.replayPoint() == ReplayPoint(offset: 0, largest: .min))
  }

  // MARK: Sums

  @Test func sumsOfIntsOverflowAndRecover() throws {
    let found = try values(
      ["sum(n)", "avg(n)"],
      events(5) { event, index in
        event.time = Int64(index) * 400
        event.n = [.max, 1, -1, 5, 7][index]
      })
    #expect(found[0][0] == .int(.max))
    #expect(found[1][0] == nil && found[1][1] == .double(0x1p62))
    #expect(found[2][0] == .int(.max))
    // The large ones have left the window.
    #expect(found[4][0] == .int(11))
  }

  /// What counts is whether the type holds the sum, not whether it held every step on the way.
  @Test func sumsOfDecimalsAreExactBeyondTheirType() throws {
    let huge = Int128.max / 10 * 9
    let found = try values(
      ["sum(m)", "avg(m)"],
      events(6) { event, index in
        event.time = Int64(index) * 10
        event.m = [huge, huge, -huge, -huge, -huge, 5][index]
      })
    #expect(found[0][0] == .decimal(huge, scale: 2))
    #expect(found[1][0] == nil && found[2][0] == .decimal(huge, scale: 2) && found[3][0] == .decimal(0, scale: 2))
    #expect(found[4][0] == .decimal(-huge, scale: 2) && found[5][0] == .decimal(5 - huge, scale: 2))
    guard case .double(let average)? = found[1][1] else { throw Missing() }
    #expect(abs(average / (Double(huge) / 100) - 1) < 1e-15)
  }

  struct Missing: Error {}

  @Test func doublesThatAreNoNumbersOrEndless() throws {
    let found = try values(
      ["sum(x)", "min(x / x)", "max(x / x)", "min(1.0 / x)"],
      events(3) { event, index in event.x = [0, 2, 1e308][index] })
    #expect(found[2][1] == .double(1) && found[2][2] == .double(1))
    #expect(found[0][3] == .double(.infinity) && found[1][3] == .double(0.5))
  }

  // MARK: Size

  @Test func textsOf100Kilobytes() throws {
    var random = SeededRandom(5)
    let texts = (0..<40).map { index in
      random.once(in: 4) ? "" : String(repeating: "\(index % 7)ü", count: Int(random.int(0...33_000)))
    }
    let events = events(40) { event, index in
      event.time = Int64(index) * 30
      event.s = texts[index]
    }
    let found = try values(["min(s)", "max(s)", "earliest(s)", "latest(s)"], events)
    #expect(found.count == 40)
    for (index, values) in found.enumerated() {
      // 1,000 units in granules of 17.
      let window = events[...index].filter { $0.time / 17 >= Int64((Double(index * 30 - 1_000) / 17).rounded(.down)) }
      let sorted = window.map { Array(($0.s ?? "").utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
      #expect(values[0]?.text.utf8.elementsEqual(sorted[0]) == true)
      #expect(values[1]?.text.utf8.elementsEqual(sorted[sorted.count - 1]) == true)
      #expect(values[2]?.text == window.first?.s && values[3]?.text == texts[index])
    }
  }

  @Test func tenThousandKeys() throws {
    let count = ConditionSpec(text: "a0 == 3", holds: { _, _ in nil }, observations: { _, _ in [] })
    let rule = RuleSpec(
      kind: .window(.tumbling(1_000_000), lets: lets(["count()", "count_distinct(n)", "sum(n)"]), conditions: [count]),
      evidenceLimit: 0)
    let events = events(30_000) { event, index in
      event.k = "key \(index % 10_000)"
      event.n = Int64(index)
    }
    let run = DetectorRun([try rule.plan()])
    let findings = run.feedAll(events)
    #expect(
      findings.count == 10_000 && run.detector.sizes[0].keys == 10_000 && run.detector.sizes[0].episodes == 10_000)
    for (index, finding) in findings.enumerated() {
      #expect(finding.episode.key == [.string("key \(index)")] && finding.cause == Int64(20_000 + index))
      #expect(finding.values.map(\.value) == [.int(3), .int(3), .int(Int64(30_000 + 3 * index))])
    }
  }

  /// Up to 256 different values exactly, then an estimate; over granules as in one.
  @Test func manyDifferentValues() throws {
    for span in [WindowSpan.tumbling(1_000_000), .trailing(1_000_000)] {
      let events = events(5_000) { event, index in
        event.time = Int64(index) * 100
        event.s = "value \(index)"
      }
      let found = try values(["count_distinct(s)"], events, span: span)
      for (index, values) in found.enumerated() {
        guard case .int(let count)? = values[0] else { throw Missing() }
        let exact = Double(index + 1)
        #expect(index < 256 ? count == index + 1 : abs(Double(count) / exact - 1) < 0.06)
      }
    }
  }
}
