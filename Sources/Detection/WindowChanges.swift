internal import Events

/// How a block of window state stands to the cuts of state.
struct ChangeFlags: OptionSet {
  let rawValue: UInt8
  /// It stands in the list of what changed, or need not, because nothing was cut yet.
  static let isNoted = ChangeFlags(rawValue: 1)
  /// A cut has told it: when it goes, one must tell that too.
  static let isSaved = ChangeFlags(rawValue: 2)
  /// It is gone, but still stands in the list.
  static let isGone = ChangeFlags(rawValue: 4)
}

/// What changed in the windows of a rule since the last cut. Before the first cut, which tells everything, nothing is noted,
/// so that whoever never cuts pays nothing.
final class WindowChanges {
  /// Something was cut, or read back.
  var isTracking = false
  /// Records come in, in any order: pieces are not linked by their number yet.
  var isRestoring = false
  /// Pieces that are new or changed, and keys whose evidence did. Those that have gone stay until the next cut.
  private(set) var pieces: [BlockNumber] = []
  private(set) var entries: [BlockNumber] = []
  /// What has gone and a cut had told.
  private(set) var gonePieces: [(hash: KeyHash, number: Int64)] = []
  private(set) var goneEvidence: [KeyHash] = []

  /// An entry is noted once it has evidence.
  var flagsOfNewEntry: ChangeFlags { isTracking ? [] : .isNoted }

  func note(piece: BlockNumber) {
    if isTracking { pieces.append(piece) }
  }

  func note(entry: BlockNumber) {
    if isTracking { entries.append(entry) }
  }

  /// A piece goes; whether its block must stay until the next cut.
  func mustWait(_ piece: UnsafeMutablePointer<WindowPiece>, _ hash: KeyHash, _ number: Int64) -> Bool {
    if piece.pointee.changes.contains(.isSaved) { gonePieces.append((hash, number)) }
    guard isTracking, piece.pointee.changes.contains(.isNoted) else { return false }
    piece.pointee.changes.insert(.isGone)
    return true
  }

  /// As much for an entry.
  func mustWait(_ entry: UnsafeMutablePointer<KeyEntry>) -> Bool {
    if entry.pointee.changes.contains(.isSaved) { goneEvidence.append(entry.pointee.hash) }
    guard isTracking, entry.pointee.changes.contains(.isNoted) else { return false }
    entry.pointee.changes.insert(.isGone)
    return true
  }

  /// Records for the next cut, at most.
  var count: Int { pieces.count + entries.count + gonePieces.count + goneEvidence.count }

  /// Forgets what a cut has told.
  func removeAll() {
    pieces.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
    gonePieces = []
    goneEvidence = []
  }

  /// Where there are no cuts for long, what came and went between two must not pile up.
  func sweep(_ windows: KeyedWindows) {
    if pieces.count > 2 * windows.pieceCount + 1_024 {
      var kept = pieces
      kept.removeAll { block in
        guard windows.piece(block).pointee.changes.contains(.isGone) else { return false }
        windows.pieces.giveBack(block)
        return true
      }
      pieces = kept
    }
    if entries.count > 2 * windows.keyCount + 1_024 {
      var kept = entries
      kept.removeAll { block in
        guard windows.entry(block).pointee.changes.contains(.isGone) else { return false }
        windows.entries.giveBack(block)
        return true
      }
      entries = kept
    }
  }
}
