import Events
import TestSupport
import Testing

@testable import Detection

/// Where a batch is cut must never show.
@Suite struct BatchCutTests {
  private func findings(
    _ given: ReferenceTests.Case, stateBytes: Int = 1 << 30, episodes: Int = 1 << 20, size: () -> Int
  ) throws -> (findings: [Finding], counts: [RuleCounts]) {
    let run = DetectorRun(
      try given.rules.map { try $0.plan() }, outOfOrder: given.outOfOrder, stateBytes: stateBytes, episodes: episodes)
    let findings = run.feedAll(given.events, size: size)
    return (findings, run.detector.takeCounts())
  }

  @Test(arguments: UInt64(100)..<112)
  func cutsDoNotShow(_ seed: UInt64) throws {
    let given = ReferenceTests.makeCase(seed)
    try compare(given, seed)
  }

  /// So little memory that windows are dropped and events kept out.
  @Test(arguments: UInt64(200)..<220)
  func cutsDoNotShowAtTheBoundOfState(_ seed: UInt64) throws {
    var given = ReferenceTests.makeCase(seed)
    var random = SeededRandom(seed)
    given.addDistinctCounts(&random)
    let bytes = random.pick([1, 600, 2_000, 6_000])
    let counts = try compare(given, seed, stateBytes: bytes)
    if bytes <= 600 { #expect(counts.contains { $0.evicted > 0 || $0.refused > 0 }) }
  }

  @Test(arguments: UInt64(300)..<308)
  func cutsDoNotShowAtTheBoundOfEpisodes(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    try compare(ReferenceTests.makeCase(seed), seed, episodes: random.pick([0, 1, 2]))
  }

  /// Texts so large that one event can pass the bound by itself.
  @Test(arguments: UInt64(400)..<404)
  func cutsDoNotShowWithLargeTexts(_ seed: UInt64) throws {
    var given = ReferenceTests.makeCase(seed)
    var random = SeededRandom(seed)
    given.events = Array(given.events.prefix(100))
    for index in given.events.indices where random.once(in: 3) {
      given.events[index].s = String(repeating: "\(index % 10)", count: Int(random.int(0...100_000)))
    }
    let lets = ["latest(s)", "max(s)", "min(s, n > 3)"].map { LetSpec(text: $0) { _ in nil } }
    let many = ConditionSpec(text: "event.n > 1", holds: { _, _ in nil }, observations: { _, _ in [] })
    given.rules = [
      RuleSpec(kind: .window(.tumbling(20_000_000_000), lets: lets, conditions: [many])),
      RuleSpec(kind: .window(.trailing(20_000_000_000), lets: lets, conditions: [many])),
    ]
    let counts = try compare(given, seed, stateBytes: 200_000)
    #expect(counts.contains { $0.evicted > 0 || $0.refused > 0 })
  }

  @discardableResult
  private func compare(
    _ given: ReferenceTests.Case, _ seed: UInt64, stateBytes: Int = 1 << 30, episodes: Int = 1 << 20
  ) throws -> [RuleCounts] {
    var random = SeededRandom(seed)
    let whole = try findings(given, stateBytes: stateBytes, episodes: episodes) { DetectorRun.capacity }
    for most in [1, 15, 200] {
      let cut = try findings(given, stateBytes: stateBytes, episodes: episodes) {
        Int.random(in: 1...most, using: &random)
      }
      let difference = difference(whole.findings, cut.findings)
      #expect(
        difference == nil,
        "seed \(seed), batches up to \(most)\n\(difference ?? "")"
      )
      #expect(whole.counts == cut.counts, "seed \(seed), batches up to \(most)")
    }
    return whole.counts
  }
}
