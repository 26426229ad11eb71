import Testing

@testable import tocsin

@Suite struct RandomTests {
  @Test func sequencesAreFixed() {
    // SplitMix64 of seed 0 begins with these (its authors' test values), which checks the mixing.
    #expect(splitMix64(0x9E37_79B9_7F4A_7C15) == 0xE220_A839_7B1D_CDAF)
    #expect(splitMix64(0x9E37_79B9_7F4A_7C15 &* 2) == 0x6E78_9E6A_A1B9_65F4)
    // Worked out by another program from the description: a change here would change every generated file.
    var random = SeededRandom(seed: 1)
    let first: [UInt64] = [12_966_619_160_104_079_557, 9_600_361_134_598_540_522, 10_590_380_919_521_690_900]
    #expect((0..<3).map { _ in random.next() } == first)
  }

  @Test func seedsAndStreamsDiffer() {
    var seen: Set<UInt64> = []
    for seed in 0..<50 as Range<UInt64> {
      for stream in 0..<50 as Range<UInt64> {
        var random = SeededRandom(seed: seed, stream: stream)
        seen.insert(random.next())
      }
    }
    #expect(seen.count == 2_500)
  }

  @Test func rangesAreFilledEvenly() {
    var random = SeededRandom(seed: 3)
    var counts = Array(repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[random.next(in: -3...3) + 3] += 1 }
    // Five standard deviations of a binomial count are 463.
    for count in counts { #expect(abs(count - 10_000) < 500) }
  }

  @Test func zipfFollowsTheExactProbabilities() {
    let zipf = ZipfDistribution(count: 1_000, exponent: 1.1)
    var exact: [Double] = (1...1_000).map { rank in 1 / power(Double(rank), 1.1) }
    let sum = exact.reduce(0, +)
    exact = exact.map { $0 / sum }
    for rank in 0..<1_000 { #expect(abs(zipf.probability(of: rank) / exact[rank] - 1) < 1e-6) }
    var random = SeededRandom(seed: 5)
    var counts = Array(repeating: 0.0, count: 1_000)
    let draws = 400_000.0
    for _ in 0..<Int(draws) { counts[zipf.next(&random)] += 1 }
    var square = 0.0
    for rank in 0..<1_000 {
      let expected = exact[rank] * draws
      square += (counts[rank] - expected) * (counts[rank] - expected) / expected
    }
    // Chi-square of 999 degrees of freedom: mean 999, standard deviation 44.7.
    #expect(abs(square - 999) < 5 * 44.7, "chi-square \(square)")
  }

  @Test(arguments: [1, 2, 3, 100_000]) func zipfStaysWithinItsRanks(_ count: Int) {
    let zipf = ZipfDistribution(count: count, exponent: 1.1)
    var random = SeededRandom(seed: 8)
    var largest = 0
    for _ in 0..<20_000 {
      let rank = zipf.next(&random)
      #expect((0..<count).contains(rank))
      largest = max(largest, rank)
    }
    #expect(largest == count - 1 || count > 1_000)
    #expect(abs((0..<count).reduce(0.0) { $0 + zipf.probability(of: $1) } - 1) < 1e-9)
  }

  /// `base` to the power of 1.1, by another way than the program's.
  private func power(_ base: Double, _ exponent: Double) -> Double {
    // Newton's method on x^10 = base^11.
    precondition(exponent == 1.1)
    var eleventh = 1.0
    for _ in 0..<11 { eleventh *= base }
    var x = base * 2
    for _ in 0..<300 {
      var ninth = 1.0
      for _ in 0..<9 { ninth *= x }
      x -= (ninth * x - eleventh) / (10 * ninth)
    }
    return x
  }
}
