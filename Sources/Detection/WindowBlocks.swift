internal import Events

/// The state of one key: its pieces of time, newest first, and the events kept as evidence. Cells of the key itself follow.
/// Two fit into a cache line.
struct KeyEntry {
  var hash: KeyHash
  var newest = BlockNumber.none
  /// The newest of a ring: its `next` is the oldest.
  var evidence = BlockNumber.none
  var evidenceCount: UInt16 = 0
  var changes: ChangeFlags

  static let headerSize = (MemoryLayout<KeyEntry>.stride + 7) & ~7
  /// The cells that aggregates keep once a key.
  static func cells(_ entry: UnsafeMutablePointer<KeyEntry>) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(entry) + headerSize
  }
}

/// What one key has in one piece of time. Cells of the aggregates follow.
struct WindowPiece {
  /// The earliest event time in it.
  var firstTime = Int64.max
  /// The lower 8 bits are the flags.
  private var countAndFlags: UInt64 = 0
  /// Of all pieces of its number.
  let generation: GenerationNumber
  let entry: BlockNumber
  /// The next older piece of the key.
  var older: BlockNumber
  /// The next piece of the same number, of another key.
  var nextInGeneration = BlockNumber.none

  init(generation: GenerationNumber, entry: BlockNumber, older: BlockNumber) {
    self.generation = generation
    self.entry = entry
    self.older = older
  }

  var eventCount: Int64 {
    @inline(__always) get { Int64(countAndFlags >> 8) }
    @inline(__always) set { countAndFlags = UInt64(newValue) << 8 | countAndFlags & 0xFF }
  }

  var changes: ChangeFlags {
    @inline(__always) get { ChangeFlags(rawValue: UInt8(truncatingIfNeeded: countAndFlags)) }
    @inline(__always) set { countAndFlags = countAndFlags & ~0xFF | UInt64(newValue.rawValue) }
  }

  static let headerSize = (MemoryLayout<WindowPiece>.stride + 7) & ~7
  static func cells(_ piece: UnsafeMutablePointer<WindowPiece>) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(piece) + headerSize
  }
}

/// What initialises and tears down the cells that follow an entry and a piece.
protocol CellOwner: AnyObject {
  func initialize(piece: UnsafeMutablePointer<WindowPiece>)
  func initialize(entry: UnsafeMutablePointer<KeyEntry>)
  /// `number` is the piece's, `entry` its key's, which still stands.
  func destroy(piece: UnsafeMutablePointer<WindowPiece>, number: Int64, of entry: UnsafeMutablePointer<KeyEntry>)
  func destroy(entry: UnsafeMutablePointer<KeyEntry>)
  /// Bytes that cells hold elsewhere.
  var outsideByteCount: Int { get }
  /// Whether cells may hold memory elsewhere.
  var holdMemory: Bool { get }
}
