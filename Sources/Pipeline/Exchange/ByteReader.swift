/// Reads numbers and runs of bytes one after the other; what does not fit throws.
struct ByteReader {
  /// What does not fit.
  struct Truncated: Error {}

  let bytes: UnsafeBufferPointer<UInt8>
  private(set) var position: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  var remaining: Int { bytes.count - position }

  mutating func byte() throws(Truncated) -> UInt8 {
    guard position < bytes.count else { throw Truncated() }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func take(_ count: Int) throws(Truncated) -> UnsafeBufferPointer<UInt8> {
    guard count >= 0, count <= remaining else { throw Truncated() }
    defer { position += count }
    return UnsafeBufferPointer(rebasing: bytes[position..<(position + count)])
  }

  mutating func word() throws(Truncated) -> UInt64 {
    let run = try take(8)
    guard let base = run.baseAddress else { throw Truncated() }
    return UInt64(littleEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt64.self))
  }

  /// A number in base 128, lowest digits first; each byte but the last has its highest bit set.
  @inline(__always)
  mutating func varint() throws(Truncated) -> UInt64 {
    let first = try byte()
    if first < 0x80 { return UInt64(first) }
    return try longVarint(first)
  }

  private mutating func longVarint(_ first: UInt8) throws(Truncated) -> UInt64 {
    var value = UInt64(first & 0x7F)
    var shift: UInt64 = 7
    while shift < 64 {
      let next = try byte()
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
    }
    throw Truncated()
  }

  mutating func wideVarint() throws(Truncated) -> UInt128 {
    var value: UInt128 = 0
    var shift: UInt128 = 0
    while shift < 128 {
      let next = try byte()
      value |= UInt128(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
    }
    throw Truncated()
  }

  /// A count of things of which each takes at least one byte here, or none at all.
  mutating func count(upTo limit: Int) throws(Truncated) -> Int {
    let value = try varint()
    guard value <= UInt64(limit) else { throw Truncated() }
    return Int(value)
  }

  @inline(__always)
  mutating func signed() throws(Truncated) -> Int64 { try varint().unzigzagged }
}

/// Appends numbers and runs of bytes, as `ByteReader` reads them.
extension [UInt8] {
  @inline(__always)
  mutating func append(varint value: UInt64) {
    var value = value
    while value >= 0x80 {
      append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    append(UInt8(truncatingIfNeeded: value))
  }

  mutating func append(wideVarint value: UInt128) {
    var value = value
    while value >= 0x80 {
      append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    append(UInt8(truncatingIfNeeded: value))
  }

  @inline(__always)
  mutating func append(signed value: Int64) { append(varint: value.zigzagged) }

  mutating func append(word value: UInt64) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  mutating func append(text: String) {
    append(varint: UInt64(text.utf8.count))
    append(contentsOf: text.utf8)
  }
}

extension Int64 {
  /// Small numbers of either sign as small numbers.
  @inline(__always)
  var zigzagged: UInt64 { UInt64(bitPattern: (self << 1) ^ (self >> 63)) }
}

extension UInt64 {
  @inline(__always)
  var unzigzagged: Int64 { Int64(bitPattern: self >> 1) ^ -Int64(bitPattern: self & 1) }
}

extension Int128 {
  var zigzagged: UInt128 { UInt128(bitPattern: (self << 1) ^ (self >> 127)) }
}

extension UInt128 {
  var unzigzagged: Int128 { Int128(bitPattern: self >> 1) ^ -Int128(bitPattern: self & 1) }
}
