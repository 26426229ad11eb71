/// Text in 80 columns.
enum TextLayout {
  /// Columns of a terminal that nobody has widened.
  static let width = 80

  /// Lines of whole words, none longer than `width` unless a word is.
  static func wrap(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if line.isEmpty {
        line = String(word)
      } else if line.count + 1 + word.count <= width {
        line += " " + word
      } else {
        lines.append(line)
        line = String(word)
      }
    }
    return line.isEmpty ? lines : lines + [line]
  }

  /// A paragraph, every line indented.
  static func paragraph(_ text: String, indent: Int = 0) -> String {
    wrap(text, width: width - indent).map { spaces(indent) + $0 + "\n" }.joined()
  }

  /// Terms with their texts beside them in one column; a term too long for it stands on a line of its own.
  static func table(_ rows: [(term: String, text: String)]) -> String {
    let longestTerm = 26
    let column = 2 + min(longestTerm, rows.map(\.term.count).max() ?? 0) + 2
    var result = ""
    for (term, text) in rows {
      let lines = wrap(text, width: width - column)
      let head = "  " + term
      if head.count + 2 <= column, let first = lines.first {
        result += head + spaces(column - head.count) + first + "\n"
        result += lines.dropFirst().map { spaces(column) + $0 + "\n" }.joined()
      } else {
        result += head + "\n" + lines.map { spaces(column) + $0 + "\n" }.joined()
      }
    }
    return result
  }

  /// A command line, broken with backslashes where it is too long.
  static func commandLine(_ text: String, indent: Int) -> String {
    let lines = wrap(text, width: width - indent - 4)
    return lines.enumerated().map { index, line in
      spaces(indent + (index == 0 ? 0 : 2)) + line + (index == lines.count - 1 ? "\n" : " \\\n")
    }.joined()
  }

  private static func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}
