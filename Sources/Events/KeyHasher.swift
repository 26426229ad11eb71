/// Makes 128-bit seeded hashes of keys: two lanes of folded 64×64→128-bit multiplications over the bytes. Equal bytes and
/// an equal seed give an equal hash on any machine. It keeps outsiders from choosing colliding keys as long as they do not
/// know the seed; it is no cryptographic hash.
public struct KeyHasher: Sendable {
  /// What the hashes start from.
  public let seed: HashSeed

  /// A hasher whose hashes start from this seed.
  public init(seed: HashSeed) { self.seed = seed }

  /// A seed that is the same on every machine, made from a name: for sketches, whose estimates must not differ between
  /// one run and the next.
  public static func fixedSeed(_ name: String) -> HashSeed {
    let start = KeyHasher(seed: HashSeed(first: 0x9E37_79B9_7F4A_7C15, second: 0xC2B2_AE3D_27D4_EB4F))
    var name = name
    let hash = name.withUTF8 { start.hash($0) }
    return HashSeed(first: hash.low, second: hash.high)
  }

  /// The hash of one run of bytes.
  @inlinable
  public func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> KeyHash {
    var state = State(seed)
    state.mix(bytes.baseAddress, bytes.count)
    return state.finish()
  }

  /// The hash of one row's key: its cells in order, each with its length, so that ("ab", "c") and ("a", "bc") differ.
  /// Every cell must be a value.
  public func hash(_ columns: [Column], row: Int) -> KeyHash {
    var state = State(seed)
    for column in columns { state.mix(column, row) }
    return state.finish()
  }

  /// As `hash(_:row:)` for all selected rows, into `hashes` by row. Rows with a cell that is no value get a hash that
  /// means nothing.
  public func hash(_ columns: [Column], rows: Selection, into hashes: UnsafeMutablePointer<KeyHash>) {
    let indices = rows.rows
    if columns.count == 1, columns[0].type.isText {
      let views = columns[0].views
      let states = columns[0].states
      for index in 0..<rows.count {
        let row = Int(indices[index])
        guard states[row] == CellState.value.rawValue else { continue }
        hashes[row] = hash(views[row].buffer)
      }
      return
    }
    for index in 0..<rows.count {
      let row = Int(indices[index])
      guard columns.allSatisfy({ $0.states[row] == CellState.value.rawValue }) else { continue }
      hashes[row] = hash(columns, row: row)
    }
  }
}

extension KeyHasher {
  /// The running hash of a key.
  @usableFromInline
  struct State {
    @usableFromInline var low: UInt64
    @usableFromInline var high: UInt64

    @inlinable
    init(_ seed: HashSeed) {
      low = seed.first ^ 0xA076_1D64_78BD_642F
      high = seed.second ^ 0xE703_7ED1_A0B4_28DB
    }

    @inlinable
    mutating func mix(_ first: UInt64, _ second: UInt64) {
      let a = (low ^ first).multipliedFullWidth(by: second ^ 0x8EBC_6AF0_9C88_C6E3)
      let b = (high ^ second).multipliedFullWidth(by: first ^ 0x5899_65CC_7537_4CC3)
      low = a.high ^ a.low ^ (high &+ first)
      high = b.high ^ b.low ^ ((low << 29 | low >> 35) &+ second)
    }

    @inlinable
    mutating func mix(_ start: UnsafePointer<UInt8>?, _ count: Int) {
      var index = 0
      if let start {
        let raw = UnsafeRawPointer(start)
        while index + 16 <= count {
          mix(
            raw.loadUnaligned(fromByteOffset: index, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self))
          index += 16
        }
        if index < count {
          let tail = Self.tail(raw + index, count - index)
          mix(tail.0, tail.1)
        }
      }
      mix(UInt64(truncatingIfNeeded: count), 0x1D8E_4E27_C47D_124F)
    }

    /// The last 1 to 15 bytes, zero-filled; the length that is mixed in after them keeps them apart.
    @inlinable
    static func tail(_ start: UnsafeRawPointer, _ count: Int) -> (UInt64, UInt64) {
      func read(_ offset: Int, _ count: Int) -> UInt64 {
        if count >= 8 { return start.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var index = offset
        if count >= 4 {
          value = UInt64(start.loadUnaligned(fromByteOffset: index, as: UInt32.self))
          shift = 32
          index += 4
        }
        while index < offset + count {
          value |= UInt64(start.load(fromByteOffset: index, as: UInt8.self)) << shift
          shift += 8
          index += 1
        }
        return value
      }
      return count <= 8 ? (read(0, count), 0) : (read(0, 8), read(8, count - 8))
    }

    @usableFromInline
    mutating func mix(_ column: Column, _ row: Int) {
      switch column.type {
      case .string, .bytes: mix(column.views[row].start, column.views[row].count)
      case .bool: mix(column.bools[row] ? 1 : 0, 1)
      case .double:
        // 0.0 and -0.0 are one key.
        let value = column.doubles[row]
        mix(value == 0 ? 0 : value.bitPattern, 8)
      case .int, .uint, .timestamp, .duration: mix(UInt64(bitPattern: column.ints[row]), 8)
      case .decimal:
        let value = UInt128(bitPattern: column.decimals[row])
        mix(UInt64(truncatingIfNeeded: value), UInt64(truncatingIfNeeded: value >> 64))
      case .list(let element):
        let list = column.lists[row]
        mixList(list, element)
      }
    }

    private mutating func mixList(_ list: ListView, _ element: ColumnType) {
      guard let start = list.start else { return mix(0, 16) }
      if element.isText {
        let views = start.assumingMemoryBound(to: BytesView.self)
        for index in 0..<list.count { mix(views[index].start, views[index].count) }
      } else {
        mix(start.assumingMemoryBound(to: UInt8.self), list.count * element.stride)
      }
      mix(UInt64(truncatingIfNeeded: list.count), 16)
    }

    @inlinable
    mutating func finish() -> KeyHash {
      mix(high, low)
      return KeyHash(low: low, high: high)
    }
  }
}

extension ColumnType {
  /// Whether cells are `BytesView`s.
  @inlinable
  public var isText: Bool {
    switch self {
    case .string, .bytes: true
    default: false
    }
  }
}
