/// Reads an expression by CEL's grammar (cel-spec, langdef.md), by precedence climbing. Depth and size are bounded.
struct Parser {
  /// Expressions within each other.
  static let depthLimit = 96
  static let nodeLimit = 10_000
  /// Levels of the tree: what walks down it calls itself once a level.
  static let treeLimit = 600
  /// UTF-8 bytes of a source.
  static let sourceLimit = 64 << 10

  private let tokens: [Token]
  let fieldNames: Set<String>
  private var index = 0
  private var depth = 0
  private var nodeCount = 0

  /// - Parameter fieldNames: names that win over reserved words.
  static func parse(_ source: String, fieldNames: Set<String> = []) throws(Diagnostic) -> Syntax {
    guard source.utf8.count <= sourceLimit else {
      throw Diagnostic(offset: 0, length: 1, message: "the expression is longer than \(sourceLimit) bytes")
    }
    var parser = Parser(tokens: try Lexer.tokens(source), fieldNames: fieldNames)
    if parser.current.kind == .end { throw Diagnostic(offset: 0, length: 1, message: "the expression is empty") }
    let result = try parser.expression()
    guard parser.current.kind == .end else { throw parser.unexpected("an operator or the end") }
    return result
  }

  private init(tokens: [Token], fieldNames: Set<String>) {
    self.tokens = tokens
    self.fieldNames = fieldNames
  }

  var current: Token { tokens[index] }
  mutating func advance() -> Token {
    defer { if index < tokens.count - 1 { index += 1 } }
    return tokens[index]
  }

  func unexpected(_ expected: String) -> Diagnostic {
    let token = current
    if token.kind == .end {
      return Diagnostic(
        offset: max(0, token.offset - 1), length: 1, message: "the expression ends where \(expected) is expected")
    }
    for word in [token] + (index > 0 ? [tokens[index - 1]] : []) {
      guard case .identifier(let name) = word.kind, let hint = Self.operatorHint(name) else { continue }
      return Diagnostic(offset: word.offset, length: word.length, message: "`\(name)` is no operator", hint: hint)
    }
    return Diagnostic(offset: token.offset, length: max(1, token.length), message: "expected \(expected) here")
  }

  /// What to write for a word that is an operator elsewhere.
  static func operatorHint(_ word: String) -> String? {
    switch word.lowercased() {
    case "and": "and is `&&`"
    case "or": "or is `||`"
    case "not": "not is `!`"
    default: nil
    }
  }

  mutating func expect(_ symbol: String) throws(Diagnostic) {
    guard current.isSymbol(symbol) else { throw unexpected("`\(symbol)`") }
    _ = advance()
  }

  mutating func node(_ kind: Syntax.Kind, from start: Int) throws(Diagnostic) -> Syntax {
    nodeCount += 1
    let last = tokens[max(0, index - 1)]
    guard nodeCount <= Self.nodeLimit else {
      throw Diagnostic(offset: start, length: 1, message: "the expression has more than \(Self.nodeLimit) parts")
    }
    return try bounded(Syntax(kind, offset: start, length: max(0, last.offset + last.length - start)))
  }

  private func bounded(_ syntax: Syntax) throws(Diagnostic) -> Syntax {
    guard syntax.depth <= Self.treeLimit else {
      throw Diagnostic(
        offset: syntax.offset, length: 1, message: "the expression is more than \(Self.treeLimit) operations deep")
    }
    return syntax
  }

  private mutating func nested<T>(_ body: (inout Parser) throws(Diagnostic) -> T) throws(Diagnostic) -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else {
      throw Diagnostic(
        offset: current.offset, length: 1,
        message: "expressions stand within each other more than \(Self.depthLimit) deep")
    }
    return try body(&self)
  }

  mutating func expression() throws(Diagnostic) -> Syntax {
    try nested { (parser) throws(Diagnostic) in
      let start = parser.current.offset
      let condition = try parser.binary(0)
      guard parser.current.isSymbol("?") else { return condition }
      _ = parser.advance()
      let yes = try parser.binary(0)
      try parser.expect(":")
      let no = try parser.expression()
      return try parser.node(.conditional(condition, yes, no), from: start)
    }
  }

  private static let levels: [Set<String>] = [
    ["||"], ["&&"], ["<", "<=", ">=", ">", "==", "!=", "in"], ["+", "-"], ["*", "/", "%"],
  ]

  private var operatorText: String? {
    switch current.kind {
    case .symbol(let text): text
    case .identifier("in"): "in"
    default: nil
    }
  }

  private mutating func binary(_ level: Int) throws(Diagnostic) -> Syntax {
    guard level < Self.levels.count else { return try unary() }
    let start = current.offset
    var operands = [try binary(level + 1)]
    var ends = [end]
    var operators: [String] = []
    while let text = operatorText, Self.levels[level].contains(text) {
      _ = advance()
      operators.append(text)
      operands.append(try binary(level + 1))
      ends.append(end)
    }
    guard !operators.isEmpty else { return operands[0] }
    if level < 2 { return try balanced(operands[...], isOr: level == 0, start, ends) }
    var result = operands[0]
    for (place, text) in operators.enumerated() {
      result = try bounded(
        Syntax(.binary(text, result, operands[place + 1]), offset: start, length: ends[place + 1] - start))
      nodeCount += 1
      guard place < 512, nodeCount <= Self.nodeLimit else {
        throw Diagnostic(offset: start, length: 1, message: "too many operators in a row")
      }
    }
    return result
  }

  /// `&&` and `||` chains as a balanced tree, so that a long one is not deep.
  private mutating func balanced(
    _ operands: ArraySlice<Syntax>, isOr: Bool, _ start: Int, _ ends: [Int]
  ) throws(Diagnostic) -> Syntax {
    guard operands.count > 1 else { return operands[operands.startIndex] }
    let middle = operands.startIndex + operands.count / 2
    let left = try balanced(operands[..<middle], isOr: isOr, start, ends)
    let right = try balanced(operands[middle...], isOr: isOr, operands[middle].offset, ends)
    nodeCount += 1
    let length = ends[operands.endIndex - 1] - start
    return try bounded(Syntax(isOr ? .or(left, right) : .and(left, right), offset: start, length: length))
  }

  /// Where the last token ends.
  private var end: Int {
    let last = tokens[max(0, index - 1)]
    return last.offset + last.length
  }

  private mutating func unary() throws(Diagnostic) -> Syntax {
    let start = current.offset
    if current.isSymbol("!") {
      return try nested { (parser) throws(Diagnostic) in
        _ = parser.advance()
        let operand = try parser.unary()
        return try parser.node(.not(operand), from: start)
      }
    }
    guard current.isSymbol("-") else { return try member() }
    return try nested { (parser) throws(Diagnostic) in
      _ = parser.advance()
      if case .int(let magnitude) = parser.current.kind, magnitude == 1 << 63 {
        _ = parser.advance()
        return try parser.suffixes(try parser.node(.literal(.int(.min)), from: start), start)
      }
      let operand = try parser.unary()
      switch operand.kind {
      case .literal(.int(let value)) where value != .min:
        return try parser.node(.literal(.int(0 &- value)), from: start)
      case .literal(.double(let value)): return try parser.node(.literal(.double(-value)), from: start)
      default: return try parser.node(.negate(operand), from: start)
      }
    }
  }
}
