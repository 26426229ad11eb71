/// A word of an expression.
struct Token {
  enum Kind: Equatable {
    case identifier(String)
    /// An identifier in backticks, which may stand after a dot.
    case quotedIdentifier(String)
    case int(UInt64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    /// An operator or a bracket.
    case symbol(String)
    case end
  }

  var kind: Kind
  var offset: Int
  var length: Int

  func isSymbol(_ text: String) -> Bool { kind == .symbol(text) }
}
