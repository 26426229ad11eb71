/// One mistake in a file, or something that is probably one.
public struct Diagnostic: Error, Sendable, Hashable {
  /// Whether the file can't be used as it is, or can and should be looked at.
  public enum Severity: String, Sendable { case error, warning }

  /// How grave it is.
  public var severity: Severity
  /// The file's name, as it stands before the line and column.
  public var file: String
  /// Where in the file.
  public var range: SourceRange
  /// What is wrong, in one line.
  public var message: String
  /// What would have been right, or what to do.
  public var hint: String?

  /// A mistake (or, by `severity`, a warning) at a place of a file.
  public init(severity: Severity = .error, file: String, range: SourceRange, message: String, hint: String? = nil) {
    self.severity = severity
    self.file = file
    self.range = range
    self.message = message
    self.hint = hint
  }

  /// `file:line:column: error: message`, the line with a caret under the place, and the hint.
  ///
  /// - Parameter hidden: places of the file that are shown as asterisks.
  public func rendered(source: SourceText?, hiding hidden: [SourceRange] = []) -> String {
    var text = "\(file):\(range.line):\(range.column): \(severity.rawValue): \(message)"
    if let source, let line = source.line(range.line, hiding: hidden) {
      let number = String(range.line)
      let gutter = String(repeating: " ", count: number.count)
      let shown = SourceText.excerpt(line, underline: source.underline(range))
      text += "\n \(number) | \(shown.line)\n \(gutter) | \(shown.underline)"
    }
    if let hint { text += "\n   hint: \(hint)" }
    return text
  }
}

/// The text of a file, to show lines of it.
public struct SourceText: Sendable {
  private let bytes: [UInt8]
  private let lineStarts: [Int]

  /// The text whose UTF-8 bytes these are.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var starts = [0]
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(index + 1) }
    lineStarts = starts
  }

  /// The text of a line (from 1), without its end; tabs and other control characters as one space each, so that a caret
  /// stands right. What is hidden is an asterisk for each character.
  public func line(_ number: Int, hiding hidden: [SourceRange] = []) -> String? {
    guard number >= 1, number <= lineStarts.count else { return nil }
    var line = lineBytes(number)
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    var text = ""
    var place = line.startIndex
    for range in hidden.sorted(by: { $0.offset < $1.offset }) {
      let secret = (range.offset..<range.offset + range.length).clamped(to: place..<line.endIndex)
      guard !secret.isEmpty else { continue }
      text += Self.shown(line[place..<secret.lowerBound]) + String(repeating: "*", count: characters(secret))
      place = secret.upperBound
    }
    return text + Self.shown(line[place...])
  }

  private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
  }

  private func lineBytes(_ number: Int) -> ArraySlice<UInt8> {
    let start = lineStarts[number - 1]
    let end = number < lineStarts.count ? lineStarts[number] - 1 : bytes.count
    return bytes[start..<max(start, end)]
  }

  /// Where a byte of the file stands; one beyond the end counts as the end.
  public func range(offset: Int, length: Int) -> SourceRange {
    let place = min(max(offset, 0), bytes.count)
    let line = lineNumber(ofByte: place)
    let column = characters(lineStarts[line - 1]..<place) + 1
    return SourceRange(line: line, column: column, offset: offset, length: length)
  }

  /// The line (from 1) in which a byte of the file stands.
  func lineNumber(ofByte offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low + 1
  }

  /// Characters of a run of bytes.
  func characters(_ range: Range<Int>) -> Int {
    String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self).count
  }

  /// Most characters of a line that are shown.
  static let shownWidth = 160

  /// A line and what stands under it; of a long line, what is around the caret.
  static func excerpt(_ line: String, underline: String) -> (line: String, underline: String) {
    guard line.utf8.count > shownWidth, line.count > shownWidth else { return (line, underline) }
    let characters = Array(line)
    let caret = underline.prefix { $0 == " " }.count
    // A third of the width before the caret, two thirds from it on.
    let start = max(0, min(caret - shownWidth / 3, characters.count - shownWidth))
    let end = min(start + shownWidth, characters.count)
    var shown = Array(characters[start..<end])
    if start > 0 { shown[0] = "…" }
    if end < characters.count { shown[shown.count - 1] = "…" }
    return (String(shown), String(underline.dropFirst(start).prefix(shownWidth + 1)))
  }

  /// A caret under the first character of a range, and `~` under the rest of it, as far as it is on its line.
  func underline(_ range: SourceRange) -> String {
    guard range.line >= 1, range.line <= lineStarts.count else { return "^" }
    let line = lineBytes(range.line)
    let start = min(max(range.offset, line.startIndex), line.endIndex)
    let end = min(start + max(range.length, 1), line.endIndex)
    let width = characters(start..<end)
    return String(repeating: " ", count: characters(line.startIndex..<start)) + "^"
      + String(repeating: "~", count: max(0, width - 1))
  }
}

