internal import Events

/// The windows of one rule in one partition, by key: a flat table of 128-bit seeded hashes; entries and pieces in pools whose
/// blocks never move. Pieces of one number are linked (a generation), so that a whole generation is dropped at once when the
/// watermark has passed it. Nothing of the layout shows in a result.
final class KeyedWindows {
  let grid: WindowGrid
  let evidence = EvidencePool()
  /// What the next cut tells; see there.
  let changes = WindowChanges()
  let entries: BlockPool
  let pieces: BlockPool
  var cells: any CellOwner
  private let slots = KeySlots()
  private let generations = Generations()
  private(set) var pieceCount = 0
  /// The watermark at which the oldest generation goes.
  private(set) var nextExpiry = Int64.max

  init(grid: WindowGrid, entryCells: Int, pieceCells: Int, cells: any CellOwner) {
    self.grid = grid
    self.cells = cells
    entries = BlockPool(blockSize: KeyEntry.headerSize + entryCells)
    pieces = BlockPool(blockSize: WindowPiece.headerSize + pieceCells)
  }

  deinit {
    guard cells.holdMemory else { return }
    forEachEntry { entry in
      forEachPiece(entry) { cells.destroy(piece: $0, number: number(of: $0), of: entry) }
      cells.destroy(entry: entry)
    }
  }

  /// Keys held.
  var keyCount: Int { slots.count }

  /// Bytes of a key in the table, as if it were always half full.
  static var slotBytes: Int { 2 * KeySlots.slotSize }

  /// Bytes in use; slots as if the table were always half full, so that the account does not jump. Blocks that wait for a cut
  /// do not count: when one comes must not show.
  var byteCount: Int {
    keyCount * (Self.slotBytes + entries.blockSize) + pieceCount * pieces.blockSize + evidence.byteCount
      + cells.outsideByteCount
  }

  /// Different piece numbers held.
  var generationCount: Int { generations.count }

  // MARK: Finding

  @inline(__always)
  func entry(_ block: BlockNumber) -> UnsafeMutablePointer<KeyEntry> {
    entries[block].assumingMemoryBound(to: KeyEntry.self)
  }

  @inline(__always)
  func piece(_ block: BlockNumber) -> UnsafeMutablePointer<WindowPiece> {
    pieces[block].assumingMemoryBound(to: WindowPiece.self)
  }

  /// The key of a piece.
  @inline(__always)
  func entry(of piece: UnsafeMutablePointer<WindowPiece>) -> UnsafeMutablePointer<KeyEntry> {
    entry(piece.pointee.entry)
  }

  @inline(__always)
  func number(of piece: UnsafeMutablePointer<WindowPiece>) -> Int64 { generations[piece.pointee.generation] }

  /// The newest piece of a key.
  @inline(__always)
  func newest(_ entry: UnsafeMutablePointer<KeyEntry>) -> UnsafeMutablePointer<WindowPiece>? {
    entry.pointee.newest.isNone ? nil : piece(entry.pointee.newest)
  }

  /// The next older piece of its key.
  @inline(__always)
  func older(_ piece: UnsafeMutablePointer<WindowPiece>) -> UnsafeMutablePointer<WindowPiece>? {
    piece.pointee.older.isNone ? nil : self.piece(piece.pointee.older)
  }

  /// Brings what these keys have into the cache, many at a time; the sum means nothing.
  func prefetch(_ hashes: UnsafePointer<KeyHash>, _ rows: UnsafePointer<Int32>, _ count: Int) -> UInt64 {
    var sum: UInt64 = 0
    for index in 0..<count { sum &+= slots.likelySlot(hashes[Int(rows[index])]) }
    guard keyCount > Self.prefetchMin else { return sum }
    for index in 0..<count {
      let block = slots.likely(hashes[Int(rows[index])])
      if !block.isNone { sum &+= UInt64(entry(block).pointee.newest.value) }
    }
    for index in 0..<count {
      let block = slots.likely(hashes[Int(rows[index])])
      if !block.isNone, let piece = newest(entry(block)) { sum &+= UInt64(piece.pointee.generation.value) }
    }
    return sum
  }

  /// Keys from which on entries and pieces hardly stay in the cache.
  private static let prefetchMin = 8_192

  /// The key's piece of that number, made where there is none. It is noted as changed.
  @inline(__always)
  func piece(_ hash: KeyHash, number: Int64) -> UnsafeMutablePointer<WindowPiece> {
    let block = entryBlock(hash)
    let newest = entry(block).pointee.newest
    if !newest.isNone {
      let piece = piece(newest)
      if self.number(of: piece) == number {
        if !piece.pointee.changes.contains(.isNoted) { note(piece, newest) }
        return piece
      }
    }
    return olderOrNew(block, number)
  }

  private func note(_ piece: UnsafeMutablePointer<WindowPiece>, _ block: BlockNumber) {
    piece.pointee.changes.insert(.isNoted)
    changes.note(piece: block)
  }

  /// Whether the key has a piece of that number.
  func has(_ hash: KeyHash, number: Int64) -> Bool { !find(hash, number: number).isNone }

  /// The key's piece of that number.
  func find(_ hash: KeyHash, number: Int64) -> BlockNumber {
    guard let entry = find(hash) else { return .none }
    var next = entry.pointee.newest
    while !next.isNone, self.number(of: piece(next)) > number { next = piece(next).pointee.older }
    return !next.isNone && self.number(of: piece(next)) == number ? next : .none
  }

