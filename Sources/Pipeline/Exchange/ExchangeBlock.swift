internal import Events

/// A block of events on their way through an exchange, or only the news of how far their partition has come.
///
/// The layout is in `docs/exchange-format.md`; it is little-endian, and counts are LEB128.
enum ExchangeBlock {
  /// Most events of a block.
  static let rowLimit = 1_024
  /// Most columns of a block: that of a source's fields.
  static let columnLimit = 1_024
  /// The beginning of each block: three letters and the format's version.
  static let magic: [UInt8] = [0x54, 0x58, 0x42, 1]
  /// Where what the checksum covers begins.
  static let bodyStart = 12

  private static let hasher = KeyHasher(seed: KeyHasher.fixedSeed("tocsin exchange block"))

  /// Not the CRC-32C of the state topic: it is worked out at both ends for every event, and nearly four times as fast.
  static func checksum(_ body: UnsafeBufferPointer<UInt8>) -> UInt64 { hasher.hash(body).low }

  /// What a block says besides its events.
  struct Header: Hashable, Sendable {
    /// The partition of the source that the events come from.
    var source: Int32
    /// How many partitions the source has.
    var sourceCount: Int
    /// The partition's watermark after the block, in nanoseconds since 1970; `Int64.min`: it has none yet.
    var watermark: Int64
    /// Whether the partition holds nobody back from now on, until its next block.
    var isIdle = false
    /// The version of the pipeline file that the events were filtered by.
    var version: String
  }

  /// What is wrong with the bytes of a block.
  enum Damage: Error, Hashable, Sendable, CustomStringConvertible {
    case notABlock
    case unknownVersion(UInt8)
    case checksum
    case truncated
    case malformed(String)

    var description: String {
      switch self {
      case .notABlock: "it is not a block of an exchange"
      case .unknownVersion(let version):
        "its format version is \(version), and this program reads \(ExchangeBlock.magic[3]): a newer program wrote it"
      case .checksum: "its checksum does not match"
      case .truncated: "it is cut off"
      case .malformed(let what): "it is malformed: \(what)"
      }
    }
  }

  /// Tags of column types.
  static func tag(_ type: ColumnType) -> [UInt8] {
    switch type {
    case .int: [0]
    case .uint: [1]
    case .double: [2]
    case .bool: [3]
    case .decimal(let scale): [4, UInt8(clamping: scale)]
    case .timestamp: [5]
    case .duration: [6]
    case .string: [7]
    case .bytes: [8]
    case .list(let element): [9] + tag(element)
    }
  }

  static func type(_ reader: inout ByteReader, depth: Int = 0) throws(DamagedBytes) -> ColumnType? {
    switch try reader.byte() {
    case 0: return .int
    case 1: return .uint
    case 2: return .double
    case 3: return .bool
    case 4: return .decimal(scale: Int(try reader.byte()))
    case 5: return .timestamp
    case 6: return .duration
    case 7: return .string
    case 8: return .bytes
    case 9: return depth < 8 ? try type(&reader, depth: depth + 1).map { .list($0) } : nil
    default: return nil
    }
  }
}
