internal import Expressions

/// The aggregates of one rule, with their cells laid out one after the other.
final class AggregateSet: CellOwner {
  let kernels: [AggregateKernel]
  let entryCells: Int
  let pieceCells: Int

  init(_ calls: [AggregateCall], capacity: Int) {
    kernels = calls.map { AggregateKernel.make($0, capacity: capacity) }
    var entryCells = 0
    var pieceCells = 0
    for kernel in kernels {
      kernel.pieceOffset = WindowPiece.headerSize + pieceCells
      kernel.entryOffset = KeyEntry.headerSize + entryCells
      pieceCells += kernel.pieceSize
      entryCells += kernel.entrySize
    }
    self.entryCells = entryCells
    self.pieceCells = pieceCells
  }

  func initialize(piece: UnsafeMutablePointer<WindowPiece>) {
    for kernel in kernels { kernel.initialize(piece: kernel.cell(piece)) }
  }

  func initialize(entry: UnsafeMutablePointer<KeyEntry>) {
    for kernel in kernels where kernel.entrySize > 0 { kernel.initialize(entry: kernel.cell(entry)) }
  }

  func destroy(piece: UnsafeMutablePointer<WindowPiece>) {
    for kernel in kernels { kernel.destroy(piece: kernel.cell(piece)) }
  }

  func destroy(entry: UnsafeMutablePointer<KeyEntry>) {
    for kernel in kernels where kernel.entrySize > 0 { kernel.destroy(entry: kernel.cell(entry)) }
  }

  var outsideByteCount: Int { kernels.reduce(0) { $0 + $1.outsideByteCount } }
}
