internal import Events
internal import Expressions

/// What a window rule's state takes in memory, from the layout that it really has.
public struct StateLayout: Sendable, Hashable {
  /// Bytes of a key: its place in the table, its entry, and what aggregates keep once a key.
  public var keyBytes: Int
  /// Bytes of a granule or window of a key in which there are events.
  public var pieceBytes: Int
  /// Most granules that the window of an event touches; 1 for windows that are kept as one piece.
  public var pieces: Int
  /// Bytes of an event that is kept as evidence.
  public var evidenceBytes: Int
  /// Most events that a key keeps as evidence.
  public var evidence: Int
  /// Whether aggregates keep more outside (different values of `count_distinct`, texts), which depends on the events.
  public var isOpen: Bool

  /// The layout of a rule's state; nil for a rule without a window.
  public init?(_ rule: RulePlan) {
    guard case .window(let window) = rule.kind else { return nil }
    let spansPieces = WindowGrid(window.span).trailing > 0
    let kernels = window.aggregates.map { AggregateKernel.make($0, spansPieces: spansPieces, capacity: 1) }
    let cells = AggregateCells(kernels)
    keyBytes = KeyedWindows.slotBytes + KeyEntry.headerSize + cells.entrySize
    pieceBytes = WindowPiece.headerSize + cells.pieceSize
    evidenceBytes = MemoryLayout<EvidenceNode>.stride
    evidence = max(0, rule.evidenceLimit - 1)
    isOpen = window.aggregates.contains { call in
      call.function == .countDistinct || call.resultType == .string || call.resultType == .bytes
    }
    if case .trailing(let span, let granule) = window.span {
      pieces = Int(clamping: (span + granule - 1) / granule + 1)
    } else {
      pieces = 1
    }
  }

  /// Bytes of so many keys, each with so many granules or windows and events of evidence.
  public func bytes(keys: Int, pieces: Int, evidence: Int) -> Int {
    let (bytes, overflow) = keys.multipliedReportingOverflow(
      by: keyBytes + pieces * pieceBytes + min(evidence, self.evidence) * evidenceBytes)
    return overflow ? .max : bytes
  }
}
