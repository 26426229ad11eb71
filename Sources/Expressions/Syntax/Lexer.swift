internal import Foundation

/// Cuts an expression into tokens, by CEL's lexical grammar (cel-spec, langdef.md, "Syntax").
struct Lexer {
  private let source: [UInt8]
  private var index = 0

  init(_ source: String) { self.source = Array(source.utf8) }

  private init(_ source: [UInt8], _ index: Int) {
    self.source = source
    self.index = index
  }

  static func tokens(_ source: String) throws(Diagnostic) -> [Token] {
    var lexer = Lexer(source)
    var tokens: [Token] = []
    while true {
      let token = try lexer.next()
      tokens.append(token)
      if token.kind == .end { return tokens }
    }
  }

  /// Where the expression that begins at `start` ends with a `}` that it did not open; nil where there is none, or where
  /// what stands there can't be cut into tokens.
  static func closingBrace(_ source: [UInt8], from start: Int) -> Int? {
    var lexer = Lexer(source, start)
    var depth = 0
    while let token = try? lexer.next(), token.kind != .end {
      if token.isSymbol("{") { depth += 1 }
      guard token.isSymbol("}") else { continue }
      if depth == 0 { return token.offset }
      depth -= 1
    }
    return nil
  }

  private var current: UInt8? { index < source.count ? source[index] : nil }
  private func peek(_ distance: Int) -> UInt8? { index + distance < source.count ? source[index + distance] : nil }

