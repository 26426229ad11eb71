/// Random numbers that a seed makes again (splitmix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// 0 ..< `bound`; quick, and even enough for a bound this small.
  mutating func below(_ bound: Int) -> Int { Int((next() >> 33) % UInt64(max(bound, 1))) }

  mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + Int64(next() >> 2) % (range.upperBound - range.lowerBound + 1)
  }

  /// True so many times in a thousand.
  mutating func chance(_ perMille: Int) -> Bool { perMille > 0 && below(1_000) < perMille }

  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}

/// A second in nanoseconds.
let second: Int64 = 1_000_000_000
/// A millisecond in nanoseconds.
let millisecond: Int64 = 1_000_000
