/// What is wrong with an expression, and where in it.
public struct Diagnostic: Error, Hashable, Sendable {
  /// UTF-8 bytes from the start of the source.
  public var offset: Int
  /// UTF-8 bytes.
  public var length: Int
  public var message: String
  public var hint: String?
  public var isWarning: Bool

  public init(offset: Int, length: Int, message: String, hint: String? = nil, isWarning: Bool = false) {
    self.offset = offset
    self.length = length
    self.message = message
    self.hint = hint
    self.isWarning = isWarning
  }
}

/// An expression that can't be used, with all that is wrong with it.
public struct ExpressionError: Error, Hashable, Sendable, CustomStringConvertible {
  public var diagnostics: [Diagnostic]

  public init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

  public var description: String { diagnostics.map(\.message).joined(separator: "; ") }
}
