internal import Foundation
internal import Locking

/// The process's one log: where lines go, which are written, and how often the same may come.
public final class LogSystem: Sendable {
  /// The log of this process.
  public static let shared = LogSystem()

  /// How lines are written.
  public enum Format: String, Sendable, CaseIterable {
    /// For people: time, level, module, message, fields.
    case text
    /// One JSON object a line.
    case json
  }

  /// Equal lines (module and message) beyond this many in `window` are held back and counted.
  public static let repeats = 10
  /// Seconds.
  public static let window = 10.0
  /// Most different messages whose repeats are counted at a time.
  private static let trackedLimit = 1_000

  private struct State {
    var levels = LogLevels()
    var format = Format.text
    var sink: (@Sendable (String) -> Void)?
    var recent: [String: Recent] = [:]
  }

  private struct Recent {
    var since: Double
    var count: Int
  }

  private let state = Lock(State())

  /// Says what is written and how. Without a sink, lines go to standard error.
  public func configure(levels: LogLevels, format: Format, sink: (@Sendable (String) -> Void)? = nil) {
    state.withLock { state in
      state.levels = levels
      state.format = format
      state.sink = sink
      state.recent = [:]
    }
  }

  func isWritten(_ level: LogLevel, _ module: String) -> Bool {
    state.withLock { level >= $0.levels.level(of: module) }
  }

  func write(_ line: LogLine, now: Double = Date().timeIntervalSince1970) {
    let (texts, sink) = state.withLock { state -> ([String], (@Sendable (String) -> Void)?) in
      let lines = Self.admit(line, now, &state)
      let format = state.format
      return (lines.map { LogText.render($0, format, now) }, state.sink)
    }
    for text in texts {
      if let sink { sink(text) } else { FileHandle.standardError.write(Data((text + "\n").utf8)) }
    }
  }

  /// The lines to write for one that came: none while it is held back; what was held back is told with the next.
  private static func admit(_ line: LogLine, _ now: Double, _ state: inout State) -> [LogLine] {
    let key = line.module + "\u{0}" + line.message
    var recent = state.recent[key] ?? Recent(since: now, count: 0)
    var lines: [LogLine] = []
    if now - recent.since > window {
      let held = recent.count - repeats
      if held > 0 {
        lines.append(
          LogLine(
            level: line.level, module: line.module, message: "the next line came \(held) more times and was held back"))
      }
      recent = Recent(since: now, count: 0)
    }
    recent.count += 1
    if state.recent.count >= trackedLimit { state.recent = state.recent.filter { now - $0.value.since <= window } }
    if state.recent.count < trackedLimit || state.recent[key] != nil { state.recent[key] = recent }
    if recent.count <= repeats { lines.append(line) }
    return lines
  }
}

/// A line of the log as it is written.
enum LogText {
  static func render(_ line: LogLine, _ format: LogSystem.Format, _ now: Double) -> String {
    let time = timestamp(now)
    switch format {
    case .text:
      let fields = line.fields.sorted { $0.key < $1.key }.map { " \($0.key)=\(quoteIfNeeded($0.value))" }.joined()
      return "\(time) \(line.level.name) \(line.module): \(oneLine(line.message))\(fields)"
    case .json:
      var members = [("time", time), ("level", line.level.name), ("module", line.module), ("message", line.message)]
      // A field of the same name as one of these would make the object ambiguous.
      let taken = Set(members.map(\.0))
      members += line.fields.sorted { $0.key < $1.key }.map {
        (taken.contains($0.key) ? "field_" + $0.key : $0.key, $0.value)
      }
      return "{" + members.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",") + "}"
    }
  }

  private static func timestamp(_ now: Double) -> String {
    Date(timeIntervalSince1970: now).formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
      + "Z"
  }

  /// Line feeds and what a terminal would obey are escaped: messages hold what strangers wrote.
  private static func oneLine(_ text: String) -> String { text.unicodeScalars.map { escaped($0) ?? "\($0)" }.joined() }

  private static func quoteIfNeeded(_ text: String) -> String {
    text.isEmpty || text.unicodeScalars.contains { $0 == " " || $0 == "\"" || escaped($0) != nil } ? json(text) : text
  }

  private static func json(_ text: String) -> String {
    let inside = text.unicodeScalars.map { scalar in
      scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : escaped(scalar) ?? "\(scalar)"
    }
    return "\"" + inside.joined() + "\""
  }

  /// A control character or line separator as JSON writes it; nil for any other.
  private static func escaped(_ scalar: Unicode.Scalar) -> String? {
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    case "\u{0}"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
      let digits = String(scalar.value, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: return nil
    }
  }
}
