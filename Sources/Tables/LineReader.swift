/// The lines of a file: LF or CRLF, a byte order mark skipped, a last line without an end taken.
struct LineReader {
  struct Line {
    var number: Int
    var bytes: ArraySlice<UInt8>
    /// Bytes of the file before the line's first, on that line (the byte order mark).
    var skipped: Int

    /// The place of a byte of the slice.
    func position(_ index: Int) -> Position {
      Position(line: number, column: index - bytes.startIndex + skipped + 1)
    }
  }

  private let bytes: [UInt8]
  private var next: Int
  private var number = 0
  private let firstSkipped: Int

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    firstSkipped = byteOrderMarkCount(bytes)
    next = firstSkipped
  }

  mutating func nextLine() -> Line? {
    guard next < bytes.count else { return nil }
    number += 1
    let start = next
    let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
    var end = newline ?? bytes.count
    next = newline.map { $0 + 1 } ?? bytes.count
    if end > start && bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return Line(number: number, bytes: bytes[start..<end], skipped: number == 1 ? firstSkipped : 0)
  }
}

/// How many bytes of a UTF-8 byte order mark the file begins with: 3 or none.
func byteOrderMarkCount(_ bytes: [UInt8]) -> Int {
  bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
}

/// A space or a tab.
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

/// The slice without the blanks at both ends.
func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var slice = bytes
  while let first = slice.first, isBlank(first) { slice.removeFirst() }
  while let last = slice.last, isBlank(last) { slice.removeLast() }
  return slice
}

/// Bytes as text; nil where they are not UTF-8.
func text(_ bytes: some Sequence<UInt8> & Collection) -> String? { String(validating: bytes, as: UTF8.self) }

/// Text of a file for a message: short, and without what would upset a terminal.
func quoted(_ bytes: some Collection<UInt8>) -> String {
  var shown = ""
  for scalar in String(decoding: bytes.prefix(64), as: UTF8.self).unicodeScalars.prefix(40) {
    shown.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar)
  }
  return bytes.count > 40 ? "`\(shown)...`" : "`\(shown)`"
}
