/// Random numbers that are the same from the same seed on every machine and with every Swift: xoshiro256** (Blackman and
/// Vigna, "Scrambled linear pseudorandom number generators"), its state filled by SplitMix64. The standard library's own
/// ways from bits to numbers are not used, since they may change.
struct SeededRandom: Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// `stream` tells apart the independent sequences of one seed.
  init(seed: UInt64, stream: UInt64 = 0) {
    var filler = seed ^ splitMix64(stream)
    func next() -> UInt64 {
      filler &+= splitMix64Step
      return splitMix64(filler)
    }
    state = (next(), next(), next(), next())
  }

  /// 64 random bits.
  mutating func next() -> UInt64 {
    let result = rotated(state.1 &* 5, by: 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotated(state.3, by: 45)
    return result
  }

  /// A number from 0 to `bound` - 1, as even as 64 bits allow (the bias is below `bound` / 2^64).
  mutating func next(below bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

  /// A number of a range.
  mutating func next(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next(below: UInt64(range.upperBound - range.lowerBound + 1)))
  }

  /// True `share` times out of `whole`.
  mutating func happens(_ share: UInt64, outOf whole: UInt64) -> Bool { next(below: whole) < share }

  /// An element, each as likely as the others; the array is not empty.
  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[next(in: 0...(elements.count - 1))] }

  private func rotated(_ value: UInt64, by count: UInt64) -> UInt64 { value << count | value >> (64 - count) }
}

private let splitMix64Step: UInt64 = 0x9E37_79B9_7F4A_7C15

/// SplitMix64's mixing of 64 bits: a number that looks random from any other.
func splitMix64(_ value: UInt64) -> UInt64 {
  var mixed = value
  mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
  mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
  return mixed ^ (mixed >> 31)
}
