/// What names may look like.
enum WordChecks {
  /// A pipeline's or rule's id.
  static func isID(_ text: String) -> Bool { isWord(text, extra: "._-", limit: 200) }

  /// What Kafka takes for a topic.
  static func isTopic(_ text: String) -> Bool { isWord(text, extra: "._-", limit: 249) && text != "." && text != ".." }

  /// A name that an expression can read.
  static func isIdentifier(_ text: String) -> Bool {
    isWord(text, extra: "_", limit: 200) && !(text.utf8.first.map { (0x30...0x39).contains($0) } ?? true)
  }

  /// Why a name can't be read by expressions although it is an identifier; nil: it can.
  static func taken(_ name: String) -> String? {
    switch name {
    case "event", "params": "`\(name)` has a meaning of its own in expressions"
    case "true", "false", "null", "in": "`\(name)` is a word of the expressions' language"
    default: nil
    }
  }

  private static func isWord(_ text: String, extra: String, limit: Int) -> Bool {
    let extra = Array(extra.utf8)
    return !text.isEmpty && text.utf8.count <= limit
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || extra.contains($0)
      }
  }
}
