internal import Events

/// The pieces that each row of a segment looks at, newest first, found once for all aggregates of the rule. One of these
/// serves all rules of a partition in turn.
final class WindowMembers {
  private var pieces: UnsafeMutablePointer<UnsafeMutablePointer<WindowPiece>>
  private var capacity = 1_024
  private var count = 0
  /// By place in the segment, where its pieces begin; one more at the end.
  private let starts: UnsafeMutablePointer<Int>

  /// - Parameter rows: most rows of a segment.
  init(rows: Int) {
    pieces = .allocate(capacity: capacity)
    starts = .allocate(capacity: rows + 1)
    starts[0] = 0
  }

  deinit {
    pieces.deallocate()
    starts.deallocate()
  }

  /// The pieces of the row at a place.
  @inline(__always)
  subscript(index: Int) -> UnsafeBufferPointer<UnsafeMutablePointer<WindowPiece>> {
    UnsafeBufferPointer(start: pieces + starts[index], count: starts[index + 1] - starts[index])
  }

  /// Finds the pieces of all rows of a segment.
  func fill(_ segment: WindowSegment) {
    count = 0
    for index in 0..<segment.rows.count {
      segment.windows.forEachPiece(beside: segment.pieces[index], in: segment.ranges[index]) { piece in
        if count == capacity { grow() }
        pieces[count] = piece
        count += 1
      }
      starts[index + 1] = count
    }
  }

  @inline(never)
  private func grow() {
    let more = UnsafeMutablePointer<UnsafeMutablePointer<WindowPiece>>.allocate(capacity: 2 * capacity)
    more.update(from: pieces, count: count)
    pieces.deallocate()
    pieces = more
    capacity *= 2
  }
}
