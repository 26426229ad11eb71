import Events
import Foundation
import Testing

@testable import tocsin

@Suite struct TransferGeneratorTests {
  static let settings = PlantingSettings(events: 30_000, seed: 4, partitions: 3, startMilliseconds: 1_767_225_600_000)

  /// A transfer, read from its bytes.
  struct Transfer {
    var index: Int
    var time: Int
    var from: String
    var to: String
    var usd: Double
  }

  private func transfers(_ run: GeneratedRun) -> [Transfer] {
    let rates = ["ETH": 2_500.0, "BTC": 60_000, "USDT": 1, "USDC": 1]
    return run.records.enumerated().compactMap { index, record in
      guard let object = record.object, let time = object["ts"] as? Int, let from = object["from"] as? String,
        let to = object["to"] as? String, let amount = (object["amount"] as? String).flatMap(Double.init),
        let rate = (object["asset"] as? String).flatMap({ rates[$0] })
      else { return nil }
      return Transfer(
        index: index, time: time, from: AddressNormaliser.normalise(from), to: AddressNormaliser.normalise(to),
        usd: amount * rate)
    }
  }

  @Test func theSameSeedGivesTheSameBytes() throws {
    var settings = Self.settings
    settings.events = 4_000
    let listed = try Repository.listed()
    let digest = GeneratedRun(TransferGenerator(settings, listed: listed)).digest
    #expect(GeneratedRun(TransferGenerator(settings, listed: listed)).digest == digest)
    settings.seed += 1
    #expect(GeneratedRun(TransferGenerator(settings, listed: listed)).digest != digest)
  }

  @Test(arguments: [0, 1, 2, 7, 100, 1_000]) func shortRunsAreAsLongAsAsked(_ events: Int) throws {
    var settings = Self.settings
    settings.events = events
    #expect(GeneratedRun(TransferGenerator(settings, listed: try Repository.listed())).records.count == events)
    #expect(GeneratedRun(TransferGenerator(settings, listed: [])).records.count == events)
    #expect(GeneratedRun(CardGenerator(settings)).records.count == events)
  }

  /// The truth is what a plain search over the bytes finds, and nothing else is found: the usual traffic and the decoys
  /// stay silent, with a margin.
  @Test func truthIsWhatAPlainReadingFinds() throws {
    let listed = try Repository.listed()
    let run = GeneratedRun(TransferGenerator(Self.settings, listed: listed))
    run.expectOrderlyPartitions(3)
    let all = transfers(run)
    let addresses = Set(listed.map(\.address))
    let bySender = Dictionary(grouping: all, by: \.from)
    var found: Set<String> = []
    for transfer in all where addresses.contains(transfer.from) || addresses.contains(transfer.to) {
      found.insert("sanctioned-counterparty \(transfer.from) \(transfer.index)")
    }
    for (sender, sent) in bySender {
      let near = sent.filter { $0.usd >= 8_000 && $0.usd < 10_000 }
      if near.count >= 3 && near.reduce(0, { $0 + $1.usd }) > 25_000 { found.insert("structuring \(sender)") }
      if most(sent, within: 3_600_000, { Set($0.map(\.to)).count }) >= 30 { found.insert("fan-out \(sender)") }
      if most(sent, within: 300_000, \.count) >= 20 { found.insert("velocity \(sender)") }
      let isCase = found.contains("fan-out \(sender)") || found.contains("velocity \(sender)")
      #expect(isCase || most(sent, within: 3_600_000) { Set($0.map(\.to)).count } <= 15)
      #expect(isCase || most(sent, within: 300_000, \.count) <= 12)
    }
    let truth = run.truth.filter { $0.rule != TruthLine.deadLetter }.map { line in
      line.rule == "sanctioned-counterparty"
        ? "\(line.rule) \(line.key) \(line.span?.line ?? -1)" : "\(line.rule) \(line.key)"
    }
    #expect(Set(truth) == found)
    #expect(truth.count == found.count)
    for rule in ["sanctioned-counterparty", "structuring", "fan-out", "velocity"] {
      #expect(truth.contains { $0.hasPrefix(rule) }, "no case of \(rule)")
    }
  }

  /// The most that a measure reaches in any span of time that ends with an event.
  private func most(_ transfers: [Transfer], within span: Int, _ measure: ([Transfer]) -> Int) -> Int {
    transfers.map { last in measure(transfers.filter { $0.time <= last.time && $0.time > last.time - span }) }.max()
      ?? 0
  }

  @Test func listedAddressesComeInMixedCaseAndWithLookalikes() throws {
    let listed = try Repository.listed()
    #expect(listed.count > 100)
    #expect(Set(listed.map(\.asset)).isSuperset(of: [.bitcoin, .ether]))
    let addresses = Set(listed.map(\.address))
    let run = GeneratedRun(TransferGenerator(Self.settings, listed: listed))
    let written = run.records.compactMap(\.object).flatMap { [$0["from"], $0["to"]] }.compactMap { $0 as? String }
    #expect(written.contains { !addresses.contains($0) && addresses.contains(AddressNormaliser.normalise($0)) })
    let lookalikes = Set(addresses.flatMap(changedInOneCharacter)).subtracting(addresses)
    #expect(written.contains { lookalikes.contains($0) })
  }

  private func changedInOneCharacter(_ address: String) -> [String] {
    address.indices.flatMap { index in
      ["7", "8"].map { address.replacingCharacters(in: index...index, with: $0) }
    }
  }

  @Test func brokenRecordsAreBrokenAndNoOthers() throws {
    let run = GeneratedRun(TransferGenerator(Self.settings, listed: []))
    let named = Set(run.truth.filter { $0.rule == TruthLine.deadLetter }.compactMap { $0.span?.line })
    #expect(named.count == 15)
    for (index, record) in run.records.enumerated() {
      let fields = record.object ?? [:]
      let isGood =
        ["id", "ts", "from", "to", "amount", "asset", "network", "memo"].allSatisfy { fields[$0] != nil }
        && String(validating: record.value, as: UTF8.self) != nil
      #expect(isGood != named.contains(index), "\(index): \(String(decoding: record.value, as: UTF8.self))")
    }
  }

  @Test func timesRunOutOfOrderAndAtTimesLate() throws {
    let run = GeneratedRun(TransferGenerator(Self.settings, listed: []))
    var latest = 0
    var (behind, late) = (0, 0)
    for transfer in transfers(run) {
      latest = max(latest, transfer.time)
      if transfer.time < latest { behind += 1 }
      if transfer.time < latest - 5_000 { late += 1 }
      #expect(transfer.time >= latest - 121_000)
    }
    #expect(behind > 1_000 && (20...150).contains(late), "\(behind) behind, \(late) late")
  }

  @Test func pricesAreThoseOfTheRatesTable() throws {
    let file = Repository.root.appendingPathComponent("pipelines/lists/rates.csv")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
    let rates = Dictionary(
      uniqueKeysWithValues: lines.map { line in
        let cells = line.split(separator: ",").map(String.init)
        return (cells[0], cells[1])
      })
    #expect(rates == Dictionary(uniqueKeysWithValues: Asset.allCases.map { ($0.rawValue, "\($0.price)") }))
  }
}
