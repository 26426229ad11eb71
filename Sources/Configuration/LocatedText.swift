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

  /// Where bytes of the text stand in the file: exact for text that the file has as it is, line by line for blocks, else
  /// the place where the text begins.
  public func range(ofByte offset: Int, length: Int, in source: [UInt8]) -> SourceRange {
    let text = Array(text.utf8)
    for skip in [0, 1] {
      let base = range.offset + skip
      if base + text.count <= source.count, source[base..<(base + text.count)].elementsEqual(text) {
        return SourceText(source).range(offset: base + min(offset, text.count), length: length)
      }
    }
    return lineByLine(text, offset, length, source) ?? range
  }

  private func lineByLine(_ text: [UInt8], _ offset: Int, _ length: Int, _ source: [UInt8]) -> SourceRange? {
    var position = range.offset
    var lineStart = 0
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      guard let found = Self.find(Array(line), in: source, from: position) else { return nil }
      if offset <= lineStart + line.count {
        return SourceText(source).range(offset: found + offset - lineStart, length: length)
      }
      position = found + line.count
      lineStart += line.count + 1
    }
    return nil
  }

  private static func find(_ needle: [UInt8], in source: [UInt8], from start: Int) -> Int? {
    guard start + needle.count <= source.count else { return nil }
    return (start...(source.count - needle.count)).first { source[$0..<($0 + needle.count)].elementsEqual(needle) }
  }
}
