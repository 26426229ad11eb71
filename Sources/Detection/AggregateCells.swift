internal import Events

/// The cells of a rule's aggregates, as they follow one another behind the headers of entries and pieces.
final class AggregateCells: CellOwner {
  let kernels: [AggregateKernel]
  /// Bytes behind the header of an entry, and of a piece.
  let entrySize: Int
  let pieceSize: Int

  init(_ kernels: [AggregateKernel]) {
    var entrySize = 0
    var pieceSize = 0
    for kernel in kernels {
      kernel.pieceOffset = WindowPiece.headerSize + pieceSize
      kernel.entryOffset = KeyEntry.headerSize + entrySize
      pieceSize += kernel.pieceSize
      entrySize += kernel.entrySize
    }
    self.kernels = kernels
    self.entrySize = entrySize
    self.pieceSize = pieceSize
  }

  func initialize(piece: UnsafeMutablePointer<WindowPiece>) {
    for kernel in kernels { kernel.initialize(piece: kernel.cell(piece)) }
  }

  func initialize(entry: UnsafeMutablePointer<KeyEntry>) {
    for kernel in kernels where kernel.entrySize > 0 { kernel.initialize(entry: kernel.cell(entry)) }
  }

  func destroy(piece: UnsafeMutablePointer<WindowPiece>, number: Int64, of entry: UnsafeMutablePointer<KeyEntry>) {
    for kernel in kernels where kernel.holdsMemory { kernel.destroy(piece: piece, number: number, of: entry) }
  }

  func destroy(entry: UnsafeMutablePointer<KeyEntry>) {
    for kernel in kernels where kernel.entrySize > 0 { kernel.destroy(entry: kernel.cell(entry)) }
  }

  func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    for kernel in kernels { kernel.write(piece, to: &writer) }
  }

  func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
    for kernel in kernels { try kernel.read(&reader, into: piece) }
  }

  var holdMemory: Bool { kernels.contains { $0.holdsMemory } }

  /// Whether cells of the one are cells of the other.
  func areLike(_ other: AggregateCells) -> Bool {
    kernels.count == other.kernels.count && zip(kernels, other.kernels).allSatisfy { $0.isLike($1) }
  }

  /// Takes over what cells of the same aggregates hold elsewhere.
  func adopt(_ other: AggregateCells) {
    for (kernel, old) in zip(kernels, other.kernels) { kernel.adopt(old) }
  }

  var outsideByteCount: Int { kernels.reduce(0) { $0 + $1.outsideByteCount } }
}
