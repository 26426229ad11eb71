import Events
import Foundation
import Testing

@testable import tocsin

@Suite struct CardGeneratorTests {
  static let settings = PlantingSettings(events: 40_000, seed: 9, partitions: 4, startMilliseconds: 1_767_225_600_000)

  /// A payment, read from its bytes.
  struct Payment {
    var time: Int64
    var card: String
    var terminal: String
    var amount: Double
    var isApproved: Bool
  }

  private func payments(_ run: GeneratedRun) -> [Payment] {
    run.records.compactMap { record in
      guard let object = record.object, let text = object["ts"] as? String,
        let card = (object["card"] as? [String: Any])?["token"] as? String,
        let terminal = object["terminal"] as? String,
        let amount = (object["amount"] as? String).flatMap(Double.init),
        let time = OptionDeclaration.Kind.nanoseconds(in: text)
      else { return nil }
      return Payment(
        time: time / 1_000_000, card: card, terminal: terminal, amount: amount,
        isApproved: object["status"] as? String == "approved")
    }
  }

  @Test func theSameSeedGivesTheSameBytes() {
    var settings = Self.settings
    settings.events = 4_000
    let digest = GeneratedRun(CardGenerator(settings)).digest
    #expect(GeneratedRun(CardGenerator(settings)).digest == digest)
    settings.seed += 1
    #expect(GeneratedRun(CardGenerator(settings)).digest != digest)
  }

  @Test func truthIsWhatAPlainReadingFinds() throws {
    let run = GeneratedRun(CardGenerator(Self.settings))
    run.expectOrderlyPartitions(4)
    var found: Set<String> = []
    for (card, paid) in Dictionary(grouping: payments(run), by: \.card) {
      let (count, terminals) = (most(paid, \.count), most(paid) { Set($0.map(\.terminal)).count })
      if count >= 8 { found.insert("velocity \(card)") }
      if terminals >= 4 { found.insert("many-terminals \(card)") }
      let days = Dictionary(grouping: paid) { $0.time / 86_400_000 }
      let spent = days.values.map { $0.reduce(0) { $0 + $1.amount } }.max() ?? 0
      if spent > 5_000 { found.insert("spend-over-limit \(card)") }
      // What is no case stays below the mark with a margin.
      #expect(count >= 8 || count <= 6)
      #expect(spent > 5_000 || spent <= 4_200)
    }
    let declined = payments(run).filter { !$0.isApproved }
    for (terminal, paid) in Dictionary(grouping: declined, by: \.terminal) {
      let cards = most(paid) { Set($0.map(\.card)).count }
      if cards >= 6 { found.insert("card-testing \(terminal)") }
      #expect(cards >= 8 || cards <= 4)
    }
    let truth = run.truth.filter { $0.rule != TruthLine.deadLetter }.map { "\($0.rule) \($0.key)" }
    #expect(Set(truth) == found)
    #expect(truth.count == found.count)
    for rule in ["velocity", "many-terminals", "spend-over-limit", "card-testing"] {
      #expect(truth.contains { $0.hasPrefix(rule) })
    }
  }

  /// The most that a measure reaches in any ten minutes (and one granule of 20 s) that end with an event.
  private func most(_ payments: [Payment], _ measure: ([Payment]) -> Int) -> Int {
    payments.map { last in measure(payments.filter { $0.time <= last.time && $0.time > last.time - 620_000 }) }.max()
      ?? 0
  }

  @Test func brokenRecordsAreBrokenAndNoOthers() throws {
    let run = GeneratedRun(CardGenerator(Self.settings))
    let named = Set(run.truth.filter { $0.rule == TruthLine.deadLetter }.compactMap { $0.span?.line })
    #expect(named.count == 20)
    let names: Set = ["ts", "card", "merchant", "terminal", "amount", "currency", "status", "card_present"]
    for (index, record) in run.records.enumerated() {
      let isGood = Set((record.object ?? [:]).keys) == names && String(validating: record.value, as: UTF8.self) != nil
      #expect(isGood != named.contains(index))
    }
  }
}
