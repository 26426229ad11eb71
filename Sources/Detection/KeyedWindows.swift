internal import Events

/// The state of one key: its pieces of time, newest first, and the events kept as evidence. Cells of the key itself follow.
struct KeyEntry {
  var hash: KeyHash
  var newest: UnsafeMutablePointer<WindowPiece>?
  /// The newest of a ring: its `next` is the oldest.
  var evidence: UnsafeMutablePointer<EvidenceNode>?
  var evidenceCount: Int32
  var changes: ChangeFlags

  static let headerSize = (MemoryLayout<KeyEntry>.stride + 15) & ~15
  /// The cells that aggregates keep once a key.
  static func cells(_ entry: UnsafeMutablePointer<KeyEntry>) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(entry) + headerSize
  }
}

/// What one key has in one piece of time. Cells of the aggregates follow.
struct WindowPiece {
  var number: Int64
  var entry: UnsafeMutablePointer<KeyEntry>
  /// The next older piece of the key.
  var older: UnsafeMutablePointer<WindowPiece>?
  /// The next piece of the same number, of another key.
  var nextInGeneration: UnsafeMutablePointer<WindowPiece>?
  /// The earliest event time in it.
  var firstTime: Int64
  var eventCount: Int64
  var changes: ChangeFlags

  static let headerSize = (MemoryLayout<WindowPiece>.stride + 15) & ~15
  static func cells(_ piece: UnsafeMutablePointer<WindowPiece>) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(piece) + headerSize
  }
}

/// What initialises and tears down the cells that follow an entry and a piece.
protocol CellOwner: AnyObject {
  func initialize(piece: UnsafeMutablePointer<WindowPiece>)
  func initialize(entry: UnsafeMutablePointer<KeyEntry>)
  /// Its entry still stands.
  func destroy(piece: UnsafeMutablePointer<WindowPiece>)
  func destroy(entry: UnsafeMutablePointer<KeyEntry>)
  /// Bytes that cells hold elsewhere.
  var outsideByteCount: Int { get }
  /// Whether cells may hold memory elsewhere.
  var holdMemory: Bool { get }
}

/// The windows of one rule in one partition, by key: a flat table of 128-bit seeded hashes; entries and pieces in pools whose
/// blocks never move. Pieces of one number are linked (a generation), so that a whole generation is dropped at once when the
/// watermark has passed it. Nothing of the layout shows in a result.
final class KeyedWindows {
  private struct Slot {
    var hash: KeyHash
    var entry: UnsafeMutablePointer<KeyEntry>?
  }

  private struct Generation {
    var number: Int64
    var first: UnsafeMutablePointer<WindowPiece>?
  }

  let grid: WindowGrid
  let evidence = EvidencePool()
  /// What the next cut tells; see there.
  var changes = WindowChanges()
  let entries: BlockPool
  let pieces: BlockPool
  var cells: any CellOwner
  private var slots: UnsafeMutablePointer<Slot>
  private var slotCount: Int
  /// Rising by number.
  private var generations: [Generation] = []
  private(set) var keyCount = 0
  private(set) var pieceCount = 0
  /// The watermark at which the oldest generation goes.
  private(set) var nextExpiry = Int64.max

