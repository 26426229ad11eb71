/// A block of a pool; `none` is no block. Half the size of a pointer, so that links between millions of blocks stay small.
struct BlockNumber: Hashable {
  let value: UInt32
  static let none = BlockNumber(value: 0)
  var isNone: Bool { value == 0 }
}

/// Where the blocks of a pool lie, until the pool grows.
struct BlockPlaces {
  fileprivate var chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
  fileprivate let shift: Int
  fileprivate let mask: Int
  fileprivate let blockSize: Int

  @inline(__always)
  subscript(block: BlockNumber) -> UnsafeMutableRawPointer {
    let place = Int(block.value)
    return chunks[place >> shift] + (place & mask) * blockSize
  }
}

/// Memory for blocks of one size, in chunks that never move; a block that is given back is used again. Blocks are known by
/// number, from 1.
final class BlockPool {
  /// Bytes of one block, a multiple of 8.
  let blockSize: Int
  /// Blocks in use.
  private(set) var count = 0
  private(set) var places: BlockPlaces
  private var chunkCount = 0
  private var chunkCapacity = 16
  /// The block that was given back last; each such block holds the number of the next.
  private var unused = BlockNumber.none
  private var fresh = 1

  init(blockSize: Int) {
    self.blockSize = max(8, (blockSize + 7) & ~7)
    // About 64 KiB a chunk.
    let shift = max(4, 16 - (Int.bitWidth - (self.blockSize - 1).leadingZeroBitCount))
    places = BlockPlaces(
      chunks: .allocate(capacity: chunkCapacity), shift: shift, mask: (1 << shift) - 1, blockSize: self.blockSize)
  }

  deinit {
    for index in 0..<chunkCount { places.chunks[index].deallocate() }
    places.chunks.deallocate()
  }

  @inline(__always)
  subscript(block: BlockNumber) -> UnsafeMutableRawPointer { places[block] }

  /// A block whose bytes are not set.
  func take() -> BlockNumber {
    count += 1
    if !unused.isNone {
      let block = unused
      unused = BlockNumber(value: self[block].load(as: UInt32.self))
      return block
    }
    precondition(fresh <= UInt32.max, "a rule's state holds at most 2^32 blocks")
    if fresh >> places.shift == chunkCount { addChunk() }
    defer { fresh += 1 }
    return BlockNumber(value: UInt32(fresh))
  }

  private func addChunk() {
    if chunkCount == chunkCapacity {
      let more = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: 2 * chunkCapacity)
      more.update(from: places.chunks, count: chunkCount)
      places.chunks.deallocate()
      places.chunks = more
      chunkCapacity *= 2
    }
    // Blocks of 64 bytes fill a cache line each.
    places.chunks[chunkCount] = .allocate(byteCount: blockSize << places.shift, alignment: 64)
    chunkCount += 1
  }

  func giveBack(_ block: BlockNumber) {
    count -= 1
    self[block].storeBytes(of: unused.value, as: UInt32.self)
    unused = block
  }

  /// Bytes in use: what is accounted, whatever lies in reserve.
  var byteCount: Int { count * blockSize }
}
