/// CRC-32C (Castagnoli, as in RFC 3720 and in Kafka's own record batches): finds damage, proves no origin.
struct CRC32C {
  private var state: UInt32 = 0xFFFF_FFFF

  /// The checksum of all that was added.
  var value: UInt32 { ~state }

  /// Takes bytes in, eight at a time.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var crc = state
    Self.tables.withUnsafeBufferPointer { tables in
      var index = 0
      while index + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ UInt64(crc)
        crc = 0
        for byte in 0..<8 {
          crc ^= tables[(7 - byte) << 8 | Int(truncatingIfNeeded: word >> (8 * UInt64(byte)) & 0xFF)]
        }
        index += 8
      }
      while index < bytes.count {
        crc = tables[Int((crc ^ UInt32(bytes[index])) & 0xFF)] ^ crc >> 8
        index += 1
      }
    }
    state = crc
  }

  /// Takes bytes in.
  mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

  /// For each byte and each distance from the end of a word, what it does to the checksum.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 << 8)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? 0x82F6_3B78 ^ crc >> 1 : crc >> 1 }
      tables[byte] = crc
    }
    for table in 1..<8 {
      for byte in 0..<256 {
        let before = tables[(table - 1) << 8 | byte]
        tables[table << 8 | byte] = tables[Int(before & 0xFF)] ^ before >> 8
      }
    }
    return tables
  }()
}
