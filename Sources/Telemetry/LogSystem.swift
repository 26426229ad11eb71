internal import Foundation
internal import Synchronization

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

  private let state = Mutex(State())

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
      members += line.fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      return "{" + members.map { "\(json($0.0)):\(json($0.1))" }.joined(separator: ",") + "}"
    }
  }

  private static func timestamp(_ now: Double) -> String {
    Date(timeIntervalSince1970: now).formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
      + "Z"
  }

  private static func oneLine(_ text: String) -> String {
    text.replacing("\n", with: "\\n").replacing("\r", with: "\\r")
  }

  private static func quoteIfNeeded(_ text: String) -> String {
    text.contains { $0 == " " || $0 == "\"" || $0.isNewline } || text.isEmpty ? json(text) : text
  }

  private static func json(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
