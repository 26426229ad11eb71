internal import Events

/// How many different values there are: exact up to `exactLimit`, an estimate above (HyperLogLog with 4,096 registers, a
/// standard error of 1.6 %). What it says depends on the set of values alone, never on their order.
///
/// The estimator is that of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6.
struct DistinctSet {
  /// Different values up to which the count is exact.
  static let exactLimit = 256
  private static let precision = 12
  private static let registerCount = 1 << precision
  /// The highest rank that a register can hold, and one histogram place for each rank from 0.
  private static let rankLimit = 64 - precision + 1

  /// Exact: an open-addressing table of hashes, none of them 0. Estimate: registers, then the histogram of their ranks.
  private var memory: UnsafeMutableRawPointer?
  /// Of an exact set; -1: an estimate.
  private var exactCount: Int32 = 0
  private var capacity: Int32 = 0
  /// The only value, while there is but one.
  private var first: UInt64 = 0

  var isEmpty: Bool { exactCount == 0 }

  /// Bytes held outside the set itself.
  var byteCount: Int { exactCount < 0 ? Self.sketchBytes : Int(capacity) * 8 }

  private static let sketchBytes = registerCount + (rankLimit + 1) * 2

  mutating func removeAll() {
    memory?.deallocate()
    self = DistinctSet()
  }

  /// Adds the hash of a value.
  mutating func insert(_ hash: UInt64) {
    let hash = hash == 0 ? 1 : hash
    if exactCount < 0 { return insertIntoSketch(hash) }
    if exactCount == 0 {
      first = hash
      exactCount = 1
      return
    }
    if memory == nil {
      if hash == first { return }
      grow(to: 8)
    }
    insertExact(hash)
  }

  private mutating func insertExact(_ hash: UInt64) {
    guard let table = memory?.assumingMemoryBound(to: UInt64.self) else { return }
    let mask = Int(capacity) - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while table[place] != 0 {
      if table[place] == hash { return }
      place = (place + 1) & mask
    }
    if Int(exactCount) == Self.exactLimit { return becomeSketch(adding: hash) }
    table[place] = hash
    exactCount += 1
    if exactCount * 2 > capacity { grow(to: capacity * 2) }
  }

  /// A table of that size with what the set holds.
  private mutating func grow(to newCapacity: Int32) {
    let old = self
    let table = UnsafeMutablePointer<UInt64>.allocate(capacity: Int(newCapacity))
    table.initialize(repeating: 0, count: Int(newCapacity))
    memory = UnsafeMutableRawPointer(table)
    capacity = newCapacity
    let mask = Int(newCapacity) - 1
    old.forEachExact { hash in
      var place = Int(truncatingIfNeeded: hash) & mask
      while table[place] != 0 { place = (place + 1) & mask }
      table[place] = hash
    }
    old.memory?.deallocate()
  }

  private func forEachExact(_ body: (UInt64) -> Void) {
    guard let table = memory?.assumingMemoryBound(to: UInt64.self) else {
      if exactCount == 1 { body(first) }
      return
    }
    for place in 0..<Int(capacity) where table[place] != 0 { body(table[place]) }
  }

  private mutating func becomeSketch(adding hash: UInt64) {
    let old = self
    becomeEmptySketch()
    old.forEachExact { insertIntoSketch($0) }
    insertIntoSketch(hash)
    old.memory?.deallocate()
  }

  /// What it held before is left to the caller.
  private mutating func becomeEmptySketch() {
    let registers = UnsafeMutableRawPointer.allocate(byteCount: Self.sketchBytes, alignment: 16)
    registers.initializeMemory(as: UInt8.self, repeating: 0, count: Self.sketchBytes)
    memory = registers
    exactCount = -1
    capacity = 0
    histogram[0] = UInt16(Self.registerCount)
  }

  private var registers: UnsafeMutablePointer<UInt8> {
    guard let memory else { preconditionFailure("an estimate has registers") }
    return memory.assumingMemoryBound(to: UInt8.self)
  }