  init(grid: WindowGrid, entryCells: Int, pieceCells: Int, cells: any CellOwner) {
    self.grid = grid
    self.cells = cells
    entries = BlockPool(blockSize: KeyEntry.headerSize + entryCells)
    pieces = BlockPool(blockSize: WindowPiece.headerSize + pieceCells)
    slotCount = 256
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: Slot(hash: KeyHash(low: 0, high: 0), entry: nil), count: slotCount)
  }

  deinit {
    if cells.holdMemory { forEachEntry { entry in destroyAll(entry) } }
    slots.deallocate()
  }

  private func destroyAll(_ entry: UnsafeMutablePointer<KeyEntry>) {
    var next = entry.pointee.newest
    while let piece = next {
      next = piece.pointee.older
      cells.destroy(piece: piece)
    }
    cells.destroy(entry: entry)
  }

  /// Bytes of a key in the table, as if it were always half full.
  static var slotBytes: Int { 2 * MemoryLayout<Slot>.stride }

  /// Bytes in use; slots as if the table were always half full, so that the account does not jump. Blocks that wait for a cut
  /// do not count: when one comes must not show.
  var byteCount: Int {
    keyCount * (Self.slotBytes + entries.blockSize) + pieceCount * pieces.blockSize + evidence.byteCount
      + cells.outsideByteCount
  }

  /// Different piece numbers held.
  var generationCount: Int { generations.count }

  // MARK: Finding

  /// Brings the slots of these keys into the cache, many at a time.
  func prefetch(_ hashes: UnsafePointer<KeyHash>, _ rows: UnsafePointer<Int32>, _ count: Int) -> UInt {
    let mask = slotCount - 1
    let slots = slots
    var sum: UInt = 0
    for index in 0..<count {
      let place = Int(truncatingIfNeeded: hashes[Int(rows[index])].low) & mask
      sum &+= UInt(bitPattern: slots[place].entry)
    }
    return sum
  }

  /// The key's piece of that number, made where there is none. It is noted as changed.
  @inline(__always)
  func piece(_ hash: KeyHash, number: Int64) -> UnsafeMutablePointer<WindowPiece> {
    let entry = entry(hash)
    if let newest = entry.pointee.newest, newest.pointee.number == number {
      if !newest.pointee.changes.contains(.isNoted) { changes.note(newest) }
      return newest
    }
    return olderOrNew(entry, number)
  }

  /// Whether the key has a piece of that number.
  func has(_ hash: KeyHash, number: Int64) -> Bool { find(hash, number: number) != nil }

  /// The key's piece of that number.
  func find(_ hash: KeyHash, number: Int64) -> UnsafeMutablePointer<WindowPiece>? {
    var next = find(hash)?.pointee.newest
    while let piece = next, piece.pointee.number > number { next = piece.pointee.older }
    return next?.pointee.number == number ? next : nil
  }

  func find(_ hash: KeyHash) -> UnsafeMutablePointer<KeyEntry>? {
    var place = Int(truncatingIfNeeded: hash.low) & (slotCount - 1)
    while let entry = slots[place].entry {
      if slots[place].hash == hash { return entry }
      place = (place + 1) & (slotCount - 1)
    }
    return nil
  }

  /// All keys, in no order that means anything. The table must not change meanwhile.
  func forEachEntry(_ body: (UnsafeMutablePointer<KeyEntry>) -> Void) {
    for place in 0..<slotCount {
      if let entry = slots[place].entry { body(entry) }
    }
  }

  @inline(__always)
  func entry(_ hash: KeyHash) -> UnsafeMutablePointer<KeyEntry> {
    let mask = slotCount - 1
    let slots = slots
    var place = Int(truncatingIfNeeded: hash.low) & mask
    while let entry = slots[place].entry {
      if slots[place].hash == hash { return entry }
      place = (place + 1) & mask
    }
    return insert(hash, at: place)
  }

  private func insert(_ hash: KeyHash, at place: Int) -> UnsafeMutablePointer<KeyEntry> {
    let entry = entries.take().bindMemory(to: KeyEntry.self, capacity: 1)
    entry.initialize(
      to: KeyEntry(hash: hash, newest: nil, evidence: nil, evidenceCount: 0, changes: changes.flagsOfNewEntry))
    cells.initialize(entry: entry)
    slots[place] = Slot(hash: hash, entry: entry)
    keyCount += 1
    if keyCount * 2 > slotCount { growSlots() }
    return entry
  }

  private func growSlots() {
    let old = slots
    let oldCount = slotCount
    slotCount *= 2
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: Slot(hash: KeyHash(low: 0, high: 0), entry: nil), count: slotCount)
    for index in 0..<oldCount where old[index].entry != nil {
      var place = Int(truncatingIfNeeded: old[index].hash.low) & (slotCount - 1)
      while slots[place].entry != nil { place = (place + 1) & (slotCount - 1) }
      slots[place] = old[index]
    }
    old.deallocate()
  }

  /// Finds the piece further down the chain, or puts a new one in its place.
  private func olderOrNew(
    _ entry: UnsafeMutablePointer<KeyEntry>, _ number: Int64
  ) -> UnsafeMutablePointer<WindowPiece> {
    var newer: UnsafeMutablePointer<WindowPiece>?
    var next = entry.pointee.newest
    while let piece = next, piece.pointee.number > number {
      newer = piece
      next = piece.pointee.older
    }
    if let piece = next, piece.pointee.number == number {
      if !piece.pointee.changes.contains(.isNoted) { changes.note(piece) }
      return piece
    }
    let piece = pieces.take().bindMemory(to: WindowPiece.self, capacity: 1)
    piece.initialize(
      to: WindowPiece(
        number: number, entry: entry, older: next, nextInGeneration: nil, firstTime: .max, eventCount: 0, changes: []))
    cells.initialize(piece: piece)
    if let newer { newer.pointee.older = piece } else { entry.pointee.newest = piece }
    pieceCount += 1
    changes.note(piece)
    if !changes.isRestoring { link(piece) }
    return piece
  }

  func link(_ piece: UnsafeMutablePointer<WindowPiece>) {
    let number = piece.pointee.number
    var place = generations.count
    while place > 0, generations[place - 1].number > number { place -= 1 }
    if place > 0, generations[place - 1].number == number {
      piece.pointee.nextInGeneration = generations[place - 1].first
      generations[place - 1].first = piece
      return
    }
    generations.insert(Generation(number: number, first: piece), at: place)
    if place == 0 { nextExpiry = grid.expiry(number) }
  }

  // MARK: Dropping

  /// Drops what no event can need once the watermark has come this far; never what expires beyond the end of time.
  func expire(watermark: Int64) {
    while nextExpiry <= watermark, nextExpiry < .max { dropOldestGeneration() }
  }

  /// Drops the oldest generation, and the keys that have nothing else.
  func dropOldestGeneration() {
    guard !generations.isEmpty else { return }
    free(generations.removeFirst())
    nextExpiry = generations.first.map { grid.expiry($0.number) } ?? .max
    changes.sweep(self)
  }

  private func free(_ generation: Generation) {
    var next = generation.first
    while let piece = next {
      next = piece.pointee.nextInGeneration
      let entry = piece.pointee.entry
      drop(piece)
      if entry.pointee.newest == nil { remove(entry) }
    }
  }

  /// Takes a piece out of its key, which stays.
  func drop(_ piece: UnsafeMutablePointer<WindowPiece>) {
    cells.destroy(piece: piece)
    unlink(piece)
    pieceCount -= 1
    if changes.mustWait(piece) { return }
    pieces.giveBack(UnsafeMutableRawPointer(piece))
  }

  private func unlink(_ piece: UnsafeMutablePointer<WindowPiece>) {
    let entry = piece.pointee.entry
    if entry.pointee.newest == piece {
      entry.pointee.newest = piece.pointee.older
      return
    }
    var newer = entry.pointee.newest
    while let candidate = newer, candidate.pointee.older != piece { newer = candidate.pointee.older }
    newer?.pointee.older = piece.pointee.older
  }

  /// Takes a key out that has no piece any more.
  func remove(_ entry: UnsafeMutablePointer<KeyEntry>) {
    let mask = slotCount - 1
    var place = Int(truncatingIfNeeded: entry.pointee.hash.low) & mask
    while slots[place].entry != entry { place = (place + 1) & mask }
    closeGap(at: place)
    keyCount -= 1
    evidence.free(entry)
    cells.destroy(entry: entry)
    if changes.mustWait(entry) { return }
    entries.giveBack(UnsafeMutableRawPointer(entry))
  }

  /// Moves later slots of the run up, so that no search ends at the gap too early.
  private func closeGap(at place: Int) {
    let mask = slotCount - 1
    var gap = place
    var next = (place + 1) & mask
    while slots[next].entry != nil {
      let home = Int(truncatingIfNeeded: slots[next].hash.low) & mask
      if (next &- home) & mask >= (next &- gap) & mask {
        slots[gap] = slots[next]
        gap = next
      }
      next = (next + 1) & mask
    }
    slots[gap].entry = nil
  }
}
