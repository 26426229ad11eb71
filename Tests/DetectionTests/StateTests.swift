import Events
import TestSupport
import Testing

@testable import Detection

/// A detector made from stored state goes on as the one that stored it.
@Suite struct StateTests {
  struct Bounds {
    var stateBytes = 1 << 30
    var episodes = 1 << 20
  }

  /// A detector and what it has stored.
  private final class Twin {
    let run: DetectorRun
    var store: StateStore
    let replay: ReplayPoint?

    init(_ run: DetectorRun, _ store: StateStore, replay: ReplayPoint? = nil) {
      self.run = run
      self.store = store
      self.replay = replay
    }
  }

  static func makeCase(_ seed: UInt64) -> ReferenceTests.Case {
    var given = ReferenceTests.makeCase(seed)
    for place in given.rules.indices { given.rules[place].id = "r\(place)" }
    return given
  }

  @Test(arguments: UInt64(1_000)..<1_016)
  func aRestoredDetectorGoesOn(_ seed: UInt64) throws {
    try check(Self.makeCase(seed), seed, Bounds())
  }

  @Test(arguments: UInt64(1_100)..<1_116)
  func alsoAtTheBoundOfState(_ seed: UInt64) throws {
    var given = Self.makeCase(seed)
    var random = SeededRandom(seed)
    given.addDistinctCounts(&random)
    try check(given, seed, Bounds(stateBytes: random.pick([1, 600, 2_000, 6_000])))
  }

  @Test(arguments: UInt64(1_200)..<1_208)
  func alsoAtTheBoundOfEpisodes(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    try check(Self.makeCase(seed), seed, Bounds(episodes: random.pick([0, 1, 2])))
  }

  /// Every aggregate of every type in one rule, and sets so large that they are estimates.
  @Test(arguments: UInt64(1_300)..<1_306)
  func allAggregates(_ seed: UInt64) throws {
    var given = Self.makeCase(seed)
    var random = SeededRandom(seed)
    var texts = ["count()", "count(n > 3)", "count_distinct(s)", "count_distinct(n, b)"]
    for name in ["n", "x", "m"] { texts += ["sum(\(name))", "avg(\(name))"] }
    for function in ["min", "max", "earliest", "latest"] {
      texts += ["n", "x", "m", "s", "w", "b"].map { "\(function)(\($0))" }
    }
    let lets = texts.map { LetSpec(text: $0) { _ in nil } }
    let unit: Int64 = seed % 4 == 3 ? 3_600_000_000_000 : 1_000_000_000
    let spans: [WindowSpan] = [
      .trailing(random.pick([60, 1_000]) * unit), .tumbling(random.pick([100, 1_000]) * unit),
      .calendar(random.pick(CalendarUnit.allCases), zone: "Europe/Berlin"),
    ]
    given.rules = spans.enumerated().map { place, span in
      RuleSpec(id: "r\(place)", kind: .window(span, lets: lets, conditions: []))
    }
    for place in given.events.indices where !random.once(in: 8) {
      given.events[place].k = "k0"
      if random.once(in: 2) { given.events[place].s = "text \(random.int(0...100_000))" }
    }
    given.events += given.events.map { event in
      var event = event
      event.offset += 1_000_000
      event.s = "text \(random.int(0...100_000))"
      return event
    }
    try check(given, seed, Bounds())
  }

  private func check(_ given: ReferenceTests.Case, _ seed: UInt64, _ bounds: Bounds) throws {
    var random = SeededRandom(seed)
    let plans = try given.rules.map { try $0.plan() }
    let hashSeed = HashSeed(first: seed, second: 7)
    let make = {
      DetectorRun(
        plans, outOfOrder: given.outOfOrder, stateBytes: bounds.stateBytes, episodes: bounds.episodes, seed: hashSeed)
    }
    let first = Twin(make(), StateStore())
    var twins: [Twin] = []
    var start = 0
    while start < given.events.count {
      let end = min(given.events.count, start + Int.random(in: 1...25, using: &random))
      let events = given.events[start..<end]
      start = end
      let findings = first.run.feed(events)
      let counts = first.run.detector.takeCounts()
      for twin in twins {
        let difference = difference(findings, twin.run.feed(events))
        try #require(difference == nil, "seed \(seed), before \(end)\n\(difference ?? "")")
        #expect(twin.run.detector.takeCounts() == counts, "seed \(seed), before \(end)")
        compare(first, twin, "seed \(seed), before \(end)")
      }
      guard random.once(in: 2) else { continue }
      for twin in [first] + twins { cut(twin) }
      guard twins.isEmpty || random.once(in: 3) else { continue }
      let source = random.once(in: 2) ? first : twins.randomElement(using: &random) ?? first
      let twin = Twin(make(), source.store, replay: first.run.detector.replayPoint())
      let outcome = try twin.run.detector.restore(
        header: source.store.header, source.store.records(isWhole: random.once(in: 3), &random), replay: twin.replay)
      #expect(outcome.dropped.isEmpty && outcome.startedAnew.isEmpty && outcome.tombstones == 0)
      compare(first, twin, "seed \(seed), restored at \(end)")
      twins = twins.suffix(1) + [twin]
    }
    #expect(!twins.isEmpty)
  }

