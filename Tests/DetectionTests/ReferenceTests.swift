import Events
import TestSupport
import Testing

@testable import Detection

/// The detector against the reference model, on random streams and random rules.
@Suite struct ReferenceTests {
  /// A stream with the rules that are run over it.
  struct Case {
    var events: [TestEvent]
    var rules: [RuleSpec]
    var outOfOrder: Int64

    /// Distinct counts of texts, which hold memory of their own, in some of the rules.
    mutating func addDistinctCounts(_ random: inout SeededRandom) {
      for place in rules.indices {
        guard case .window(let span, var lets, let conditions) = rules[place].kind, random.once(in: 2) else { continue }
        lets.append(RuleCatalogue.distinct(("s", { $0.scalar(6) }), nil))
        rules[place].kind = .window(span, lets: lets, conditions: conditions)
      }
    }
  }

  static func makeCase(_ seed: UInt64) -> Case {
    var random = SeededRandom(seed)
    var shape = StreamShape()
    let isCalendar = seed % 4 == 3
    shape.keys = Int(random.pick([1, 2, 5, 20]))
    if isCalendar {
      // Hours around the two days of the year on which Berlin's clocks change.
      shape.step = 3_600_000_000_000
      shape.start = random.once(in: 2) ? 1_774_569_600_000_000_000 : 1_792_713_600_000_000_000
      if random.once(in: 3) { shape.step = 12 * 3_600_000_000_000 }
    }
    shape.outOfOrder = random.pick([0, 3, 10]) * shape.step
    let events = TestEvent.stream(shape, &random)
    let spans: [WindowSpan?] = [
      .trailing(random.pick([1, 7, 60, 61, 100]) * shape.step + random.pick([0, 0, 1, 59])),
      .trailing(random.pick([3, 30, 500]) * shape.step), .trailing(random.pick([1, 59, 60, 61]) as Int64),
      isCalendar
        ? .calendar(random.pick(CalendarUnit.allCases), zone: "Europe/Berlin")
        : .tumbling(random.pick([1, 7, 60, 1_000]) * shape.step),
      .tumbling(random.pick([5, 50]) * shape.step), nil, nil,
    ]
    let rules = spans.map { RuleCatalogue.randomRule($0, unit: shape.step, start: shape.start, &random) }
    return Case(events: events, rules: rules, outOfOrder: shape.outOfOrder)
  }

  @Test(arguments: UInt64(0)..<40)
  func findingsAreThoseOfTheReferenceModel(_ seed: UInt64) throws {
    let given = Self.makeCase(seed)
    let expected = ReferenceModel(given.rules, outOfOrder: given.outOfOrder).run(given.events)
    var random = SeededRandom(seed)
    let run = DetectorRun(try given.rules.map { try $0.plan() }, outOfOrder: given.outOfOrder)
    let found = run.feedAll(given.events) { Int.random(in: 1...200, using: &random) }
    let difference = difference(expected, found)
    #expect(
      difference == nil, "seed \(seed)\n\(difference ?? "")"
    )
  }
}
