/// Bytes that are not what they should be.
public struct DamagedBytes: Error, Sendable, Hashable {
  /// What is wrong with them.
  public let problem: String

  /// Bytes with which this is wrong.
  public init(_ problem: String) { self.problem = problem }
}

/// Reads what `ByteWriter` wrote, from bytes that may be anything: it never reads beyond them and never traps.
public struct ByteReader {
  /// Counts beyond this are damage; adding to them never overflows.
  public static let countMax = 1 << 53

  @usableFromInline let bytes: UnsafeRawBufferPointer
  @usableFromInline var place = 0

  /// Reads these bytes from their beginning; they have to stand as long as anything that is read from them.
  @inlinable
  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// How many bytes were read.
  @inlinable public var position: Int { place }
  /// How many bytes are left.
  @inlinable public var remaining: Int { bytes.count - place }

  /// One byte.
  @inlinable @inline(__always)
  public mutating func byte() throws(DamagedBytes) -> UInt8 {
    guard place < bytes.count else { throw DamagedBytes("it ends too early") }
    defer { place += 1 }
    return bytes[place]
  }

  /// A byte that is 0 or 1.
  @inlinable
  public mutating func flag() throws(DamagedBytes) -> Bool {
    let value = try byte()
    guard value <= 1 else { throw DamagedBytes("a flag is \(value)") }
    return value == 1
  }

  /// A number of fixed size, little-endian.
  @inlinable
  public mutating func fixed<Number: FixedWidthInteger>(
    as _: Number.Type = Int64.self
  ) throws(DamagedBytes) -> Number {
    let size = MemoryLayout<Number>.size
    guard remaining >= size else { throw DamagedBytes("it ends too early") }
    defer { place += size }
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Number.self))
  }

  /// LEB128: base 128, lowest digits first; each byte but the last has its highest bit set.
  @inlinable @inline(__always)
  public mutating func number<Number: FixedWidthInteger & UnsignedInteger>(
    as _: Number.Type = UInt64.self
  ) throws(DamagedBytes) -> Number {
    let first = try byte()
    return first < 0x80 ? Number(truncatingIfNeeded: first) : try longNumber(first)
  }

  @inlinable
  mutating func longNumber<Number: FixedWidthInteger & UnsignedInteger>(
    _ first: UInt8
  ) throws(DamagedBytes) -> Number {
    var value = Number(truncatingIfNeeded: first & 0x7F)
    var shift = 7
    while shift < Number.bitWidth {
      let next = try byte()
      let free = Number.bitWidth - shift
      guard free >= 8 || next < UInt8(1) << UInt8(free) else { throw DamagedBytes("a number is too large") }
      value |= Number(truncatingIfNeeded: next & 0x7F) &<< Number(truncatingIfNeeded: shift)
      if next < 0x80 { return value }
      shift += 7
    }
    throw DamagedBytes("a number is too long")
  }

  /// LEB128 of the zigzag: 0, -1, 1, -2, … as 0, 1, 2, 3, ….
  @inlinable @inline(__always)
  public mutating func signed<Number: FixedWidthInteger & SignedInteger>(
    as _: Number.Type = Int64.self
  ) throws(DamagedBytes) -> Number {
    let zigzag = try number(as: Number.Magnitude.self)
    return Number(truncatingIfNeeded: zigzag &>> 1) ^ (0 &- Number(truncatingIfNeeded: zigzag & 1))
  }

  /// A number of things, as LEB128.
  @inlinable
  public mutating func count(upTo limit: Int = ByteReader.countMax) throws(DamagedBytes) -> Int {
    let value = try number()
    guard value <= UInt64(truncatingIfNeeded: max(0, limit)) else {
      throw DamagedBytes("\(value) is more than a count can be")
    }
    return Int(truncatingIfNeeded: value)
  }

  /// So many bytes; they stand as long as what is read from.
  @inlinable
  public mutating func raw(_ count: Int) throws(DamagedBytes) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else { throw DamagedBytes("it ends too early") }
    defer { place += count }
    return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
  }

  /// Bytes with their count before them.
  @inlinable
  public mutating func run(upTo limit: Int = ByteReader.countMax) throws(DamagedBytes) -> UnsafeRawBufferPointer {
    try raw(try count(upTo: limit))
  }

  /// UTF-8 with its count of bytes before it.
  public mutating func text() throws(DamagedBytes) -> String {
    guard let text = String(validating: try run(), as: UTF8.self) else { throw DamagedBytes("a text is not UTF-8") }
    return text
  }

  /// A flag, and where it is set what it stands for.
  @inlinable
  public mutating func optional<Value>(
    _ read: (inout ByteReader) throws(DamagedBytes) -> Value
  ) throws(DamagedBytes) -> Value? {
    try flag() ? try read(&self) : nil
  }

  /// A count, and so many elements, each of which has a byte at least.
  @inlinable
  public mutating func list<Element>(
    _ read: (inout ByteReader) throws(DamagedBytes) -> Element
  ) throws(DamagedBytes) -> [Element] {
    var values: [Element] = []
    for _ in 0..<(try count(upTo: remaining)) { values.append(try read(&self)) }
    return values
  }

  /// Nothing may follow.
  @inlinable
  public func end() throws(DamagedBytes) {
    guard remaining == 0 else { throw DamagedBytes("\(remaining) bytes too many") }
  }
}
