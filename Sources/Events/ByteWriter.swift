/// Appends values to bytes, as `ByteReader` reads them.
public struct ByteWriter: Sendable {
  /// What was written.
  public var bytes: [UInt8] = []

  /// Nothing is written yet.
  @inlinable
  public init() {}

  /// Forgets what was written, and keeps its memory.
  @inlinable
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// One byte.
  @inlinable
  public mutating func byte(_ value: UInt8) { bytes.append(value) }

  /// A byte that is 0 or 1.
  @inlinable
  public mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

  /// A number of fixed size, little-endian.
  @inlinable
  public mutating func fixed<Number: FixedWidthInteger>(_ value: Number) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// LEB128: base 128, lowest digits first; each byte but the last has its highest bit set.
  @inlinable @inline(__always)
  public mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// LEB128 of the zigzag: 0, -1, 1, -2, … as 0, 1, 2, 3, …. A number has the same bytes whatever type it is of.
  @inlinable @inline(__always)
  public mutating func signed<Number: FixedWidthInteger & SignedInteger>(_ value: Number) {
    number(Number.Magnitude(truncatingIfNeeded: (value &<< 1) ^ (value &>> Number(Number.bitWidth - 1))))
  }

  /// A number of things; what is negative, which no number of things is, is written as 0.
  @inlinable
  public mutating func count(_ value: some FixedWidthInteger) { number(UInt64(clamping: value)) }

  /// Bytes as they are.
  @inlinable
  public mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

  /// Bytes with their count before them.
  @inlinable
  public mutating func run(_ value: some Collection<UInt8>) {
    count(value.count)
    bytes.append(contentsOf: value)
  }

  /// UTF-8 with its count of bytes before it.
  @inlinable
  public mutating func text(_ value: String) { run(value.utf8) }

  /// A flag, and where it is set the value.
  @inlinable
  public mutating func optional<Value>(_ value: Value?, _ write: (inout ByteWriter, Value) -> Void) {
    flag(value != nil)
    if let value { write(&self, value) }
  }

  /// A count, and so many elements.
  @inlinable
  public mutating func list<Element>(_ values: [Element], _ write: (inout ByteWriter, Element) -> Void) {
    count(values.count)
    for value in values { write(&self, value) }
  }
}
