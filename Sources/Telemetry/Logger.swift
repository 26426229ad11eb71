/// Writes lines of one module's log.
public struct Logger: Sendable {
  /// The module's name, as it stands in the lines and in `MODULE=LEVEL`.
  public let module: String

  /// A logger of one module.
  public init(module: String) { self.module = module }

  /// Writes what only matters when looking for a fault. Neither argument is computed where the line is not written.
  public func debug(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [String: String] = [:]) {
    log(.debug, message, fields)
  }

  /// Writes what happened as it should. Neither argument is computed where the line is not written.
  public func info(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [String: String] = [:]) {
    log(.info, message, fields)
  }

  /// Writes what somebody should look at. Neither argument is computed where the line is not written.
  public func warning(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [String: String] = [:]) {
    log(.warning, message, fields)
  }

  /// Writes what went wrong. Neither argument is computed where the line is not written.
  public func error(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [String: String] = [:]) {
    log(.error, message, fields)
  }

  private func log(_ level: LogLevel, _ message: () -> String, _ fields: () -> [String: String]) {
    guard LogSystem.shared.isWritten(level, module) else { return }
    LogSystem.shared.write(LogLine(level: level, module: module, message: message(), fields: fields()))
  }
}

/// One line of the log.
public struct LogLine: Sendable, Hashable {
  /// How much it matters.
  public var level: LogLevel
  /// The module that writes it.
  public var module: String
  /// What happened: always the same text for the same thing; what varies goes into the fields.
  public var message: String
  /// Details: name to value.
  public var fields: [String: String]

  /// A line of the log.
  public init(level: LogLevel, module: String, message: String, fields: [String: String] = [:]) {
    self.level = level
    self.module = module
    self.message = message
    self.fields = fields
  }
}
