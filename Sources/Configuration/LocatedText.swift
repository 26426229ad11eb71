/// A text of a file and where it stands.
public struct LocatedText: Sendable, Hashable {
  /// The text as it was read: without quotes, escapes and indentation.
  public var text: String
  /// Where it stands, with its quotes.
  public var range: SourceRange

  /// A text read at a place of a file.
  public init(text: String, range: SourceRange) {
    self.text = text
    self.range = range
  }

  /// Where bytes of the text stand in the file: the text is walked along what was written, over its quotes, escapes,
  /// indentation and line ends. Where the two can't be matched, the place where the text begins.
  public func range(ofByte offset: Int, length: Int, in source: [UInt8]) -> SourceRange {
    var walk = TextWalk(source: source, start: range.offset)
    for (place, byte) in text.utf8.enumerated() {
      guard let found = walk.step(byte) else { return range }
      if place == offset { return SourceText(source).range(offset: found, length: length) }
    }
    return SourceText(source).range(offset: min(walk.position, source.count), length: length)
  }
}

/// Goes through a scalar as it was written, one byte of its text after the other.
private struct TextWalk {
  let source: [UInt8]
  private(set) var position: Int
  private let style: UInt8

  init(source: [UInt8], start: Int) {
    self.source = source
    position = max(0, start)
    style = position < source.count ? source[position] : 0
    switch style {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): position += 1
    case UInt8(ascii: "|"), UInt8(ascii: ">"):
      // The text of a block begins on the next line.
      while position < source.count, source[position] != UInt8(ascii: "\n") { position += 1 }
      position += 1
    default: break
    }
  }

  /// Where this byte of the text was written; nil where it can't be found.
  mutating func step(_ byte: UInt8) -> Int? {
    skipIndentation(before: byte)
    guard position < source.count else { return nil }
    let found = position
    let next = position + 1 < source.count ? source[position + 1] : 0
    switch (style, source[position]) {
    case (UInt8(ascii: "'"), UInt8(ascii: "'")) where byte == next: position += 2
    case (UInt8(ascii: "\""), UInt8(ascii: "\\")):
      guard Self.escapes[next] == byte else { return nil }
      position += 2
    case (_, byte): position += 1
    case (_, UInt8(ascii: "\n")), (_, UInt8(ascii: "\r")), (_, UInt8(ascii: " ")), (_, UInt8(ascii: "\t")):
      // A fold: line ends and indentation that read as one space or line feed.
      guard byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") else { return nil }
      skipSpace()
    default: return nil
    }
    return found
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
    UInt8(ascii: "/"): UInt8(ascii: "/"),
    UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: " "): 32,
  ]

  private mutating func skipIndentation(before byte: UInt8) {
    guard byte != UInt8(ascii: " "), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\t") else { return }
    skipSpace()
  }

  private mutating func skipSpace() {
    while position < source.count, [0x20, 0x0A, 0x0D, 0x09].contains(source[position]) { position += 1 }
  }
}
