import Glibc

/// Zipf's law over a finite number of ranks: rank `k` (from 0) comes up in proportion to `1 / (k + 1)^exponent`.
///
/// Exact inversion: a table of the cumulative weights, and a search in it. The weights are whole numbers, so that sums are
/// exact and a last bit of `pow` that differs between two machines does not show.
struct ZipfDistribution: Sendable {
  /// The weight of rank 0.
  private static let unit: Double = 1_099_511_627_776  // 2^40
  private static let guideBits: UInt64 = 16

  private let cumulative: [UInt64]
  /// For the top bits of a number, the first rank it can mean: it shortens the search.
  private let guide: [Int32]

  /// - Precondition: `count` is from 1 to a million.
  init(count: Int, exponent: Double) {
    precondition((1...1_000_000).contains(count), "a Zipf table has 1 to 1,000,000 ranks")
    var cumulative: [UInt64] = []
    cumulative.reserveCapacity(count)
    var sum: UInt64 = 0
    for rank in 1...count {
      sum += max(1, UInt64((Self.unit / pow(Double(rank), exponent)).rounded()))
      cumulative.append(sum)
    }
    self.cumulative = cumulative
    let cells = 1 << Self.guideBits
    var rank = 0
    guide = (0..<cells).map { cell in
      let least = sum.multipliedFullWidth(by: UInt64(cell) << (64 - Self.guideBits)).high
      while cumulative[rank] <= least { rank += 1 }
      return Int32(rank)
    }
  }

  /// How many ranks there are.
  var count: Int { cumulative.count }

  /// How likely a rank is.
  func probability(of rank: Int) -> Double {
    let below = rank == 0 ? 0 : cumulative[rank - 1]
    return Double(cumulative[rank] - below) / Double(cumulative[count - 1])
  }

  /// A random rank.
  func next(_ random: inout SeededRandom) -> Int {
    let bits = random.next()
    let point = cumulative[count - 1].multipliedFullWidth(by: bits).high
    let cell = Int(bits >> (64 - Self.guideBits))
    var low = Int(guide[cell])
    var high = cell + 1 < guide.count ? Int(guide[cell + 1]) : count - 1
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] <= point { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
