/// Finds the bytes that libyaml's marks speak of: they count lines and characters, and come in rising order, so that a
/// search goes on where the last one ended.
struct MarkIndex {
  private let bytes: [UInt8]
  /// Where lines begin.
  private let starts: [Int]
  private var line = 0
  private var column = 0
  private var offset = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var starts = [0]
    var index = 0
    while index < bytes.count {
      let width = Self.breakWidth(bytes, index)
      index += max(width, 1)
      if width > 0 { starts.append(index) }
    }
    self.starts = starts
  }

  /// The byte of a line and a character in it, both from 0.
  mutating func offset(line: Int, column: Int) -> Int {
    guard line < starts.count else { return bytes.count }
    if line != self.line || column < self.column { (self.line, self.column, offset) = (line, 0, starts[line]) }
    let end = line + 1 < starts.count ? starts[line + 1] : bytes.count
    while self.column < column, offset < end {
      self.column += 1
      offset += 1
      while offset < end, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
    }
    return offset
  }

  /// Bytes of the line break that stands there, 0 for none. YAML's breaks are CR LF, CR, LF, NEL, LS and PS.
  private static func breakWidth(_ bytes: [UInt8], _ index: Int) -> Int {
    func has(_ expected: [UInt8]) -> Bool { bytes[index...].starts(with: expected) }
    switch bytes[index] {
    case 0x0A: return 1
    case 0x0D: return has([0x0D, 0x0A]) ? 2 : 1
    case 0xC2: return has([0xC2, 0x85]) ? 2 : 0
    case 0xE2: return has([0xE2, 0x80, 0xA8]) || has([0xE2, 0x80, 0xA9]) ? 3 : 0
    default: return 0
    }
  }
}

/// Lines and columns of bytes that are asked for in rising order: as `SourceText.range`, without counting a line's
/// characters from its start each time.
struct PlaceIndex {
  private let source: SourceText
  private var last = SourceRange(line: 1, column: 1, offset: 0, length: 0)

  init(_ bytes: [UInt8]) { source = SourceText(bytes) }

  mutating func range(offset: Int, length: Int) -> SourceRange {
    if offset >= last.offset, source.lineNumber(ofByte: offset) == last.line {
      last.column += source.characters(last.offset..<offset)
      last.offset = offset
    } else {
      last = source.range(offset: offset, length: 0)
    }
    return SourceRange(line: last.line, column: last.column, offset: offset, length: length)
  }
}
