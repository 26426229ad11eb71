import Events
import Foundation
import TestSupport
import Testing

@Suite struct ValueTests {
  @Test func timestampsGoToTextAndBack() throws {
    var random = SeededRandom(3)
    for _ in 0..<2_000 {
      let time =
        Int64.random(in: .min ... .max, using: &random) / [1, 1_000, 1_000_000, 1_000_000_000].randomElement(
          using: &random)!
      var text = TimestampText.text(time)
      let back = try text.withUTF8 { try TimestampText.nanoseconds($0) }
      #expect(back == time, "\(text)")
    }
  }

  @Test func civilDatesAgreeWithFoundation() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
    var random = SeededRandom(4)
    for _ in 0..<500 {
      let days = Int64.random(in: 0...90_000, using: &random)
      let date = Date(timeIntervalSince1970: Double(days) * 86_400)
      let parts = calendar.dateComponents([.year, .month, .day], from: date)
      let civil = CivilDate(daysSinceEpoch: days)
      #expect(civil == CivilDate(year: parts.year ?? 0, month: parts.month ?? 0, day: parts.day ?? 0))
      #expect(civil.daysSinceEpoch == days)
    }
  }

  @Test func decimalTextIsExact() throws {
    for (text, scale, value) in [
      ("12.50", 2, 1_250), ("-0.01", 2, -1), ("1e2", 2, 10_000), ("1250e-2", 2, 1_250), ("0", 18, 0), ("1.000", 2, 100),
    ] as [(String, Int, Int128)] {
      var text = text
      let scaled = try #require(text.withUTF8 { DecimalText($0) }?.scaled(scale))
      #expect(scaled.value == value && scaled.isExact, "\(text)")
    }
    #expect(DecimalText.text(-5, scale: 2) == "-0.05")
    #expect(DecimalText.text(1_250, scale: 2) == "12.50")
    for bad in ["", "-", ".5", "5.", "1e", "1e+", "0x1", "1 ", "--1"] {
      var bad = bad
      #expect(bad.withUTF8 { DecimalText($0) } == nil, "\(bad)")
    }
  }

  @Test func keyHashesOfTheSamePartsAreEqualAndOfOthersNot() {
    let hasher = KeyHasher(seed: HashSeed(first: 1, second: 2))
    var seen: [KeyHash: String] = [:]
    var random = SeededRandom(5)
    for count in 0..<2_000 {
      var text = String(
        (0..<(count % 40)).map { _ in Character(UnicodeScalar(UInt8.random(in: 97...122, using: &random))) })
      let hash = text.withUTF8 { hasher.hash($0) }
      #expect(seen[hash] == nil || seen[hash] == text)
      seen[hash] = text
    }
    func composite(_ parts: [String]) -> KeyHash {
      let cells = parts.compactMap { ConstantCell(.string($0), type: .string) }
      return withExtendedLifetime(cells) { hasher.hash(cells.map(\.column), row: 0) }
    }
    #expect(composite(["ab", "c"]) != composite(["a", "bc"]))
    #expect(composite(["ab", "c"]) == composite(["ab", "c"]))
    #expect(
      KeyHasher.fixedSeed("a") == KeyHasher.fixedSeed("a") && KeyHasher.fixedSeed("a") != KeyHasher.fixedSeed("b"))
  }

  @Test func constantsTakeOnlyWhatTheirTypeHolds() {
    #expect(cell(.int(3), .decimal(scale: 2)) == .decimal(300, scale: 2))
    #expect(cell(.decimal(305, scale: 2), .decimal(scale: 1)) == nil)
    #expect(cell(.string("a"), .int) == nil)
    #expect(cell(.list([.int(1), .int(2)]), .list(.int)) == .list([.int(1), .int(2)]))
  }

  private func cell(_ value: Scalar, _ type: ColumnType) -> Scalar? {
    let cell = ConstantCell(value, type: type)
    return withExtendedLifetime(cell) { cell?.column.scalar(0) }
  }
}

@Suite struct ReadableTextTests {
  @Test(arguments: [
    (Scalar.double(28262.728799999997), "28262.73"), (.double(3), "3"), (.double(0), "0"), (.double(-0.5), "-0.5"),
    (.double(0.00012345678), "0.0001235"), (.double(1e300), "1e+300"), (.double(.infinity), "inf"),
    (.double(0.1 + 0.2), "0.3"), (.decimal(48_964_330_000_000_000, scale: 18), "0.04896433"),
    (.decimal(1_250, scale: 2), "12.50"), (.decimal(1_200, scale: 2), "12.00"), (.decimal(100, scale: 0), "100"),
    (.int(7), "7"), (.string("a0"), "a0"),
  ])
  func numbersAreShownForReading(value: Scalar, text: String) { #expect(value.readableText == text) }
}
