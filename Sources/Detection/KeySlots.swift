internal import Events

/// Finds a key's entry: an open-addressing table of eight bytes a slot, at most three quarters full. A slot has the number of
/// the entry and 32 bits of the key's hash, of which the lower ones are its place; so nearly every miss is seen without
/// touching an entry, and the table grows without touching any.
final class KeySlots {
  static let slotSize = MemoryLayout<UInt64>.stride

  private var slots: UnsafeMutablePointer<UInt64>
  private var slotCount = 256
  private(set) var count = 0

  init() {
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
  }

  deinit { slots.deallocate() }

  @inline(__always)
  private static func tag(_ hash: KeyHash) -> UInt64 { hash.low & 0xFFFF_FFFF }
  @inline(__always)
  private static func tag(_ slot: UInt64) -> UInt64 { slot & 0xFFFF_FFFF }
  @inline(__always)
  private static func block(_ slot: UInt64) -> BlockNumber {
    BlockNumber(value: UInt32(truncatingIfNeeded: slot >> 32))
  }
  @inline(__always)
  private func home(_ tag: UInt64) -> Int { Int(tag) & (slotCount - 1) }

  /// The entry of a key; `none` where it has none.
  @inline(__always)
  func find(_ hash: KeyHash, in entries: BlockPool) -> BlockNumber {
    let tag = Self.tag(hash)
    let mask = slotCount - 1
    var place = home(tag)
    while slots[place] != 0 {
      let slot = slots[place]
      if Self.tag(slot) == tag {
        let block = Self.block(slot)
        if entries[block].assumingMemoryBound(to: KeyEntry.self).pointee.hash == hash { return block }
      }
      place = (place + 1) & mask
    }
    return .none
  }

  /// Adds a key that is not there.
  func insert(_ hash: KeyHash, _ block: BlockNumber) {
    count += 1
    if count * 4 > slotCount * 3 { grow() }
    put(Self.tag(hash) | UInt64(block.value) << 32)
  }

  private func put(_ slot: UInt64) {
    let mask = slotCount - 1
    var place = home(Self.tag(slot))
    while slots[place] != 0 { place = (place + 1) & mask }
    slots[place] = slot
  }

  private func grow() {
    let old = slots
    let oldCount = slotCount
    slotCount *= 2
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
    for place in 0..<oldCount where old[place] != 0 { put(old[place]) }
    old.deallocate()
  }

  /// Takes a key out that is there.
  func remove(_ hash: KeyHash, _ block: BlockNumber) {
    let slot = Self.tag(hash) | UInt64(block.value) << 32
    let mask = slotCount - 1
    var place = home(Self.tag(slot))
    while slots[place] != slot { place = (place + 1) & mask }
    count -= 1
    // Later slots of the run move up, so that no search ends at the gap too early.
    var gap = place
    var next = (place + 1) & mask
    while slots[next] != 0 {
      let home = home(Self.tag(slots[next]))
      if (next &- home) & mask >= (next &- gap) & mask {
        slots[gap] = slots[next]
        gap = next
      }
      next = (next + 1) & mask
    }
    slots[gap] = 0
  }

  func forEach(_ body: (BlockNumber) -> Void) {
    for place in 0..<slotCount where slots[place] != 0 { body(Self.block(slots[place])) }
  }

  /// What most likely is the slot of a key.
  @inline(__always)
  func likelySlot(_ hash: KeyHash) -> UInt64 { slots[home(Self.tag(hash))] }

  /// What most likely is the entry of a key.
  @inline(__always)
  func likely(_ hash: KeyHash) -> BlockNumber { Self.block(likelySlot(hash)) }
}
