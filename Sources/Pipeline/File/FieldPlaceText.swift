internal import Configuration
internal import Events

/// Reads where a field stands: a JSON Pointer (RFC 6901), or a part of the record besides its value.
enum FieldPlaceText {
  /// Deeper than any record may be.
  private static let depthLimit = 64
  private static let words = ["$key", "$headers/NAME", "$topic", "$partition", "$offset", "$timestamp"]

  static func parse(_ text: String) throws(ScalarReader.Problem) -> Field.Origin {
    switch text {
    case "$key": return .key
    case "$topic": return .topic
    case "$partition": return .partition
    case "$offset": return .offset
    case "$timestamp": return .timestamp
    default: break
    }
    if text.hasPrefix("$headers/"), text.utf8.count > 9 { return .header(String(text.dropFirst(9))) }
    if text.hasPrefix("$") {
      let nearest = NearestName.find(text, among: words).map { "did you mean `\($0)`? " } ?? ""
      throw ScalarReader.Problem(
        message: "`\(text)` is no part of a record", hint: nearest + "valid are: \(words.joined(separator: ", "))")
    }
    return .pointer(try pointer(text))
  }

  private static func pointer(_ text: String) throws(ScalarReader.Problem) -> [String] {
    guard text.hasPrefix("/") else {
      throw ScalarReader.Problem(
        message: "`\(text)` is no JSON Pointer", hint: "it begins with a slash: /\(text.replacing(".", with: "/"))")
    }
    let tokens = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    guard tokens.count <= depthLimit else {
      throw ScalarReader.Problem(message: "this is deeper than the \(depthLimit) levels a record may have", hint: nil)
    }
    return try tokens.map { token throws(ScalarReader.Problem) in try unescape(token) }
  }

  /// `~1` is a slash, `~0` a tilde.
  private static func unescape(_ token: Substring) throws(ScalarReader.Problem) -> String {
    var result: [UInt8] = []
    var bytes = token.utf8[...]
    while let byte = bytes.popFirst() {
      if byte == 0 { throw ScalarReader.Problem(message: "a zero byte stands here", hint: "take it out") }
      guard byte == UInt8(ascii: "~") else {
        result.append(byte)
        continue
      }
      switch bytes.popFirst() {
      case UInt8(ascii: "0"): result.append(UInt8(ascii: "~"))
      case UInt8(ascii: "1"): result.append(UInt8(ascii: "/"))
      default:
        throw ScalarReader.Problem(
          message: "`~` stands alone in a JSON Pointer", hint: "write `~0` for `~`, and `~1` for `/`")
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
