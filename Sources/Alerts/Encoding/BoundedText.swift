internal import Events

/// Cuts texts to a bound.
enum BoundedText {
  /// The start of a text, so long that with its mark it takes at most `limit` bytes in JSON; nil where the whole text does.
  /// The mark, `… [10485760 bytes]`, tells the UTF-8 bytes of the whole. `limit` is at least 64.
  static func cut(_ text: String, to limit: Int) -> String? {
    if text.utf8.count <= limit / JSONWriter.longestEscape { return nil }
    let mark = "… [\(text.utf8.count) bytes]"
    let room = limit - mark.utf8.count
    var count = 0
    var end = text.startIndex
    for index in text.unicodeScalars.indices {
      if count <= room { end = index }
      count += JSONWriter.encodedCount(text.unicodeScalars[index])
      if count > limit { return String(text.unicodeScalars[..<end]) + mark }
    }
    return nil
  }

  /// A text for a Kafka key or a CloudEvents header: no control characters or noncharacters (CloudEvents 1.0, "String"),
  /// at most `limit` UTF-8 bytes. A text that has to be changed for that ends in the SHA-256 of the original, so that two
  /// texts never become the same one.
  static func attribute(_ text: String, limit: Int) -> String {
    if text.utf8.count <= limit, text.unicodeScalars.allSatisfy(isAllowed) { return text }
    let mark = "…sha256:" + SHA256.hex(text.utf8)
    var kept = ""
    for scalar in text.unicodeScalars {
      let scalar = isAllowed(scalar) ? scalar : "\u{FFFD}"
      if kept.utf8.count + UTF8.width(scalar) + mark.utf8.count > limit { break }
      kept.unicodeScalars.append(scalar)
    }
    return kept + mark
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0xFDD0...0xFDEF: false
    default: scalar.value & 0xFFFE != 0xFFFE
    }
  }
}
