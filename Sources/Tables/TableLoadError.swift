/// One thing wrong with a list.
public struct TableMistake: Sendable, Hashable, CustomStringConvertible {
  /// The file concerned, as the declaration gives it.
  public var file: String
  /// From 1.
  public var line: Int
  /// In bytes, from 1.
  public var column: Int
  /// What is wrong and what to do.
  public var message: String

  /// Makes a mistake at a place.
  public init(file: String, line: Int, column: Int, message: String) {
    self.file = file
    self.line = line
    self.column = column
    self.message = message
  }

  /// `file:line:column: message`.
  public var description: String { "\(file):\(line):\(column): \(message)" }
}

/// Why a list was not loaded. The version in force, if there is one, stays in force.
public enum TableLoadError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The declaration itself cannot be: told before the file is touched.
  case declaration(table: String, messages: [String])
  /// The file cannot be read.
  case unreadable(table: String, file: String, reason: String)
  /// The file, its records or its entries go beyond a limit.
  case tooLarge(table: String, file: String, reason: String)
  /// The content is not what it should be. At most `mistakeLimit` mistakes are named: reading stops there.
  case malformed(table: String, mistakes: [TableMistake])
  /// The new version lost more entries than `max_shrink` allows.
  case shrank(table: String, from: Int, to: Int, maxShrink: Double)

  /// How many mistakes one load names.
  public static let mistakeLimit = 20

  /// Each thing that is wrong, in one line, with the file concerned; nil: what is wrong is in no file.
  public var parts: [(file: String?, message: String)] {
    switch self {
    case .declaration(let table, let messages):
      return messages.map { (nil, "table `\(table)`: \($0)") }
    case .unreadable(let table, let file, let reason):
      return [(file, "table `\(table)`: cannot read \(file): \(reason)")]
    case .tooLarge(let table, let file, let reason):
      return [(file, "table `\(table)`: \(file) is refused: \(reason)")]
    case .malformed(let table, let mistakes):
      var parts: [(file: String?, message: String)] = mistakes.map { ($0.file, "\($0)") }
      if mistakes.count == Self.mistakeLimit {
        parts.append((nil, "table `\(table)`: stopped reading after \(mistakes.count) mistakes"))
      }
      return parts
    case .shrank(let table, let from, let to, let maxShrink):
      let message =
        "table `\(table)`: the list shrank from \(from) to \(to) entries, more than max_shrink \(maxShrink) allows: "
        + "it is not taken; if the removal is real, raise `max_shrink` for one load"
      return [(nil, message)]
    }
  }

  /// The whole report, a line for each mistake.
  public var description: String { parts.map(\.message).joined(separator: "\n") }
}

/// Gathers mistakes up to the limit.
struct Mistakes {
  let file: String
  private(set) var listed: [TableMistake] = []

  init(file: String) { self.file = file }

  /// Whether reading may stop: nothing more would be named.
  var isFull: Bool { listed.count >= TableLoadError.mistakeLimit }

  /// `other` is the file concerned where it is not the list itself.
  mutating func add(_ position: Position, _ message: String, file other: String? = nil) {
    if isFull { return }
    let file = other ?? file
    listed.append(TableMistake(file: file, line: position.line, column: position.column, message: message))
  }
}

/// A place in a file: line from 1, column in bytes from 1.
struct Position: Hashable {
  var line: Int
  var column: Int
}
