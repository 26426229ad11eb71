import Events
import TestSupport
import Testing

@testable import Detection

@Suite struct DistinctSetTests {
  private func hashes(_ count: Int, _ seed: UInt64) -> [UInt64] {
    var random = SeededRandom(seed)
    return (0..<count).map { _ in random.next() }
  }

  @Test func itIsExactUpTo256() {
    var random = SeededRandom(1)
    var set = DistinctSet()
    defer { set.removeAll() }
    // 0 is a hash as any other.
    let values = [0] + hashes(255, 2)
    var seen: Set<UInt64> = []
    for value in values {
      for repeated in [value, seen.randomElement(using: &random) ?? value] {
        set.insert(repeated)
        seen.insert(repeated)
        #expect(set.count == Int64(seen.count))
      }
    }
    #expect(set.count == 256)
  }

  @Test(arguments: [257, 1_000, 5_000, 20_000, 100_000, 1_000_000])
  func estimatesLieWithinFivePercent(_ count: Int) {
    var set = DistinctSet()
    defer { set.removeAll() }
    for value in hashes(count, UInt64(count)) { set.insert(value) }
    #expect(abs(Double(set.count) / Double(count) - 1) < 0.05, "\(set.count) for \(count)")
  }

  /// The count is a function of the set of values: neither their order nor how they came together shows.
  @Test(arguments: [0, 1, 2, 7, 100, 255, 256, 257, 258, 700, 9_000])
  func unionsAndOrderMakeNoDifference(_ count: Int) {
    var random = SeededRandom(UInt64(count))
    let values = hashes(count, 7)
    var plain = DistinctSet()
    for value in values { plain.insert(value) }
    for parts in [1, 2, 3, 50] {
      var sets = (0..<parts).map { _ in DistinctSet() }
      for value in values.shuffled(using: &random) {
        sets[Int.random(in: 0..<parts, using: &random)].insert(value)
        // Parts may overlap.
        if random.once(in: 4) { sets[Int.random(in: 0..<parts, using: &random)].insert(value) }
      }
      var union = DistinctSet()
      for set in sets { union.formUnion(set) }
      #expect(union.count == plain.count, "\(count) values in \(parts) parts")
      union.formUnion(plain)
      #expect(union.count == plain.count)
      union.removeAll()
      for index in sets.indices { sets[index].removeAll() }
    }
    plain.removeAll()
    #expect(plain.byteCount == 0 && plain.count == 0)
  }

  @Test func theAccountFollowsWhatIsHeld() {
    var set = DistinctSet()
    #expect(set.byteCount == 0)
    set.insert(5)
    #expect(set.byteCount == 0)
    for value in hashes(256, 3) { set.insert(value) }
    #expect(set.byteCount > 4_096 && set.byteCount < 8_192)
    set.removeAll()
    #expect(set.byteCount == 0 && set.isEmpty)
  }
}
