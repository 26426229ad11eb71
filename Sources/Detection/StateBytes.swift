/// Appends values to bytes: the one way in which state is written.
struct StateWriter {
  private(set) var bytes: [UInt8] = []

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  mutating func byte(_ value: UInt8) { bytes.append(value) }
  mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

  /// Eight bytes, little-endian.
  mutating func fixed(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
  mutating func fixed(_ value: Int64) { fixed(UInt64(bitPattern: value)) }

  /// LEB128.
  mutating func number(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  /// A count; what is negative, which no count is, is written as 0.
  mutating func count(_ value: Int64) { number(UInt64(max(0, value))) }
  mutating func count(_ value: Int) { count(Int64(value)) }

  /// LEB128 of the zigzag.
  mutating func signed(_ value: Int128) {
    var rest = UInt128(bitPattern: (value << 1) ^ (value >> 127))
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

  /// Bytes with their count before them.
  mutating func run(_ value: some Collection<UInt8>) {
    count(value.count)
    bytes.append(contentsOf: value)
  }

  mutating func text(_ value: String) { run(value.utf8) }

  mutating func optional<Value>(_ value: Value?, _ write: (inout StateWriter, Value) -> Void) {
    flag(value != nil)
    if let value { write(&self, value) }
  }

  mutating func list<Element>(_ values: [Element], _ write: (inout StateWriter, Element) -> Void) {
    count(values.count)
    for value in values { write(&self, value) }
  }
}

/// Reads values from bytes that may be anything: it never reads beyond them and never traps.
struct StateReader {
  /// Counts beyond this are damage; adding to them never overflows.
  static let countMax: UInt64 = 1 << 53

  private let bytes: UnsafeRawBufferPointer
  private var place = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var remaining: Int { bytes.count - place }

  mutating func byte() throws(StateError) -> UInt8 {
    guard place < bytes.count else { throw StateError("it ends too early") }
    defer { place += 1 }
    return bytes[place]
  }

  mutating func flag() throws(StateError) -> Bool {
    let value = try byte()
    guard value <= 1 else { throw StateError("a flag is \(value)") }
    return value == 1
  }

  mutating func fixedUnsigned() throws(StateError) -> UInt64 {
    guard remaining >= 8 else { throw StateError("it ends too early") }
    defer { place += 8 }
    return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
  }
  mutating func fixed() throws(StateError) -> Int64 { Int64(bitPattern: try fixedUnsigned()) }

  mutating func number() throws(StateError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let next = UInt64(try byte())
      guard shift < 63 || next <= 1 else { throw StateError("a number is too large") }
      value |= (next & 0x7F) << shift
      if next < 0x80 { return value }
    }
    throw StateError("a number is too long")
  }

  mutating func count(max limit: UInt64 = countMax) throws(StateError) -> Int64 {
    let value = try number()
    guard value <= limit else { throw StateError("\(value) is more than a count can be") }
    return Int64(value)
  }

  mutating func signed() throws(StateError) -> Int128 {
    var value: UInt128 = 0
    for shift in stride(from: UInt128(0), to: 133, by: 7) {
      let next = UInt128(try byte())
      guard shift < 126 || next <= 3 else { throw StateError("a number is too large") }
      value |= (next & 0x7F) << shift
      if next < 0x80 { return Int128(bitPattern: value >> 1) ^ -Int128(value & 1) }
    }
    throw StateError("a number is too long")
  }

  /// So many bytes; they stand as long as what is read from.
  mutating func raw(_ count: Int) throws(StateError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else { throw StateError("it ends too early") }
    defer { place += count }
    return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
  }

  mutating func run() throws(StateError) -> UnsafeRawBufferPointer {
    try raw(Int(try count(max: UInt64(max(0, remaining)))))
  }

  mutating func text() throws(StateError) -> String {
    guard let text = String(validating: try run(), as: UTF8.self) else { throw StateError("a text is not UTF-8") }
    return text
  }

  mutating func optional<Value>(
    _ read: (inout StateReader) throws(StateError) -> Value
  ) throws(StateError) -> Value? {
    try flag() ? try read(&self) : nil
  }

  mutating func list<Element>(
    _ read: (inout StateReader) throws(StateError) -> Element
  ) throws(StateError) -> [Element] {
    // Each element has a byte at least.
    let count = Int(try count(max: UInt64(max(0, remaining))))
    var values: [Element] = []
    for _ in 0..<count { values.append(try read(&self)) }
    return values
  }

  /// Nothing may follow.
  func end() throws(StateError) {
    guard remaining == 0 else { throw StateError("\(remaining) bytes too many") }
  }
}
