internal import Events

extension KeyedWindows {
  /// Records for the next cut, at most.
  var changeCount: Int { changes.isTracking ? changes.count : pieceCount + keyCount }

  @inline(__always)
  func noteEvidence(_ block: BlockNumber) {
    let entry = entry(block)
    if entry.pointee.changes.contains(.isNoted) { return }
    entry.pointee.changes.insert(.isNoted)
    changes.note(entry: block)
  }

  // MARK: Cutting

  /// Adds what changed since the last cut; the first time, everything.
  func cut(into cutter: inout StateCutter, _ cells: AggregateCells) {
    for piece in changes.gonePieces { cutter.remove(.piece, piece.hash, piece.number) }
    for hash in changes.goneEvidence { cutter.remove(.evidence, hash) }
    if changes.isTracking {
      for block in changes.pieces {
        if piece(block).pointee.changes.contains(.isGone) {
          pieces.giveBack(block)
        } else {
          cut(piece(block), into: &cutter, cells)
        }
      }
      for block in changes.entries {
        if entry(block).pointee.changes.contains(.isGone) {
          entries.giveBack(block)
        } else {
          cutEvidence(entry(block), into: &cutter)
        }
      }
    } else {
      forEachEntry { entry in
        forEachPiece(entry) { cut($0, into: &cutter, cells) }
        cutEvidence(entry, into: &cutter)
      }
    }
    changes.removeAll()
    changes.isTracking = true
  }

  private func cut(
    _ piece: UnsafeMutablePointer<WindowPiece>, into cutter: inout StateCutter, _ cells: AggregateCells
  ) {
    piece.pointee.changes = .isSaved
    cutter.put(.piece, entry(of: piece).pointee.hash, number(of: piece)) { writer in
      writer.fixed(piece.pointee.firstTime)
      writer.count(piece.pointee.eventCount)
      cells.write(piece, to: &writer)
    }
  }

  private func cutEvidence(_ entry: UnsafeMutablePointer<KeyEntry>, into cutter: inout StateCutter) {
    entry.pointee.changes.remove(.isNoted)
    guard entry.pointee.evidenceCount > 0 else { return }
    entry.pointee.changes = .isSaved
    cutter.put(.evidence, entry.pointee.hash) { evidence.write(entry, to: &$0) }
  }

  /// Adds a tombstone for each record that a cut has told.
  func cutRemoval(into cutter: inout StateCutter) {
    for piece in changes.gonePieces { cutter.remove(.piece, piece.hash, piece.number) }
    for hash in changes.goneEvidence { cutter.remove(.evidence, hash) }
    forEachEntry { entry in
      forEachPiece(entry) { piece in
        if piece.pointee.changes.contains(.isSaved) { cutter.remove(.piece, entry.pointee.hash, number(of: piece)) }
      }
      if entry.pointee.changes.contains(.isSaved) { cutter.remove(.evidence, entry.pointee.hash) }
    }
  }

  // MARK: Restoring

  /// Takes in what a key has in a piece of time, whatever it had; nil: nothing any more.
  func restorePiece(
    _ hash: KeyHash, _ number: Int64, _ value: UnsafeRawBufferPointer?, _ cells: AggregateCells
  ) throws(DamagedBytes) {
    beginRestore()
    let known = find(hash, number: number)
    guard let value else {
      if !known.isNone { forget(known) }
      return
    }
    var reader = ByteReader(value)
    let firstTime = try reader.fixed()
    let eventCount = Int64(try reader.count())
    guard eventCount > 0 else { throw DamagedBytes("a piece of time holds no event") }
    guard grid.range(firstTime).high == number else { throw DamagedBytes("\(firstTime) is not in piece \(number)") }
    if !known.isNone { forget(known) }
    let piece = piece(hash, number: number)
    piece.pointee.firstTime = firstTime
    piece.pointee.eventCount = eventCount
    try cells.read(&reader, into: piece)
    try reader.end()
    piece.pointee.changes = .isSaved
  }

  /// Takes in the events that a key keeps as evidence, whatever it had.
  func restoreEvidence(_ hash: KeyHash, _ value: UnsafeRawBufferPointer?, limit: Int) throws(DamagedBytes) {
    beginRestore()
    guard let value else {
      guard let entry = find(hash) else { return }
      evidence.free(entry)
      entry.pointee.changes = []
      return
    }
    let entry = entry(entryBlock(hash))
    var reader = ByteReader(value)
    try evidence.read(&reader, into: entry, limit: limit)
    try reader.end()
    entry.pointee.changes = .isSaved
  }

  /// Nothing that is read back is a change.
  private func beginRestore() {
    changes.isRestoring = true
    changes.isTracking = false
  }

  private func forget(_ block: BlockNumber) {
    piece(block).pointee.changes = []
    drop(block)
  }

  /// All records are there: links pieces by number, drops keys of which nothing but evidence is left, and what the watermark
  /// has passed. Returns how many pieces that were.
  func finishRestore(watermark: Int64) -> Int {
    changes.isRestoring = false
    changes.isTracking = true
    var empty: [BlockNumber] = []
    forEachEntryBlock { block in
      let entry = entry(block)
      entry.pointee.changes.remove(.isNoted)
      if entry.pointee.newest.isNone { empty.append(block) }
      var next = entry.pointee.newest
      while !next.isNone {
        link(next)
        next = piece(next).pointee.older
      }
    }
    for block in empty { remove(block) }
    dropEmptyGenerations()
    let before = pieceCount
    expire(watermark: watermark)
    return before - pieceCount
  }

  // MARK: Changed rules

  /// The rule now keeps so many events of a key.
  func trimEvidence(limit: Int, from before: Int) {
    guard limit < before else { return }
    forEachEntry { evidence.trim($0, limit: limit) }
  }
}
