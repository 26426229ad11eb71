internal import Events

/// Which keys were met already, by a 128-bit seeded hash: 16 to 46 bytes a key, however long the keys are.
struct SeenKeys {
  private static let empty = KeyHash(low: 0, high: 0)

  private let hasher = KeyHasher(seed: .random())
  private var slots: [KeyHash]
  private(set) var count = 0

  init() { slots = Array(repeating: Self.empty, count: 1 << 10) }

  /// True where the key is met for the first time.
  mutating func insert(_ key: UnsafeRawBufferPointer) -> Bool {
    if count * 10 >= slots.count * 7 { grow() }
    var hash = key.withMemoryRebound(to: UInt8.self) { hasher.hash($0) }
    if hash == Self.empty { hash.low = 1 }
    guard Self.place(hash, in: &slots) else { return false }
    count += 1
    return true
  }

  private static func place(_ hash: KeyHash, in slots: inout [KeyHash]) -> Bool {
    let mask = slots.count - 1
    var index = Int(truncatingIfNeeded: hash.low) & mask
    while slots[index] != empty {
      if slots[index] == hash { return false }
      index = (index + 1) & mask
    }
    slots[index] = hash
    return true
  }

  private mutating func grow() {
    var larger = Array(repeating: Self.empty, count: slots.count * 2)
    for hash in slots where hash != Self.empty { _ = Self.place(hash, in: &larger) }
    slots = larger
  }
}
