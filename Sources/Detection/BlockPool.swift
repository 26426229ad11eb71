/// Memory for blocks of one size, in chunks that never move; a block that is given back is used again.
final class BlockPool {
  /// Bytes of one block, a multiple of 16.
  let blockSize: Int
  /// Blocks in use.
  private(set) var count = 0
  private let blocksInChunk: Int
  private var chunks: [UnsafeMutableRawPointer] = []
  private var unused: UnsafeMutableRawPointer?
  private var fresh = 0

  init(blockSize: Int) {
    self.blockSize = max(16, (blockSize + 15) & ~15)
    blocksInChunk = max(16, (1 << 16) / self.blockSize)
  }

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// A block whose bytes are not set.
  func take() -> UnsafeMutableRawPointer {
    count += 1
    if let block = unused {
      unused = block.load(as: UnsafeMutableRawPointer?.self)
      return block
    }
    if chunks.isEmpty || fresh == blocksInChunk {
      chunks.append(.allocate(byteCount: blockSize * blocksInChunk, alignment: 16))
      fresh = 0
    }
    defer { fresh += 1 }
    return chunks[chunks.count - 1] + fresh * blockSize
  }

  func giveBack(_ block: UnsafeMutableRawPointer) {
    count -= 1
    block.storeBytes(of: unused, as: UnsafeMutableRawPointer?.self)
    unused = block
  }

  /// Bytes in use: what is accounted, whatever lies in reserve.
  var byteCount: Int { count * blockSize }
}
