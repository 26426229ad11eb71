import Events
import Expressions
import TestSupport
import Testing

@testable import Detection

/// Rules that change while their state lives on: in a running detector, and in what was stored.
@Suite struct StateChangeTests {
  /// The test events with a field before all others and one among them.
  private static let moved = Schema(
    fields: [Field(name: "extra", type: .int, origin: .pointer(["extra"]), absence: .optional)]
      + TestEvent.schema.fields.prefix(5)
      + [Field(name: "more", type: .string, origin: .pointer(["more"]), absence: .optional)]
      + TestEvent.schema.fields.suffix(4), timeField: 1)

  /// Findings in terms of the first pipeline: its rule's numbers, its slots.
  private func translated(_ findings: [Finding], rules: [Int]) -> [Finding] {
    findings.map { finding in
      var finding = finding
      finding.rule = rules[finding.rule]
      for place in finding.evidence.indices {
        finding.evidence[place].fields = finding.evidence[place].fields.map {
          Evidence.FieldValue(
            slot: TestEvent.schema.slot(of: Self.moved.fields[$0.slot].name) ?? -1, value: $0.value)
        }
      }
      return finding
    }
  }

  private func sorted(_ findings: [Finding]) -> [Finding] {
    findings.enumerated().sorted {
      ($0.element.cause, $0.element.rule, $0.offset) < ($1.element.cause, $1.element.rule, $1.offset)
    }.map(\.element)
  }

  /// Rules in another order, fields in other slots: nothing changes, whether the detector runs on or comes from what was
  /// stored.
  @Test(arguments: UInt64(2_000)..<2_016)
  func equalIdentitiesKeepTheirState(_ seed: UInt64) throws {
    let given = StateTests.makeCase(seed)
    var random = SeededRandom(seed)
    let hashSeed = HashSeed(first: seed, second: 1)
    let order = Array(given.rules.indices).shuffled(using: &random)
    let plans = try given.rules.map { try $0.plan() }
    let changed = try order.map { try given.rules[$0].plan(in: Self.moved) }
    let still = DetectorRun(plans, outOfOrder: given.outOfOrder, seed: hashSeed)
    let running = DetectorRun(plans, outOfOrder: given.outOfOrder, seed: hashSeed)
    let middle = Int.random(in: 20...given.events.count - 20, using: &random)
    _ = still.feedAll(Array(given.events[..<middle])) { 7 }
    _ = running.feedAll(Array(given.events[..<middle])) { 7 }
    var store = StateStore()
    if random.once(in: 2) { store.apply(running.detector.cutState()) }
    let after = Array(given.events[middle...])
    let expected = sorted(still.feedAll(after) { 9 })

    let adopted = DetectorRun(
      PartitionDetector(
        rules: changed, schema: Self.moved, outOfOrder: given.outOfOrder, capacity: DetectorRun.capacity,
        limits: PartitionDetector.Limits(stateBytes: 1 << 30, episodes: 1 << 20), adopting: running.detector),
      schema: Self.moved)
    // The old one is empty, not broken.
    _ = running.feed(given.events[..<middle].suffix(3))
    store.apply(adopted.detector.cutState())
    let stored = DetectorRun(changed, outOfOrder: given.outOfOrder, schema: Self.moved, seed: hashSeed)
    let outcome = try stored.detector.restore(header: store.header, store.records(isWhole: false, &random))
    #expect(outcome.dropped.isEmpty && outcome.startedAnew.isEmpty)
    for run in [adopted, stored] {
      let found = sorted(translated(run.feedAll(after) { 9 }, rules: order))
      let difference = difference(expected, found)
      #expect(difference == nil, "seed \(seed), from \(middle)\n\(difference ?? "")")
    }
  }

