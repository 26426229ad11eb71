internal import Events

/// For which keys there may be an episode: a count of episodes by some bits of the key's hash, so that most events of keys
/// without one are passed over without looking for it.
struct EpisodePresence {
  private static let places = 4096

  /// Empty until there is an episode.
  private var counts: [UInt32] = []

  /// False where there is none for sure.
  @inline(__always)
  func mayHave(_ hash: KeyHash) -> Bool { !counts.isEmpty && counts[place(hash)] > 0 }

  mutating func insert(_ hash: KeyHash) {
    if counts.isEmpty { counts = [UInt32](repeating: 0, count: Self.places) }
    counts[place(hash)] += 1
  }

  mutating func remove(_ hash: KeyHash) { counts[place(hash)] -= 1 }

  @inline(__always)
  private func place(_ hash: KeyHash) -> Int { Int(hash.low & UInt64(Self.places - 1)) }
}
