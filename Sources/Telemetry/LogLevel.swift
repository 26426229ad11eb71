/// How much a line of the log matters.
public enum LogLevel: Int, Comparable, Sendable, CaseIterable {
  case debug, info, warning, error

  public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

  /// `debug`, `info`, `warning`, `error`.
  public var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }
}

/// Which lines are written: a level for everything, and levels of their own for modules.
public struct LogLevels: Sendable, Hashable {
  public var general: LogLevel
  public var modules: [String: LogLevel]

  public init(general: LogLevel = .info, modules: [String: LogLevel] = [:]) {
    self.general = general
    self.modules = modules
  }

  public struct Problem: Error, CustomStringConvertible, Hashable {
    public var word: String
    public var description: String {
      "`\(word)` is no log level: write debug, info, warning or error, or MODULE=LEVEL, separated by commas"
    }
  }

  /// Reads `info`, or `warning,Kafka=debug`.
  public init(parsing text: String) throws(Problem) {
    self.init()
    for word in text.split(separator: ",") {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard let name = parts.last, let level = LogLevel.allCases.first(where: { $0.name == name }) else {
        throw Problem(word: String(word))
      }
      if parts.count == 2 { modules[parts[0]] = level } else { general = level }
    }
  }

  public func level(of module: String) -> LogLevel { modules[module] ?? general }
}