  /// A rule of another identity finds what a detector finds that began there; what the old one stored is taken back.
  @Test(arguments: UInt64(2_100)..<2_112)
  func otherIdentitiesBeginAnew(_ seed: UInt64) throws {
    let given = StateTests.makeCase(seed)
    var random = SeededRandom(seed)
    let hashSeed = HashSeed(first: seed, second: 1)
    let plans = try given.rules.map { try $0.plan() }
    let running = DetectorRun(plans, outOfOrder: given.outOfOrder, seed: hashSeed)
    let middle = Int.random(in: 20...given.events.count - 20, using: &random)
    _ = running.feedAll(Array(given.events[..<middle])) { 7 }
    let isStored = random.once(in: 2)
    var store = StateStore()
    if isStored { store.apply(running.detector.cutState()) }
    let largest = running.detector.clock.largest
    let after = Array(given.events[middle...])
    var rules = given.rules
    for place in rules.indices { rules[place].identity = Array("new identity \(10 + place)!".utf8) }
    let changed = try rules.map { try $0.plan() }
    // A detector that begins here, told what it has missed.
    let fresh = DetectorRun(
      changed, outOfOrder: given.outOfOrder, origin: ReplayPoint(offset: given.events[middle].offset, largest: largest))
    let expected = fresh.feedAll(after) { 9 }

    var runs: [DetectorRun] = []
    if isStored {
      let stored = DetectorRun(changed, outOfOrder: given.outOfOrder, seed: hashSeed)
      let outcome = try stored.detector.restore(header: store.header, store.records(isWhole: false, &random))
      #expect(outcome.dropped.reduce(0) { $0 + $1.records } == store.values.count)
      #expect(outcome.tombstones == store.values.count && outcome.startedAnew == Array(changed.indices))
      var copy = store
      copy.apply(stored.detector.cutState())
      #expect(copy.values.isEmpty)
      runs.append(stored)
    }
    let adopted = DetectorRun(
      PartitionDetector(
        rules: changed, schema: TestEvent.schema, outOfOrder: given.outOfOrder, capacity: DetectorRun.capacity,
        limits: PartitionDetector.Limits(stateBytes: 1 << 30, episodes: 1 << 20), adopting: running.detector))
    store.apply(adopted.detector.cutState())
    #expect(store.values.isEmpty)
    for run in runs + [adopted] {
      let difference = difference(expected, run.feedAll(after) { 9 })
      #expect(difference == nil, "seed \(seed), from \(middle)\n\(difference ?? "")")
    }
  }

  private static let second: Int64 = 1_000_000_000

  /// The condition, the severity and the sentence are of now, the count is of ever.
  @Test func aChangedConditionKeepsTheCount() throws {
    let make = { (least: Int64, severity: Severity) in
      var rule = RuleSpec(
        kind: .window(
          .tumbling(1_000 * Self.second), lets: [RuleCatalogue.count()],
          conditions: [RuleCatalogue.comparison(0, ">=", .int(least), of: "count()")]))
      rule.severities = [(severity, nil)]
      return [try rule.plan()]
    }
    let events = (0..<Int64(8)).map { TestEvent(offset: $0, time: $0 * Self.second) }
    let run = DetectorRun(try make(100, .low))
    #expect(run.feed(events[..<5]).isEmpty)
    let changed = DetectorRun(
      PartitionDetector(
        rules: try make(7, .critical), schema: TestEvent.schema, outOfOrder: 0, capacity: DetectorRun.capacity,
        limits: PartitionDetector.Limits(stateBytes: 1 << 30, episodes: 1 << 20), adopting: run.detector))
    let found = changed.feed(events[5...])
    #expect(found.map(\.cause) == [6, 7] && found.allSatisfy { $0.episode.severity == .critical })
    #expect(found.first?.values.first?.value == .int(7))
  }

