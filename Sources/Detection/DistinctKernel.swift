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

  override func destroy(
    piece: UnsafeMutablePointer<WindowPiece>, number: Int64, of entry: UnsafeMutablePointer<KeyEntry>
  ) {
    let set = cell(piece).assumingMemoryBound(to: DistinctSet.self)
    guard !set.pointee.isEmpty else { return }
    change(set) { $0.removeAll() }
    // The union may hold what it had: a window that still reaches so far must not find it there.
    let union = cell(entry).assumingMemoryBound(to: Union.self)
    guard union.pointee.isSet, number >= union.pointee.low else { return }
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
      if isTaken(row) { insert(hashes[row].low, segment, index) }
      results[row] = count(segment, index)
      output.column.states[row] = CellState.value.rawValue
    }
  }

  @inline(__always)
  private func set(_ piece: UnsafeMutablePointer<WindowPiece>) -> UnsafeMutablePointer<DistinctSet> {
    cell(piece).assumingMemoryBound(to: DistinctSet.self)
  }

  private func union(_ segment: WindowSegment, _ index: Int) -> UnsafeMutablePointer<Union> {
    cell(segment.windows.entry(of: segment.pieces[index])).assumingMemoryBound(to: Union.self)
  }

  private func insert(_ hash: UInt64, _ segment: WindowSegment, _ index: Int) {
    change(set(segment.pieces[index])) { $0.insert(hash) }
    let union = union(segment, index)
    let number = segment.ranges[index].high
    guard union.pointee.isSet, number >= union.pointee.low, number <= union.pointee.newest else { return }
    union.pointee.set.insert(hash)
    union.pointee.oldest = min(union.pointee.oldest, number)
  }

  private func count(_ segment: WindowSegment, _ index: Int) -> Int64 {
    let range = segment.ranges[index]
    let own = set(segment.pieces[index])
    if isAlone(segment, index) { return own.pointee.count }
    let union = union(segment, index)
    if union.pointee.isSet {
      if range.high < union.pointee.newest { return countAfresh(segment, index) }
      // What it covers below the window must be empty, and it must cover the whole window.
      if union.pointee.low <= range.low, union.pointee.oldest >= range.low {
        if range.high > union.pointee.newest {
          union.pointee.newest = range.high
          union.pointee.set.formUnion(own.pointee)
        }
        return union.pointee.set.count
      }
    }
    if hasNewer(segment, index) { return countAfresh(segment, index) }
    rebuild(union, segment, index)
    return union.pointee.set.count
  }

  /// The key's pieces that hold anything, newest first, down to the window's oldest; `body` says whether to go on.
  private func forEachFilled(
    _ segment: WindowSegment, _ index: Int, _ body: (UnsafeMutablePointer<WindowPiece>, Int64) -> Bool
  ) {
    let windows = segment.windows
    var next = windows.newest(windows.entry(of: segment.pieces[index]))
    while let found = next {
      let number = windows.number(of: found)
      if number < segment.ranges[index].low { return }
      if !set(found).pointee.isEmpty, !body(found, number) { return }
      next = windows.older(found)
    }
  }

  /// Whether a piece beyond the window holds anything: a union is kept for the key's newest window only, or later events
  /// would miss what lies between.
  private func hasNewer(_ segment: WindowSegment, _ index: Int) -> Bool {
    var isFound = false
    forEachFilled(segment, index) { _, number in
      isFound = number > segment.ranges[index].high
      return false
    }
    return isFound
  }

  /// Whether no other piece of the window holds anything.
  private func isAlone(_ segment: WindowSegment, _ index: Int) -> Bool {
    let range = segment.ranges[index]
    if range.low == range.high { return true }
    var isAlone = true
    forEachFilled(segment, index) { found, number in
      if found != segment.pieces[index], number <= range.high { isAlone = false }
      return isAlone
    }
    return isAlone
  }

  private func countAfresh(_ segment: WindowSegment, _ index: Int) -> Int64 {
    var set = DistinctSet()
    defer { set.removeAll() }
    forEachCell(segment, index) { set.formUnion($0.assumingMemoryBound(to: DistinctSet.self).pointee) }
    return set.count
  }

  private func rebuild(_ union: UnsafeMutablePointer<Union>, _ segment: WindowSegment, _ index: Int) {
    let range = segment.ranges[index]
    union.pointee.set.removeAll()
    union.pointee.isSet = true
    union.pointee.low = range.low
    union.pointee.newest = range.high
    union.pointee.oldest = range.high
    forEachFilled(segment, index) { found, number in
      guard number <= range.high else { return true }
      union.pointee.set.formUnion(set(found).pointee)
      union.pointee.oldest = number
      return true
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

  override func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    cell(piece).assumingMemoryBound(to: DistinctSet.self).pointee.write(to: &writer)
  }

  override func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
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
