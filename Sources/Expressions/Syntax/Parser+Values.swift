/// Values, and what is selected from them.
extension Parser {
  /// Words that CEL keeps for later; a field may be called so all the same.
  private static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
  ]

  mutating func member() throws(Diagnostic) -> Syntax {
    let start = current.offset
    return try suffixes(try primary(), start)
  }

  mutating func suffixes(_ first: Syntax, _ start: Int) throws(Diagnostic) -> Syntax {
    var result = first
    var count = 0
    while true {
      count += 1
      guard count < 200 else { throw Diagnostic(offset: start, length: 1, message: "too many selections in a row") }
      if current.isSymbol(".") {
        _ = advance()
        if current.isSymbol("?") { throw unsupported("optional selection (`.?`)") }
        let name = try selector()
        if current.isSymbol("(") {
          result = try node(.call(name, target: result, try arguments()), from: start)
        } else {
          result = try node(.select(result, name), from: start)
        }
      } else if current.isSymbol("[") {
        _ = advance()
        if current.isSymbol("?") { throw unsupported("optional index (`[?`)") }
        let place = try expression()
        try expect("]")
        result = try node(.index(result, place), from: start)
      } else if current.isSymbol("{"), Self.isName(result) {
        throw unsupported("a message literal")
      } else {
        return result
      }
    }
  }

  private static func isName(_ syntax: Syntax) -> Bool {
    switch syntax.kind {
    case .identifier, .rootIdentifier: true
    case .select(let target, _): isName(target)
    default: false
    }
  }

  private func unsupported(_ what: String) -> Diagnostic {
    Diagnostic(offset: current.offset, length: max(1, current.length), message: "\(what) is not supported")
  }

  private mutating func selector() throws(Diagnostic) -> String {
    switch current.kind {
    case .identifier(let name), .quotedIdentifier(let name):
      _ = advance()
      return name
    default: throw unexpected("a name")
    }
  }

  private mutating func arguments() throws(Diagnostic) -> [Syntax] {
    try expect("(")
    var arguments: [Syntax] = []
    while !current.isSymbol(")") {
      if !arguments.isEmpty { try expect(",") }
      arguments.append(try expression())
    }
    try expect(")")
    return arguments
  }

  private mutating func primary() throws(Diagnostic) -> Syntax {
    let start = current.offset
    let token = current
    switch token.kind {
    case .int(let value):
      guard let value = Int64(exactly: value) else {
        throw Diagnostic(offset: start, length: token.length, message: "the number does not fit 64 bits with a sign")
      }
      return try literal(.int(value), start)
    case .uint(let value): return try literal(.uint(value), start)
    case .double(let value): return try literal(.double(value), start)
    case .string(let value): return try literal(.string(value), start)
    case .bytes(let value): return try literal(.bytes(value), start)
    case .identifier(let name): return try identifier(name, start)
    case .symbol("."):
      _ = advance()
      guard case .identifier(let name) = current.kind else { throw unexpected("a name") }
      _ = advance()
      if current.isSymbol("(") { return try node(.call(name, target: nil, try arguments()), from: start) }
      return try node(.rootIdentifier(name), from: start)
    case .symbol("("):
      _ = advance()
      let inner = try expression()
      try expect(")")
      return inner
    case .symbol("["): return try list(start)
    case .symbol("{"): return try map(start)
    default: throw unexpected("a value")
    }
  }

  private mutating func literal(_ value: Value, _ start: Int) throws(Diagnostic) -> Syntax {
    _ = advance()
    return try node(.literal(value), from: start)
  }

  private mutating func identifier(_ name: String, _ start: Int) throws(Diagnostic) -> Syntax {
    switch name {
    case "true": return try literal(.bool(true), start)
    case "false": return try literal(.bool(false), start)
    case "null": return try literal(.null, start)
    case "in": throw unexpected("a value")
    default: break
    }
    if Self.reserved.contains(name), !fieldNames.contains(name) {
      throw Diagnostic(offset: start, length: current.length, message: "`\(name)` is a reserved word")
    }
    _ = advance()
    if current.isSymbol("(") { return try node(.call(name, target: nil, try arguments()), from: start) }
    return try node(.identifier(name), from: start)
  }

  private mutating func list(_ start: Int) throws(Diagnostic) -> Syntax {
    try expect("[")
    var elements: [Syntax] = []
    while !current.isSymbol("]") {
      if current.isSymbol("?") { throw unsupported("an optional element") }
      elements.append(try expression())
      if !current.isSymbol("]") { try expect(",") }
    }
    try expect("]")
    return try node(.list(elements), from: start)
  }

  private mutating func map(_ start: Int) throws(Diagnostic) -> Syntax {
    try expect("{")
    var entries: [(key: Syntax, value: Syntax)] = []
    while !current.isSymbol("}") {
      if current.isSymbol("?") { throw unsupported("an optional entry") }
      let key = try expression()
      try expect(":")
      entries.append((key, try expression()))
      if !current.isSymbol("}") { try expect(",") }
    }
    try expect("}")
    return try node(.map(entries), from: start)
  }
}
