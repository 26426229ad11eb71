/// Writes little-endian numbers, and texts and bytes with their length before them.
struct FormWriter {
  private(set) var bytes: [UInt8] = []

  mutating func number<Number: FixedWidthInteger>(_ number: Number) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// At most 65,535 bytes of UTF-8: a longer text is cut, which names of topics and versions never are.
  mutating func text(_ text: String) {
    let utf8 = Array(text.utf8.prefix(Int(UInt16.max)))
    number(UInt16(utf8.count))
    bytes += utf8
  }

  mutating func run(_ run: [UInt8]) {
    number(UInt32(run.count))
    bytes += run
  }
}

/// Reads what `FormWriter` wrote; past the end, everything is nil.
struct FormReader {
  private let bytes: UnsafeRawBufferPointer
  private var index = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { index == bytes.count }

  mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number? {
    let size = MemoryLayout<Number>.size
    guard bytes.count - index >= size else { return nil }
    defer { index += size }
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: Number.self))
  }

  mutating func text() -> String? {
    guard let count = number(UInt16.self), let run = take(Int(count)) else { return nil }
    return String(validating: run, as: UTF8.self)
  }

  mutating func run() -> [UInt8]? {
    guard let count = number(UInt32.self), let run = take(Int(count)) else { return nil }
    return Array(run)
  }

  private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard bytes.count - index >= count else { return nil }
    defer { index += count }
    return UnsafeRawBufferPointer(rebasing: bytes[index..<(index + count)])
  }
}