  private mutating func skipSpace() {
    while let byte = current {
      if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "/") {
        while let byte = current, byte != UInt8(ascii: "\n") { index += 1 }
      } else if [0x20, 0x09, 0x0A, 0x0C, 0x0D].contains(byte) {
        index += 1
      } else {
        return
      }
    }
  }

  private mutating func next() throws(Diagnostic) -> Token {
    skipSpace()
    let start = index
    guard let byte = current else { return Token(kind: .end, offset: start, length: 0) }
    if Self.isDigit(byte) || (byte == UInt8(ascii: ".") && peek(1).map(Self.isDigit) ?? false) {
      return try number(start)
    }
    if let literal = try stringLiteral(start) { return literal }
    if Self.isLetter(byte) {
      while let byte = current, Self.isLetter(byte) || Self.isDigit(byte) { index += 1 }
      return token(.identifier(String(decoding: source[start..<index], as: UTF8.self)), start)
    }
    if byte == UInt8(ascii: "`") { return try quotedIdentifier(start) }
    for symbol in ["&&", "||", "==", "!=", "<=", ">="] where source[index...].starts(with: symbol.utf8) {
      index += 2
      return token(.symbol(symbol), start)
    }
    if "+-*/%!<>?:.,()[]{}".utf8.contains(byte) {
      index += 1
      return token(.symbol(String(UnicodeScalar(byte))), start)
    }
    throw unexpected(byte)
  }

  private func unexpected(_ byte: UInt8) -> Diagnostic {
    let character =
      String(decoding: source[index..<min(index + 4, source.count)], as: UTF8.self).first.map(String.init) ?? "?"
    var hint: String?
    switch byte {
    case UInt8(ascii: "="): hint = "equality is `==`"
    case UInt8(ascii: "&"): hint = "and is `&&`"
    case UInt8(ascii: "|"): hint = "or is `||`"
    default: break
    }
    return Diagnostic(
      offset: index, length: character.utf8.count, message: "`\(character)` has no meaning here", hint: hint)
  }

  private func token(_ kind: Token.Kind, _ start: Int) -> Token {
    Token(kind: kind, offset: start, length: index - start)
  }

  private func error(_ start: Int, _ message: String, hint: String? = nil) -> Diagnostic {
    Diagnostic(offset: start, length: max(1, index - start), message: message, hint: hint)
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
  static func isLetter(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
  }
  static func hexadecimal(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 48...57: UInt32(byte - 48)
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private mutating func quotedIdentifier(_ start: Int) throws(Diagnostic) -> Token {
    index += 1
    let first = index
    while let byte = current, byte != UInt8(ascii: "`") {
      guard Self.isLetter(byte) || Self.isDigit(byte) || "_.-/ ".utf8.contains(byte) else { throw unexpected(byte) }
      index += 1
    }
    guard current != nil, index > first else { throw error(start, "a name in backticks does not end") }
    let name = String(decoding: source[first..<index], as: UTF8.self)
    index += 1
    return token(.quotedIdentifier(name), start)
  }

  // MARK: Numbers

  private mutating func number(_ start: Int) throws(Diagnostic) -> Token {
    if current == UInt8(ascii: "0"), peek(1).map({ $0 | 0x20 == UInt8(ascii: "x") }) ?? false {
      index += 2
      let digits = index
      while let byte = current, Self.hexadecimal(byte) != nil { index += 1 }
      return try integer(String(decoding: source[digits..<index], as: UTF8.self), radix: 16, start)
    }
    skipDigits()
    var isDouble = false
    if current == UInt8(ascii: "."), peek(1).map(Self.isDigit) ?? false {
      isDouble = true
      index += 1
      skipDigits()
    }
    if let byte = current, byte | 0x20 == UInt8(ascii: "e") {
      let sign = peek(1).map { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") } ?? false
      if peek(sign ? 2 : 1).map(Self.isDigit) ?? false {
        isDouble = true
        index += sign ? 2 : 1
        skipDigits()
      }
    }
    let text = String(decoding: source[start..<index], as: UTF8.self)
    guard isDouble else { return try integer(text, radix: 10, start) }
    guard let value = Double(text.hasPrefix(".") ? "0" + text : text), value.isFinite else {
      throw error(start, "the number is larger than a double can be")
    }
    return token(.double(value), start)
  }

  private mutating func skipDigits() { while let byte = current, Self.isDigit(byte) { index += 1 } }

  private mutating func integer(_ digits: String, radix: Int, _ start: Int) throws(Diagnostic) -> Token {
    let value = UInt64(digits, radix: radix)
    let isUnsigned = current.map { $0 | 0x20 == UInt8(ascii: "u") } ?? false
    if isUnsigned { index += 1 }
    if let byte = current, Self.isLetter(byte) || Self.isDigit(byte) {
      index += 1
      throw error(start, "a number is followed by a letter", hint: "put a space or an operator between them")
    }
    guard let value else { throw error(start, "the number does not fit 64 bits") }
    return token(isUnsigned ? .uint(value) : .int(value), start)
  }

  // MARK: Strings and bytes

  private mutating func stringLiteral(_ start: Int) throws(Diagnostic) -> Token? {
    var isBytes = false
    var isRaw = false
    var ahead = 0
    if let byte = peek(ahead), byte | 0x20 == UInt8(ascii: "b") {
      isBytes = true
      ahead += 1
    }
    if let byte = peek(ahead), byte | 0x20 == UInt8(ascii: "r") {
      isRaw = true
      ahead += 1
    }
    if !isBytes, isRaw, let byte = peek(ahead), byte | 0x20 == UInt8(ascii: "b") {
      isBytes = true
      ahead += 1
    }
    guard let quote = peek(ahead), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
    index += ahead
    let isTriple = peek(1) == quote && peek(2) == quote
    index += isTriple ? 3 : 1
    var content: [UInt8] = []
    while true {
      guard let byte = current else { throw error(start, "a text does not end", hint: "the closing quote is missing") }
      if byte == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
        index += isTriple ? 3 : 1
        break
      }
      if !isTriple, byte == 0x0A || byte == 0x0D { throw error(start, "a text does not end on its line") }
      if byte == UInt8(ascii: "\\"), !isRaw {
        try escape(isBytes, &content)
      } else {
        content.append(byte)
        index += 1
      }
    }
    return token(isBytes ? .bytes(content) : .string(String(decoding: content, as: UTF8.self)), start)
  }

  private static let simpleEscapes: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
    UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "?"): 0x3F,
    UInt8(ascii: "\""): 0x22, UInt8(ascii: "'"): 0x27, UInt8(ascii: "`"): 0x60,
  ]

  private mutating func escape(_ isBytes: Bool, _ content: inout [UInt8]) throws(Diagnostic) {
    let start = index
    index += 1
    guard let byte = current else { throw error(start, "a text does not end") }
    index += 1
    if let simple = Self.simpleEscapes[byte] {
      content.append(simple)
      return
    }
    switch byte {
    case UInt8(ascii: "x"), UInt8(ascii: "X"): try append(try digits(2, radix: 16, start), isBytes, start, &content)
    case UInt8(ascii: "u") where !isBytes: try append(try digits(4, radix: 16, start), false, start, &content)
    case UInt8(ascii: "U") where !isBytes: try append(try digits(8, radix: 16, start), false, start, &content)
    case UInt8(ascii: "0")...UInt8(ascii: "3"):
      index -= 1
      try append(try digits(3, radix: 8, start), isBytes, start, &content)
    default:
      throw error(
        start, "`\\\(String(UnicodeScalar(byte)))` is no escape",
        hint: "a backslash itself is `\\\\`; r'...' takes it as it is")
    }
  }

  private mutating func digits(_ count: Int, radix: UInt32, _ start: Int) throws(Diagnostic) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let byte = current, let digit = Self.hexadecimal(byte), digit < radix else {
        throw error(start, "an escape needs \(count) digits")
      }
      value = value &* radix &+ digit
      index += 1
    }
    return value
  }

  private func append(_ value: UInt32, _ isByte: Bool, _ start: Int, _ content: inout [UInt8]) throws(Diagnostic) {
    if isByte {
      guard value < 256 else { throw error(start, "a byte is at most 255") }
      return content.append(UInt8(value))
    }
    guard let scalar = UnicodeScalar(value) else { throw error(start, "the escape is no Unicode character") }
    content.append(contentsOf: Array(String(Character(scalar)).utf8))
  }
}
