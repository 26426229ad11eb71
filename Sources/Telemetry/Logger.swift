/// Writes lines of one module's log.
public struct Logger: Sendable {
  public let module: String

  public init(module: String) { self.module = module }

  public func debug(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [String: String] = [:]) {
    log(.debug, message, fields)
  }

  public func info(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [String: String] = [:]) {
    log(.info, message, fields)
  }

  public func warning(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [String: String] = [:]) {
    log(.warning, message, fields)
  }

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
  public var level: LogLevel
  public var module: String
  public var message: String
  public var fields: [String: String]

  public init(level: LogLevel, module: String, message: String, fields: [String: String] = [:]) {
    self.level = level
    self.module = module
    self.message = message
    self.fields = fields
  }
}