  func find(_ hash: KeyHash) -> UnsafeMutablePointer<KeyEntry>? {
    let block = slots.find(hash, in: entries)
    return block.isNone ? nil : entry(block)
  }

  /// All keys, in no order that means anything. The table must not change meanwhile.
  func forEachEntry(_ body: (UnsafeMutablePointer<KeyEntry>) -> Void) { slots.forEach { body(entry($0)) } }
  func forEachEntryBlock(_ body: (BlockNumber) -> Void) { slots.forEach(body) }

  /// A key's pieces, newest first.
  func forEachPiece(_ entry: UnsafeMutablePointer<KeyEntry>, _ body: (UnsafeMutablePointer<WindowPiece>) -> Void) {
    var next = newest(entry)
    while let piece = next {
      next = older(piece)
      body(piece)
    }
  }

  /// The pieces of the key of a piece that lie in a range, newest first.
  @inline(__always)
  func forEachPiece(
    beside piece: UnsafeMutablePointer<WindowPiece>, in range: WindowGrid.Range,
    _ body: (UnsafeMutablePointer<WindowPiece>) -> Void
  ) {
    // In variables of their own, so that they stay in registers.
    let places = pieces.places
    let numbers = generations.numbers
    var next = entry(of: piece).pointee.newest
    while !next.isNone {
      let found = places[next].assumingMemoryBound(to: WindowPiece.self)
      let number = numbers[Int(found.pointee.generation.value)]
      if number < range.low { return }
      next = found.pointee.older
      if number <= range.high { body(found) }
    }
  }

  /// The key's entry, made where there is none.
  @inline(__always)
  func entryBlock(_ hash: KeyHash) -> BlockNumber {
    let block = slots.find(hash, in: entries)
    return block.isNone ? insert(hash) : block
  }

  @inline(never)
  private func insert(_ hash: KeyHash) -> BlockNumber {
    let block = entries.take()
    let entry = entries[block].bindMemory(to: KeyEntry.self, capacity: 1)
    entry.initialize(to: KeyEntry(hash: hash, changes: changes.flagsOfNewEntry))
    cells.initialize(entry: entry)
    slots.insert(hash, block)
    return block
  }

  /// Finds the piece further down the chain, or puts a new one in its place.
  private func olderOrNew(_ owner: BlockNumber, _ number: Int64) -> UnsafeMutablePointer<WindowPiece> {
    let entry = entry(owner)
    var newer = BlockNumber.none
    var next = entry.pointee.newest
    while !next.isNone, self.number(of: piece(next)) > number {
      newer = next
      next = piece(next).pointee.older
    }
    if !next.isNone, self.number(of: piece(next)) == number {
      let piece = piece(next)
      if !piece.pointee.changes.contains(.isNoted) { note(piece, next) }
      return piece
    }
    let block = pieces.take()
    let piece = pieces[block].bindMemory(to: WindowPiece.self, capacity: 1)
    let known = generations.count
    piece.initialize(to: WindowPiece(generation: generations.generation(number), entry: owner, older: next))
    if generations.count > known { noteOldest() }
    cells.initialize(piece: piece)
    if newer.isNone { entry.pointee.newest = block } else { self.piece(newer).pointee.older = block }
    pieceCount += 1
    note(piece, block)
    if !changes.isRestoring { link(block) }
    return piece
  }

  func link(_ block: BlockNumber) {
    let piece = piece(block)
    piece.pointee.nextInGeneration = generations.link(block, piece.pointee.generation)
  }

  // MARK: Dropping

  /// Drops what no event can need once the watermark has come this far; never what expires beyond the end of time.
  func expire(watermark: Int64) {
    while nextExpiry <= watermark, nextExpiry < .max { dropOldestGeneration() }
  }

  /// Drops the oldest generation, and the keys that have nothing else.
  func dropOldestGeneration() {
    guard generations.count > 0 else { return }
    var next = generations.removeOldest()
    while !next.isNone {
      let block = next
      let piece = piece(block)
      let owner = piece.pointee.entry
      next = piece.pointee.nextInGeneration
      drop(block)
      if entry(owner).pointee.newest.isNone { remove(owner) }
    }
    noteOldest()
    changes.sweep(self)
  }

  private func noteOldest() { nextExpiry = generations.oldest.map { grid.expiry($0) } ?? .max }

  /// Forgets generations that lost all their pieces before they were linked.
  func dropEmptyGenerations() {
    generations.removeEmpty()
    noteOldest()
  }

  /// Takes a piece out of its key, which stays.
  func drop(_ block: BlockNumber) {
    let piece = piece(block)
    let entry = entry(of: piece)
    let number = number(of: piece)
    cells.destroy(piece: piece, number: number, of: entry)
    unlink(block, entry)
    pieceCount -= 1
    if changes.mustWait(piece, entry.pointee.hash, number) { return }
    pieces.giveBack(block)
  }

  private func unlink(_ block: BlockNumber, _ entry: UnsafeMutablePointer<KeyEntry>) {
    let older = piece(block).pointee.older
    if entry.pointee.newest == block {
      entry.pointee.newest = older
      return
    }
    var newer = entry.pointee.newest
    while !newer.isNone, piece(newer).pointee.older != block { newer = piece(newer).pointee.older }
    if !newer.isNone { piece(newer).pointee.older = older }
  }

  /// Takes a key out that has no piece any more.
  func remove(_ block: BlockNumber) {
    let entry = entry(block)
    slots.remove(entry.pointee.hash, block)
    evidence.free(entry)
    cells.destroy(entry: entry)
    if changes.mustWait(entry) { return }
    entries.giveBack(block)
  }
}