  private func cut(_ twin: Twin) {
    let limit = twin.run.detector.changeCount
    let cut = twin.run.detector.cutState()
    #expect(cut.records.count <= limit)
    twin.store.apply(cut)
    #expect(twin.run.detector.changeCount == 0 && twin.run.detector.cutState().records.isEmpty)
  }

  private func compare(_ left: Twin, _ right: Twin, _ place: String) {
    #expect(left.run.detector.clock.watermark == right.run.detector.clock.watermark, "\(place)")
    for (own, other) in zip(left.run.detector.sizes, right.run.detector.sizes) { #expect(own == other, "\(place)") }
    // It knows fewer places to begin at, none of them too late.
    if let replay = right.replay, let known = left.run.detector.replayPoint(),
      let found = right.run.detector.replayPoint()
    {
      #expect(found.offset >= replay.offset && found.offset <= known.offset, "\(place)")
    }
  }

  /// What is stored is what is there: nothing is left behind when all windows have passed.
  @Test(arguments: UInt64(4)..<8)
  func whatIsGoneIsTakenBack(_ seed: UInt64) throws {
    let given = Self.makeCase(seed)
    let run = DetectorRun(try given.rules.map { try $0.plan() })
    var store = StateStore()
    var random = SeededRandom(seed)
    var start = 0
    var most = 0
    while start < given.events.count {
      let end = min(given.events.count, start + Int.random(in: 1...25, using: &random))
      _ = run.feed(given.events[start..<end])
      start = end
      store.apply(run.detector.cutState())
      most = max(most, store.values.count)
    }
    var last = TestEvent(offset: 1 << 40, time: .max - 1, k: nil)
    last.j = 1
    _ = run.feed([last])
    store.apply(run.detector.cutState())
    #expect(most > 20)
    #expect(store.values.isEmpty)
  }

  /// A key that is busy does not rewrite its whole window, and nothing is written where nothing happened.
  @Test func aCutHoldsWhatChanged() throws {
    let second: Int64 = 1_000_000_000
    let rule = RuleSpec(
      kind: .window(.trailing(60 * second), lets: [RuleCatalogue.count()], conditions: []), keepFiring: 0)
    let run = DetectorRun([try rule.plan()])
    _ = run.feed((0..<Int64(50)).map { TestEvent(offset: $0, time: $0 * second, k: "k\($0 % 5)") }[...])
    // Ten events of each of five keys, each in a granule of its own; the evidence of five keys, five alerts.
    #expect(run.detector.cutState().records.count == 60)
    _ = run.feed([TestEvent(offset: 50, time: 50 * second, k: "k0")])
    #expect(run.detector.cutState().records.count == 3)
    _ = run.feed([TestEvent(offset: 51, time: 51 * second, k: nil)])
    #expect(run.detector.cutState().records.isEmpty)
  }

  /// Whoever never cuts keeps no lists, and whoever can't cut for long keeps short ones.
  @Test func listsStayShort() throws {
    let second: Int64 = 1_000_000_000
    let rule = RuleSpec(kind: .window(.tumbling(second), lets: [RuleCatalogue.count()], conditions: []))
    let run = DetectorRun([try rule.plan()])
    _ = run.detector.cutState()
    for offset in Int64(0)..<6_000 {
      _ = run.feed([TestEvent(offset: offset, time: offset * second, k: "k\(offset)")])
    }
    #expect(run.detector.changeCount < 4_500)
    #expect(run.detector.cutState().records.count == 3)
  }

  /// Where records between the stored state and the next event are gone, rules hold still until their windows are whole.
  @Test func trimmedAfterTheStoredState() throws {
    let second: Int64 = 1_000_000_000
    let few = RuleCatalogue.comparison(0, "<", .int(3), of: "count()")
    let rule = RuleSpec(kind: .window(.tumbling(10 * second), lets: [RuleCatalogue.count()], conditions: [few]))
    let run = DetectorRun([try rule.plan()], seed: HashSeed(first: 1, second: 2))
    _ = run.feed([TestEvent(offset: 0, time: 1 * second)])
    let cut = run.detector.cutState()
    let next = [TestEvent(offset: 9, time: 31 * second), TestEvent(offset: 10, time: 41 * second)]
    for (isTrimmed, causes) in [(false, [9, 9, 10, 10]), (true, [9, 10])] as [(Bool, [Int64])] {
      let again = DetectorRun([try rule.plan()], seed: HashSeed(first: 1, second: 2))
      try again.detector.restore(header: cut.header, cut.records, isTrimmed: isTrimmed)
      #expect(again.feed(next[...]).map(\.cause) == causes)
    }
  }
}