/// Collects what is wrong with a file, all of it at once, up to a bound.
public final class DiagnosticBag {
  /// Most mistakes that are kept; of the others, the number.
  public static let limit = 100
  /// The file's name, for the messages.
  public let file: String
  /// The file's text, to show the lines concerned; nil: no lines are shown.
  public let source: SourceText?
  private var collected: [Diagnostic] = []
  private var hidden: [SourceRange] = []
  private var dropped = 0

  /// An empty bag for one file.
  public init(file: String, source: SourceText?) {
    self.file = file
    self.source = source
  }

  /// Collects a mistake.
  public func error(_ range: SourceRange, _ message: String, hint: String? = nil) {
    add(Diagnostic(file: file, range: range, message: message, hint: hint))
  }

  /// Collects a warning.
  public func warning(_ range: SourceRange, _ message: String, hint: String? = nil) {
    add(Diagnostic(severity: .warning, file: file, range: range, message: message, hint: hint))
  }

  /// Shows asterisks in place of what stands there, wherever its line is shown: it may be secret.
  public func hide(_ range: SourceRange) { hidden.append(range) }

  /// Collects a mistake or warning; the same one a second time is left out.
  public func add(_ diagnostic: Diagnostic) {
    if collected.contains(diagnostic) { return }
    if diagnostic.severity == .error { errorCount += 1 }
    if collected.count < Self.limit { collected.append(diagnostic) } else { dropped += 1 }
  }

  /// Mistakes so far, those beyond the bound among them.
  public private(set) var errorCount = 0
  /// Whether a mistake is among them: warnings are none.
  public var hasErrors: Bool { errorCount > 0 }
  /// In the order of the file.
  public var diagnostics: [Diagnostic] { collected.sorted { $0.range.offset < $1.range.offset } }

  /// All of them as a person reads them.
  public func rendered() -> String {
    var lines = diagnostics.map { $0.rendered(source: source, hiding: hidden) }
    if dropped > 0 { lines.append("and \(dropped) more") }
    return lines.joined(separator: "\n")
  }
}

/// The valid name that is nearest to what was written.
public enum NearestName {
  /// The name a few slips of the keyboard away from `word` (at most three, fewer for short words), else one that begins
  /// with it or that it begins with; nil where nothing is near. Case does not count.
  public static func find(_ word: String, among names: [String]) -> String? {
    let word = word.lowercased()
    let near = names.map { (name: $0, distance: distance(Array(word), Array($0.lowercased()))) }
      .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    guard let near, near.distance <= max(1, min(3, word.count / 3 + (word.count > 3 ? 1 : 0))) else {
      return names.first { name in
        let name = name.lowercased()
        return word.count >= 3 && name.count >= 3 && (name.hasPrefix(word) || word.hasPrefix(name))
      }
    }
    return near.name
  }

  /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
  static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var rows = [Array(0...right.count)]
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (left[i] == right[j] ? 0 : 1))
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
