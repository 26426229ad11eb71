internal import Events
internal import Expressions

/// `count_distinct`. Each piece of time has the set of its values; a window of several pieces is their union, which the key
/// keeps as long as the window's newest piece is the newest that it has.
final class DistinctKernel: AggregateKernel {
  /// The union that a key keeps.
  private struct Union {
    var set: DistinctSet
    var isSet: Bool
    /// The pieces it covers, and the oldest of them that holds anything.
    var low: Int64
    var newest: Int64
    var oldest: Int64
  }

  private let hasher = KeyHasher(seed: KeyHasher.fixedSeed("count_distinct"))
  private let hashes: UnsafeMutablePointer<KeyHash>
  /// Bytes of the sets of pieces.
  private var held = 0
  private let spansPieces: Bool

  init(_ call: AggregateCall, spansPieces: Bool, capacity: Int) {
    self.spansPieces = spansPieces
    hashes = .allocate(capacity: max(capacity, 1))
    super.init(
      call, pieceSize: MemoryLayout<DistinctSet>.stride, entrySize: MemoryLayout<Union>.stride, capacity: capacity)
  }

  deinit { hashes.deallocate() }

  /// Where windows have several pieces, as much again for the unions: what they really hold depends on what was asked for,
  /// and a detector that has just read its state back must decide alike.
  override var outsideByteCount: Int { spansPieces ? 2 * held : held }

  override func initialize(piece: UnsafeMutableRawPointer) {
    piece.initializeMemory(as: DistinctSet.self, repeating: DistinctSet(), count: 1)
  }

  override func initialize(entry: UnsafeMutableRawPointer) {
    entry.initializeMemory(
      as: Union.self, repeating: Union(set: DistinctSet(), isSet: false, low: 0, newest: 0, oldest: 0), count: 1)
  }

  override func destroy(piece: UnsafeMutablePointer<WindowPiece>) {
    let set = cell(piece).assumingMemoryBound(to: DistinctSet.self)
    guard !set.pointee.isEmpty else { return }
    change(set) { $0.removeAll() }
    // The union may hold what it had: a window that still reaches so far must not find it there.
    let union = cell(piece.pointee.entry).assumingMemoryBound(to: Union.self)
    guard union.pointee.isSet, piece.pointee.number >= union.pointee.low else { return }
    union.pointee.isSet = false
    union.pointee.set.removeAll()
  }

  override func destroy(entry: UnsafeMutableRawPointer) {
    entry.assumingMemoryBound(to: Union.self).pointee.set.removeAll()
  }

  override func prepare(_ frame: Frame, rows: Selection) {
    super.prepare(frame, rows: rows)
    if let values { hasher.hash([values], rows: rows, into: hashes) }
  }

  override func run(_ segment: WindowSegment) {
    let results = output.column.ints
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      let range = segment.ranges[index]
      if isTaken(row) { insert(hashes[row].low, piece) }
      results[row] = count(piece, range)
      output.column.states[row] = CellState.value.rawValue
    }
  }

  private func insert(_ hash: UInt64, _ piece: UnsafeMutablePointer<WindowPiece>) {
    change(cell(piece).assumingMemoryBound(to: DistinctSet.self)) { $0.insert(hash) }
    let union = cell(piece.pointee.entry).assumingMemoryBound(to: Union.self)
    let number = piece.pointee.number
    guard union.pointee.isSet, number >= union.pointee.low, number <= union.pointee.newest else { return }
    union.pointee.set.insert(hash)
    union.pointee.oldest = min(union.pointee.oldest, number)
  }

  private func count(_ piece: UnsafeMutablePointer<WindowPiece>, _ range: WindowGrid.Range) -> Int64 {
    let entry = piece.pointee.entry
    let own = cell(piece).assumingMemoryBound(to: DistinctSet.self)
    if isAlone(piece, range) { return own.pointee.count }
    let union = cell(entry).assumingMemoryBound(to: Union.self)
    if union.pointee.isSet {
      if range.high < union.pointee.newest { return countAfresh(piece, range) }
      // What it covers below the window must be empty, and it must cover the whole window.
      if union.pointee.low <= range.low, union.pointee.oldest >= range.low {
        if range.high > union.pointee.newest {
          union.pointee.newest = range.high
          union.pointee.set.formUnion(own.pointee)
        }
        return union.pointee.set.count
      }
    }
    if hasNewer(entry, range.high) { return countAfresh(piece, range) }
    rebuild(union, piece, range)
    return union.pointee.set.count
  }

  /// Whether a piece beyond that one holds anything: a union is kept for the key's newest window only, or later events would
  /// miss what lies between.
  private func hasNewer(_ entry: UnsafeMutablePointer<KeyEntry>, _ number: Int64) -> Bool {
    var next = entry.pointee.newest
    while let found = next, found.pointee.number > number {
      if !cell(found).assumingMemoryBound(to: DistinctSet.self).pointee.isEmpty { return true }
      next = found.pointee.older
    }
    return false
  }

  /// Whether no other piece of the window holds anything.
  private func isAlone(_ piece: UnsafeMutablePointer<WindowPiece>, _ range: WindowGrid.Range) -> Bool {
    if range.low == range.high { return true }
    var next = piece.pointee.entry.pointee.newest
    while let found = next, found.pointee.number >= range.low {
      if found != piece, found.pointee.number <= range.high,
        !cell(found).assumingMemoryBound(to: DistinctSet.self).pointee.isEmpty
      {
        return false
      }
      next = found.pointee.older
    }
    return true
  }

  private func countAfresh(_ piece: UnsafeMutablePointer<WindowPiece>, _ range: WindowGrid.Range) -> Int64 {
    var set = DistinctSet()
    defer { set.removeAll() }
    forEachCell(piece, range) { set.formUnion($0.assumingMemoryBound(to: DistinctSet.self).pointee) }
    return set.count
  }

  private func rebuild(
    _ union: UnsafeMutablePointer<Union>, _ piece: UnsafeMutablePointer<WindowPiece>, _ range: WindowGrid.Range
  ) {
    union.pointee.set.removeAll()
    forEachCell(piece, range) {
      union.pointee.set.formUnion($0.assumingMemoryBound(to: DistinctSet.self).pointee)
    }
    union.pointee.isSet = true
    union.pointee.low = range.low
    union.pointee.newest = range.high
    union.pointee.oldest = range.high
    var next = piece.pointee.entry.pointee.newest
    while let found = next, found.pointee.number >= range.low {
      let isEmpty = cell(found).assumingMemoryBound(to: DistinctSet.self).pointee.isEmpty
      if found.pointee.number <= range.high, !isEmpty { union.pointee.oldest = found.pointee.number }
      next = found.pointee.older
    }
  }

  /// Changes a piece's set and keeps the account of what sets hold.
  @inline(__always)
  private func change(_ set: UnsafeMutablePointer<DistinctSet>, _ body: (inout DistinctSet) -> Void) {
    let before = set.pointee.byteCount
    body(&set.pointee)
    held += set.pointee.byteCount - before
  }

  // MARK: State

  override func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout StateWriter) {
    cell(piece).assumingMemoryBound(to: DistinctSet.self).pointee.write(to: &writer)
  }

  override func read(_ reader: inout StateReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(StateError) {
    let set = cell(piece).assumingMemoryBound(to: DistinctSet.self)
    let before = set.pointee.byteCount
    defer { held += set.pointee.byteCount - before }
    try set.pointee.read(&reader)
  }

  override func adopt(_ other: AggregateKernel) {
    guard let other = other as? DistinctKernel else { return }
    held = other.held
    other.held = 0
  }

  override var holdsMemory: Bool { true }
}
