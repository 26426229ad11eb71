import Events

/// A 128-bit seeded hash of a table's keys: 16 bytes a step in two lanes of folded 64-bit multiplication. The seed keeps
/// whoever chooses addresses from choosing their slots; the index compares the bytes of every hit all the same.
struct IndexHasher {
  private let seed: HashSeed
  private let firstSecret: UInt64
  private let secondSecret: UInt64

  init(seed: HashSeed) {
    self.seed = seed
    firstSecret = Self.scrambled(seed.first ^ 0x9E37_79B9_7F4A_7C15)
    secondSecret = Self.scrambled(seed.second ^ 0xC2B2_AE3D_27D4_EB4F)
  }

  @inline(__always)
  func hash(_ key: UnsafeBufferPointer<UInt8>) -> KeyHash {
    var low = seed.first
    var high = seed.second
    guard let base = key.baseAddress, key.count > 0 else { return finished(low, high, 0) }
    let bytes = UnsafeRawPointer(base)
    var position = 0
    while position + 16 <= key.count {
      let first = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      let second = bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)
      low = Self.folded(first ^ low, second ^ firstSecret)
      high = Self.folded(second ^ high, first ^ secondSecret)
      position += 16
    }
    if position < key.count {
      let (first, second) = Self.tail(bytes + position, key.count - position)
      low = Self.folded(first ^ low, second ^ firstSecret)
      high = Self.folded(second ^ high, first ^ secondSecret)
    }
    return finished(low, high, UInt64(key.count))
  }

  @inline(__always)
  private func finished(_ low: UInt64, _ high: UInt64, _ count: UInt64) -> KeyHash {
    let mixed = Self.folded(low ^ firstSecret, high ^ count)
    return KeyHash(
      low: Self.folded(mixed ^ secondSecret, low ^ 0xA076_1D64_78BD_642F),
      high: Self.folded(mixed ^ firstSecret, high ^ 0xE703_7ED1_A0B4_28DB))
  }

  /// 1 to 15 bytes as two words, unread bytes as zeros; the count, which `finished` takes in, tells zeros apart.
  @inline(__always)
  private static func tail(_ bytes: UnsafeRawPointer, _ count: Int) -> (UInt64, UInt64) {
    var first: UInt64 = 0
    var second: UInt64 = 0
    for index in 0..<min(count, 8) { first |= UInt64(bytes.load(fromByteOffset: index, as: UInt8.self)) << (8 * index) }
    for index in 8..<max(count, 8) {
      second |= UInt64(bytes.load(fromByteOffset: index, as: UInt8.self)) << (8 * (index - 8))
    }
    return (first, second)
  }

  @inline(__always)
  private static func folded(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  private static func scrambled(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
