/// A 128-bit seeded hash of a key. Two different keys get the same hash with a probability that can be neglected for
/// window state; a watchlist compares the bytes as well.
public struct KeyHash: Hashable, Sendable {
  /// The lower 64 bits.
  public var low: UInt64
  /// The upper 64 bits.
  public var high: UInt64

  /// A hash of two halves.
  @inlinable
  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }
}

/// The secret that keyed hashes start from, so that nobody outside can make keys collide.
public struct HashSeed: Hashable, Sendable {
  /// One half.
  public var first: UInt64
  /// The other half.
  public var second: UInt64

  /// A seed of two halves.
  public init(first: UInt64, second: UInt64) {
    self.first = first
    self.second = second
  }

  /// A seed of this process, from the system's random source.
  public static func random() -> HashSeed {
    HashSeed(first: .random(in: .min ... .max), second: .random(in: .min ... .max))
  }
}
