import Foundation
import Testing

@testable import tocsin

@Suite struct BenchGeneratorTests {
  private func run(events: Int, seed: UInt64 = 1, partitions: Int = 4, hasTruth: Bool = true) -> GeneratedRun {
    GeneratedRun(BenchGenerator(settings(events: events, seed: seed, partitions: partitions, hasTruth: hasTruth)))
  }

  private func settings(
    events: Int, seed: UInt64 = 1, partitions: Int = 4, hasTruth: Bool = true
  ) -> BenchGenerator.Settings {
    BenchGenerator.Settings(
      events: events, seed: seed, partitions: partitions, startMilliseconds: 1_767_225_600_000, hasTruth: hasTruth)
  }

  @Test func theSameSeedGivesTheSameBytes() {
    let digest = run(events: 3_000).digest
    #expect(run(events: 3_000).digest == digest)
    #expect(run(events: 3_000, seed: 2).digest != digest)
    #expect(run(events: 3_000, hasTruth: false).records.map(\.value) == run(events: 3_000).records.map(\.value))
  }

  @Test func eventsAreThoseOfThePeersJob() throws {
    let run = run(events: 20_000)
    run.expectOrderlyPartitions(4)
    let bytes = run.records.reduce(0) { $0 + $1.value.count } / run.records.count
    #expect((225...235).contains(bytes))
    var lateCount = 0
    for (index, record) in run.records.enumerated() {
      let object = try #require(record.object)
      #expect(Set(object.keys) == ["id", "ts", "from", "to", "amount", "asset", "network", "memo"])
      #expect(object["from"] as? String == record.key)
      let delay = 1_767_225_600_000 + index / 5 - (try #require(object["ts"] as? Int))
      #expect((0...120_000).contains(delay))
      lateCount += delay > 5_000 ? 1 : 0
    }
    // One in a hundred: 200, and five standard deviations are 70.
    #expect((130...270).contains(lateCount))
  }

  @Test func theWatchlistHasAHundredThousandEntriesOfWhichFewAreAccounts() {
    let generator = BenchGenerator(settings(events: 10))
    let lines = String(decoding: generator.watchlist(), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 100_000)
    #expect(Set(lines).count == 100_000)
    #expect(lines.allSatisfy { $0.count == 42 && $0.hasPrefix("0x") && $0.lowercased() == $0 })
    let accounts = Set(
      (0..<BenchGenerator.accountCount).map { String(decoding: EtherAddress.bytes(seed: 1, number: $0), as: UTF8.self) }
    )
    #expect(lines.filter { accounts.contains(String($0)) }.count == BenchGenerator.watchedRanks.count)
  }

  /// The truth, worked out anew from the bytes: sort into partitions, read the JSON, look at each event by itself.
  @Test(arguments: [1, 2, 3] as [UInt64]) func truthIsWhatAPlainReadingFinds(_ seed: UInt64) throws {
    let generator = BenchGenerator(settings(events: 30_000, seed: seed))
    let listed = Set(String(decoding: generator.watchlist(), as: UTF8.self).split(separator: "\n").map(String.init))
    let run = GeneratedRun(generator)
    var expected: Set<String> = []
    for partition in 0..<4 as Range<Int32> {
      let records = run.records.filter { $0.partition == partition }
      var times: [Int] = []
      var inTime: [(window: String, offset: Int64)] = []
      for record in records {
        let object = try #require(record.object)
        let time = try #require(object["ts"] as? Int)
        let from = try #require(object["from"] as? String)
        let to = try #require(object["to"] as? String)
        times.append(time)
        if listed.contains(from) || listed.contains(to) { expected.insert("watchlist \(partition) \(record.offset)") }
        if time >= (times.max() ?? 0) - 5_000 { inTime.append(("\(from) \(time / 60_000)", record.offset)) }
        // A maximum over all is slow: only the largest is kept.
        times = [times.max() ?? 0]
      }
      for events in Dictionary(grouping: inTime, by: \.window).values where events.count > 1_000 {
        expected.insert("velocity \(partition) \(events[1_000].offset)")
      }
    }
    #expect(Set(run.truth.map { "\($0.rule) \($0.partition) \($0.offset)" }) == expected)
    #expect(run.truth.count == expected.count)
    #expect(expected.contains { $0.hasPrefix("velocity") } && expected.contains { $0.hasPrefix("watchlist") })
  }

  @Test func theOracleCountsWhatIsInTimeAndScreensWhatIsLate() {
    var oracle = BenchOracle(partitions: 2)
    for count in 1...1_000 {
      #expect(oracle.alerts(partition: 0, from: 7, time: 60_000 + Int64(count), isWatched: false) == [])
    }
    #expect(oracle.alerts(partition: 1, from: 7, time: 61_500, isWatched: false) == [], "another partition")
    #expect(oracle.alerts(partition: 0, from: 8, time: 70_000, isWatched: false) == [], "the watermark is 65,000 now")
    #expect(oracle.alerts(partition: 0, from: 7, time: 64_999, isWatched: true) == [.watchlist], "late: not counted")
    #expect(oracle.alerts(partition: 0, from: 7, time: 65_000, isWatched: false) == [.velocity], "the 1,001st")
    #expect(oracle.alerts(partition: 0, from: 7, time: 65_000, isWatched: false) == [], "the 1,002nd")
    #expect(oracle.alerts(partition: 0, from: 7, time: 120_000, isWatched: false) == [], "another minute")
  }
}