  private var histogram: UnsafeMutablePointer<UInt16> {
    guard let memory else { preconditionFailure("an estimate has a histogram") }
    return (memory + Self.registerCount).assumingMemoryBound(to: UInt16.self)
  }

  private func insertIntoSketch(_ hash: UInt64) {
    let place = Int(hash >> UInt64(64 - Self.precision))
    let rest = hash << UInt64(Self.precision)
    raise(place, to: UInt8(rest == 0 ? Self.rankLimit : rest.leadingZeroBitCount + 1))
  }

  private func raise(_ place: Int, to rank: UInt8) {
    let current = registers[place]
    guard rank > current else { return }
    registers[place] = rank
    histogram[Int(current)] -= 1
    histogram[Int(rank)] += 1
  }

  /// Adds all values of another set.
  mutating func formUnion(_ other: DistinctSet) {
    if other.exactCount >= 0 {
      // A copy of self would share its memory, so values are added one by one through the outer variable.
      var target = self
      other.forEachExact { target.insert($0) }
      self = target
      return
    }
    if exactCount >= 0 {
      let old = self
      let copy = UnsafeMutableRawPointer.allocate(byteCount: Self.sketchBytes, alignment: 16)
      copy.copyMemory(from: UnsafeRawPointer(other.registers), byteCount: Self.sketchBytes)
      memory = copy
      exactCount = -1
      capacity = 0
      old.forEachExact { insertIntoSketch($0) }
      old.memory?.deallocate()
      return
    }
    for place in 0..<Self.registerCount { raise(place, to: other.registers[place]) }
  }

  // MARK: State

  func write(to writer: inout ByteWriter) {
    writer.flag(exactCount < 0)
    if exactCount < 0 {
      writer.raw(UnsafeBufferPointer(start: registers, count: Self.registerCount))
    } else {
      writer.count(Int(exactCount))
      forEachExact { writer.fixed($0) }
    }
  }

  /// Adds what was written to an empty set.
  mutating func read(_ reader: inout ByteReader) throws(DamagedBytes) {
    if try reader.flag() {
      let stored = try reader.raw(Self.registerCount)
      guard stored.allSatisfy({ Int($0) <= Self.rankLimit }) else { throw DamagedBytes("a sketch has a rank too high") }
      let sum = stored.reduce(0) { $0 + Int($1) }
      guard sum > 0 else { throw DamagedBytes("a sketch is empty") }
      becomeEmptySketch()
      for place in 0..<Self.registerCount { raise(place, to: stored[place]) }
      return
    }
    let count = try reader.count(upTo: Self.exactLimit)
    for _ in 0..<count {
      let hash = try reader.fixed(as: UInt64.self)
      guard hash != 0 else { throw DamagedBytes("a set holds nothing at all") }
      insert(hash)
    }
    guard Int(exactCount) == count else { throw DamagedBytes("a set holds the same twice") }
  }

  /// How many different values were added; above `exactLimit` an estimate.
  var count: Int64 {
    if exactCount >= 0 { return Int64(exactCount) }
    // Registers that no set of values has could say anything.
    return Int64(exactly: estimate.rounded()) ?? .max
  }

  private var estimate: Double {
    let size = Double(Self.registerCount)
    var z = size * Self.tau(1 - Double(histogram[Self.rankLimit]) / size)
    for rank in stride(from: Self.rankLimit - 1, through: 1, by: -1) { z = 0.5 * (z + Double(histogram[rank])) }
    z += size * Self.sigma(Double(histogram[0]) / size)
    return size * size / (2 * 0.693_147_180_559_945_3 * z)
  }

  private static func sigma(_ x: Double) -> Double {
    if x == 1 { return .infinity }
    var x = x
    var y = 1.0
    var z = x
    while true {
      x *= x
      let before = z
      z += x * y
      y += y
      if z == before { return z }
    }
  }

  private static func tau(_ x: Double) -> Double {
    if x == 0 || x == 1 { return 0 }
    var x = x
    var y = 1.0
    var z = 1 - x
    while true {
      x.formSquareRoot()
      let before = z
      y *= 0.5
      z -= (1 - x) * (1 - x) * y
      if z == before { return z / 3 }
    }
  }
}
