import Events
import Glibc

/// Keys to entry numbers: a flat open-addressing table (power of two, at most half full) of fingerprint and entry, and
/// the keys' bytes in one run. A hit compares the bytes.
///
/// It is filled by `insert` while a list loads, on one thread, and never changes once a `TableSnapshot` holds it.
final class TableIndex {
  private struct Slot {
    /// Part of the hash that does not choose the slot.
    var fingerprint: UInt32
    /// -1: the slot is empty.
    var entry: Int32
  }

  private static let emptySlot = Slot(fingerprint: 0, entry: -1)
  /// Rows that are looked up together. Their hashes take 1 KiB, which is what a temporary allocation takes from the stack.
  private static let chunk = 64

  private let hasher: IndexHasher
  /// Bits of the fingerprint that are kept: all, but in tests of collisions.
  private let fingerprintMask: UInt32
  private var slots: UnsafeMutablePointer<Slot>
  private var slotCount: Int
  private var keys: UnsafeMutablePointer<UInt8>
  private var keysCapacity: Int
  /// Where each entry's key begins in `keys`; one more than there are entries.
  private var starts: UnsafeMutablePointer<Int>
  private var startsCapacity: Int
  private(set) var count = 0

  init(seed: HashSeed, fingerprintMask: UInt32 = .max) {
    hasher = IndexHasher(seed: seed)
    self.fingerprintMask = fingerprintMask
    slotCount = 64
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: Self.emptySlot, count: slotCount)
    keysCapacity = 1024
    keys = .allocate(capacity: keysCapacity)
    startsCapacity = 33
    starts = .allocate(capacity: startsCapacity)
    starts[0] = 0
  }

  deinit {
    slots.deallocate()
    keys.deallocate()
    starts.deallocate()
  }

  /// Bytes held: for the memory that a table is said to take.
  var byteCount: Int {
    slotCount * MemoryLayout<Slot>.stride + keysCapacity + startsCapacity * MemoryLayout<Int>.stride
  }

  /// The key of an entry; it stands as long as the index does not grow.
  func key(_ entry: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: keys + starts[entry], count: starts[entry + 1] - starts[entry])
  }

  /// The entry of a key, or -1.
  func find(_ key: UnsafeBufferPointer<UInt8>) -> Int32 {
    let hash = hasher.hash(key)
    return probe(hash, first: slots[slot(of: hash)], key.baseAddress, key.count)
  }

  /// The entries of the selected rows' keys, by row; -1 where a row has no value or no entry. Allocates nothing.
  func find(_ column: Column, rows: Selection, into entries: UnsafeMutablePointer<Int32>) {
    let selected = rows.rows
    let count = rows.count
    var start = 0
    while start < count {
      let end = min(start + Self.chunk, count)
      findChunk(column, selected + start, end - start, into: entries)
      start = end
    }
  }

  /// Hashes first, then the first slots, then the comparisons: the memory of many rows is under way at the same time.
  private func findChunk(
    _ column: Column, _ rows: UnsafePointer<Int32>, _ count: Int, into entries: UnsafeMutablePointer<Int32>
  ) {
    let views = column.views
    let states = column.states
    let hasher = hasher
    let slots = slots
    withUnsafeTemporaryAllocation(of: KeyHash.self, capacity: Self.chunk) { hashes in
      withUnsafeTemporaryAllocation(of: Slot.self, capacity: Self.chunk) { first in
        for index in 0..<count {
          let row = Int(rows[index])
          guard states[row] == CellState.value.rawValue else { continue }
          hashes.initializeElement(at: index, to: hasher.hash(views[row].buffer))
        }
        for index in 0..<count where states[Int(rows[index])] == CellState.value.rawValue {
          first.initializeElement(at: index, to: slots[slot(of: hashes[index])])
        }
        for index in 0..<count {
          let row = Int(rows[index])
          guard states[row] == CellState.value.rawValue else {
            entries[row] = -1
            continue
          }
          entries[row] = probe(hashes[index], first: first[index], views[row].start, views[row].count)
        }
      }
    }
  }

  /// Adds a key as the next entry; false where it is there already.
  func insert(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
    if find(key) >= 0 { return false }
    if (count + 1) * 2 > slotCount { growSlots() }
    appendKey(key)
    place(Int32(count), hasher.hash(key))
    count += 1
    return true
  }

  @inline(__always)
  private func slot(of hash: KeyHash) -> Int { Int(truncatingIfNeeded: hash.low) & (slotCount - 1) }

  @inline(__always)
  private func fingerprint(of hash: KeyHash) -> UInt32 { UInt32(truncatingIfNeeded: hash.high) & fingerprintMask }

  @inline(__always)
  private func probe(_ hash: KeyHash, first: Slot, _ key: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let wanted = fingerprint(of: hash)
    var position = slot(of: hash)
    var slot = first
    while slot.entry >= 0 {
      if slot.fingerprint == wanted && isKey(slot.entry, key, count) { return slot.entry }
      position = (position + 1) & (slotCount - 1)
      slot = slots[position]
    }
    return -1
  }

  @inline(__always)
  private func isKey(_ entry: Int32, _ key: UnsafePointer<UInt8>?, _ count: Int) -> Bool {
    let start = starts[Int(entry)]
    guard starts[Int(entry) + 1] - start == count else { return false }
    guard let key else { return count == 0 }
    return memcmp(keys + start, key, count) == 0
  }

  private func place(_ entry: Int32, _ hash: KeyHash) {
    var position = slot(of: hash)
    while slots[position].entry >= 0 { position = (position + 1) & (slotCount - 1) }
    slots[position] = Slot(fingerprint: fingerprint(of: hash), entry: entry)
  }

  private func growSlots() {
    slots.deallocate()
    slotCount *= 2
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: Self.emptySlot, count: slotCount)
    for entry in 0..<count { place(Int32(entry), hasher.hash(key(entry))) }
  }

  private func appendKey(_ key: UnsafeBufferPointer<UInt8>) {
    let start = starts[count]
    if start + key.count > keysCapacity {
      keys = Self.grown(keys, count: start, capacity: max(keysCapacity * 2, start + key.count))
      keysCapacity = max(keysCapacity * 2, start + key.count)
    }
    if count + 2 > startsCapacity {
      starts = Self.grown(starts, count: count + 1, capacity: startsCapacity * 2)
      startsCapacity *= 2
    }
    if let base = key.baseAddress { (keys + start).update(from: base, count: key.count) }
    starts[count + 1] = start + key.count
  }

  private static func grown<Element: BitwiseCopyable>(
    _ memory: UnsafeMutablePointer<Element>, count: Int, capacity: Int
  ) -> UnsafeMutablePointer<Element> {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    larger.initialize(from: memory, count: count)
    memory.deallocate()
    return larger
  }
}
