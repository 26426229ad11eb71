/// What is wrong with an expression, and where in it.
public struct Diagnostic: Error, Hashable, Sendable {
  /// UTF-8 bytes from the start of the source.
  public var offset: Int
  /// UTF-8 bytes.
  public var length: Int
  /// What is wrong, in one line.
  public var message: String
  /// What would have been right, or what to do.
  public var hint: String?
  /// Whether the expression can be used all the same.
  public var isWarning: Bool

  /// A mistake or warning about `length` bytes from `offset` on.
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
  /// Never empty.
  public var diagnostics: [Diagnostic]

  /// All that is wrong with one expression.
  public init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

  /// The messages in one line.
  public var description: String { diagnostics.map(\.message).joined(separator: "; ") }
}