  /// Fewer events of evidence than were kept, and more.
  @Test(arguments: [1, 2, 3, 8])
  func evidenceOfAnotherLength(_ limit: Int) throws {
    let make = { (limit: Int) in
      [
        try RuleSpec(
          kind: .window(.tumbling(1_000 * Self.second), lets: [RuleCatalogue.count()], conditions: []),
          evidenceLimit: limit
        ).plan()
      ]
    }
    let seed = HashSeed(first: 1, second: 1)
    let events = (0..<Int64(12)).map { TestEvent(offset: $0, time: $0 * Self.second) }
    let run = DetectorRun(try make(5), seed: seed)
    _ = run.feed(events[..<10])
    let cut = run.detector.cutState()
    let stored = DetectorRun(try make(limit), seed: seed)
    try stored.detector.restore(header: cut.header, cut.records)
    let adopted = DetectorRun(
      PartitionDetector(
        rules: try make(limit), schema: TestEvent.schema, outOfOrder: 0, capacity: DetectorRun.capacity,
        limits: PartitionDetector.Limits(stateBytes: 1 << 30, episodes: 1 << 20), adopting: run.detector))
    for again in [stored, adopted] {
      let offsets = again.feed(events[10...]).map { $0.evidence.map(\.origin.offset) }
      let known = Array((0..<Int64(12)).suffix(6))
      let first = Array(known[..<5].suffix(limit))
      #expect(offsets == [first, Array((first + [11]).suffix(limit))])
    }
  }

  /// With a larger `out_of_order` the watermark stays where it is until events come so far.
  @Test func theWatermarkDoesNotGoBack() throws {
    let rule = try RuleSpec(kind: .window(.tumbling(10), lets: [RuleCatalogue.count()], conditions: [])).plan()
    let seed = HashSeed(first: 1, second: 1)
    let run = DetectorRun([rule], outOfOrder: 10, seed: seed)
    _ = run.feed([TestEvent(offset: 0, time: 100)])
    let cut = run.detector.cutState()
    for outOfOrder: Int64 in [0, 10, 50] {
      let again = DetectorRun([rule], outOfOrder: outOfOrder, seed: seed)
      try again.detector.restore(header: cut.header, cut.records)
      #expect(again.detector.clock.watermark == max(90, 100 - outOfOrder))
      _ = again.feed([TestEvent(offset: 1, time: 120)])
      #expect(again.detector.clock.watermark == max(90, 120 - outOfOrder))
    }
  }

  /// An alert that is open names entries of the tables in force, whatever their numbers were when it opened.
  @Test(arguments: [["x", "bad", "worse"], ["worse", "x", "bad"], ["bad"], []])
  func hitsOfAnotherVersion(_ keys: [String]) throws {
    let environment = Environment(
      fields: TestEvent.schema.fields.enumerated().map {
        Environment.Variable(name: $1.name, type: $1.type.columnType, slot: $0, isOptional: true)
      }, tables: [TableDeclaration(name: "listed", columns: [], hasElse: false)])
    let plan = RulePlan(
      id: "hit", filters: [try Program.compile("k in listed || s in listed", in: environment)], keySlots: [1],
      kind: .event, severities: [SeverityStep(.high)], message: try Template.compile("{k}", in: environment),
      keepFiring: 5)
    let seed = HashSeed(first: 3, second: 4)
    let run = DetectorRun([plan], tables: [ListTable(["x", "bad", "worse"])], seed: seed)
    var first = TestEvent(offset: 0, time: 0, k: "bad")
    first.s = "worse"
    let opened = run.feed([first])
    #expect(opened.first?.hits.map(\.entry) == [1, 2])
    let cut = run.detector.cutState()
    let stored = DetectorRun([plan], seed: seed)
    try stored.detector.restore(header: cut.header, cut.records)
    // Cut again before any table is at hand.
    let again = DetectorRun([plan], seed: seed)
    var store = StateStore()
    store.apply(cut)
    store.apply(stored.detector.cutState())
    try again.detector.restore(header: store.header, store.log)
    let expected = (opened.first?.hits ?? []).compactMap { hit -> TableHit? in
      guard let place = keys.firstIndex(of: hit.key) else { return nil }
      return TableHit(table: 0, entry: Int32(place), key: hit.key, field: hit.field)
    }
    for run in [run, stored, again] {
      run.tables = [ListTable(keys)]
      let closed = run.feed([TestEvent(offset: 1, time: 10, k: "good")])
      #expect(closed.map(\.transition) == [.closed] && closed.first?.hits == expected)
    }
  }
}
