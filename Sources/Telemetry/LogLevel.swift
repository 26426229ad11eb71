/// How much a line of the log matters.
public enum LogLevel: Int, Comparable, Sendable, CaseIterable {
  case debug, info, warning, error

  /// Whether the left one matters less.
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
  /// For the modules that have no level of their own.
  public var general: LogLevel
  /// Module to level.
  public var modules: [String: LogLevel]

  /// A level for everything, and those of single modules.
  public init(general: LogLevel = .info, modules: [String: LogLevel] = [:]) {
    self.general = general
    self.modules = modules
  }

  /// What is wrong with levels as text.
  public enum Problem: Error, CustomStringConvertible, Hashable {
    /// A word that is neither a level nor `MODULE=LEVEL`.
    case level(String)
    /// A module that there is not.
    case module(String)

    /// The word, and what may stand instead.
    public var description: String {
      switch self {
      case .level(let word):
        "`\(word)` is no log level: write debug, info, warning or error, or MODULE=LEVEL, separated by commas"
      case .module(let word): "no module `\(word)` writes to the log"
      }
    }
  }

  /// Reads `info`, or `warning,kafka=debug`.
  ///
  /// - Parameter known: the modules that there are; case does not count.
  public init(parsing text: String, modules known: [String]) throws(Problem) {
    self.init()
    for word in text.split(separator: ",") {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard let name = parts.last, let level = LogLevel.allCases.first(where: { $0.name == name }) else {
        throw .level(String(word))
      }
      guard parts.count == 2 else {
        general = level
        continue
      }
      guard let module = known.first(where: { $0.lowercased() == parts[0].lowercased() }) else {
        throw .module(parts[0])
      }
      modules[module] = level
    }
  }

  /// The least level at which lines of a module are written.
  public func level(of module: String) -> LogLevel { modules[module] ?? general }
}
