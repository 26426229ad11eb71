import Events
import Testing

@testable import Detection

/// What a key costs: ten million of them with one window each, counted and summed, are to fit into 1.2 GB.
@Suite struct StateSizeTests {
  @Test(arguments: [("sum(m)", 1, 112), ("sum(m)", 10, 168), ("sum(n)", 1, 104)])
  func aKeyTakesFewBytes(_ sum: String, _ evidence: Int, _ most: Int) throws {
    let lets = ["count()", sum].map { text in LetSpec(text: text) { _ in nil } }
    let rule = RuleSpec(
      kind: .window(
        .tumbling(86_400_000_000_000), lets: lets, conditions: [RuleCatalogue.comparison(0, ">", .int(9), of: "")]),
      evidenceLimit: evidence)
    let run = DetectorRun([try rule.plan()])
    for start in stride(from: Int64(0), to: 20_000, by: 500) {
      _ = run.feed(
        (start..<start + 500).map { offset in
          var event = TestEvent(offset: offset, time: offset, k: "k\(offset)")
          event.m = 12_345
          return event
        }[...])
    }
    let size = run.detector.sizes[0]
    #expect(size.keys == 20_000)
    #expect(size.stateBytes <= most * size.keys)
  }
}
