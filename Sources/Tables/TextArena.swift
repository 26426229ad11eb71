import Events
import Glibc

/// The texts of a table's cells, in blocks that never move, so that a view of one stands as long as the arena does.
/// Texts that were seen lately are taken again: lists repeat their entities, categories and sources.
final class TextArena {
  private static let blockSize = 1 << 16
  private static let recentCount = 256

  private var blocks: [UnsafeMutablePointer<UInt8>] = []
  private var next: UnsafeMutablePointer<UInt8>?
  private var room = 0
  private var recent = [BytesView](repeating: .empty, count: TextArena.recentCount)
  private(set) var byteCount = 0

  deinit {
    for block in blocks { block.deallocate() }
  }

  func store(_ text: String) -> BytesView {
    var text = text
    return text.withUTF8 { store($0) }
  }

  private func store(_ bytes: UnsafeBufferPointer<UInt8>) -> BytesView {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return .empty }
    var hash: UInt32 = 2_166_136_261
    for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    let place = Int(hash % UInt32(Self.recentCount))
    let known = recent[place]
    if known.count == bytes.count, let start = known.start, memcmp(start, base, bytes.count) == 0 { return known }
    let start = allocate(bytes.count)
    start.initialize(from: base, count: bytes.count)
    recent[place] = BytesView(start: start, count: bytes.count)
    return recent[place]
  }

  private func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    if let start = next, count <= room {
      next = start + count
      room -= count
      return start
    }
    // A long text gets a block of its own and leaves the current block in use.
    let size = count > Self.blockSize / 4 ? count : Self.blockSize
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    blocks.append(block)
    byteCount += size
    if size == Self.blockSize {
      next = block + count
      room = size - count
    }
    return block
  }
}
