/// A JSON value and where in its line it begins.
struct JSONNode {
  indirect enum Value {
    case null
    case bool(Bool)
    /// As written.
    case number(String)
    case string(String)
    case array([JSONNode])
    case object([(name: String, value: JSONNode)])
  }

  var value: Value
  /// In the bytes that were read.
  var offset: Int

  /// What a person calls it.
  var kind: String {
    switch value {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }

  /// The value at a JSON Pointer's reference tokens; nil where there is none.
  func at(_ tokens: [String]) -> JSONNode? {
    var node = self
    for token in tokens {
      switch node.value {
      case .object(let members):
        guard let member = members.first(where: { $0.name == token }) else { return nil }
        node = member.value
      case .array(let elements):
        guard let index = Int(token), elements.indices.contains(index), String(index) == token else { return nil }
        node = elements[index]
      case .null, .bool, .number, .string:
        return nil
      }
    }
    return node
  }
}

/// The reference tokens of a JSON Pointer (RFC 6901); nil where the text is none.
func referenceTokens(_ pointer: String) -> [String]? {
  if pointer.isEmpty { return [] }
  guard pointer.first == "/" else { return nil }
  var tokens: [String] = []
  for part in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
    var token = ""
    var isEscaped = false
    for character in part {
      switch (isEscaped, character) {
      case (true, "0"): token.append("~")
      case (true, "1"): token.append("/")
      case (true, _): return nil
      case (false, "~"): break
      case (false, _): token.append(character)
      }
      isEscaped = !isEscaped && character == "~"
    }
    if isEscaped { return nil }
    tokens.append(token)
  }
  return tokens
}

/// Reads one JSON text (RFC 8259), strictly: UTF-8, no name twice, nothing after it. Off the hot path.
struct JSONReader {
  struct Failure: Error {
    var offset: Int
    var message: String
  }

  static let depthLimit = 64

  private let bytes: ArraySlice<UInt8>
  private var next: Int

  private init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    next = bytes.startIndex
  }

  /// The value of the whole text.
  static func read(_ bytes: ArraySlice<UInt8>) throws(Failure) -> JSONNode {
    var reader = JSONReader(bytes)
    let node = try reader.readValue(depth: 0)
    reader.skipBlanks()
    if reader.next < bytes.endIndex { throw reader.failure("there is more after the value's end") }
    return node
  }

  private var offset: Int { next - bytes.startIndex }
  private var current: UInt8? { next < bytes.endIndex ? bytes[next] : nil }

  private func failure(_ message: String) -> Failure { Failure(offset: offset, message: "not JSON: \(message)") }

  private mutating func skipBlanks() {
    while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A { next += 1 }
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: scalar) else { return false }
    next += 1
    return true
  }

  private mutating func readValue(depth: Int) throws(Failure) -> JSONNode {
    if depth > Self.depthLimit { throw failure("it is nested more than \(Self.depthLimit) deep") }
    skipBlanks()
    let start = offset
    let value: JSONNode.Value
    switch current {
    case UInt8(ascii: "{"): value = try readObject(depth)
    case UInt8(ascii: "["): value = try readArray(depth)
    case UInt8(ascii: "\""): value = .string(try readString())
    case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): value = .number(try readNumber())
    default: value = try readWord()
    }
    return JSONNode(value: value, offset: start)
  }

  private mutating func readWord() throws(Failure) -> JSONNode.Value {
    for (word, value) in [("true", JSONNode.Value.bool(true)), ("false", .bool(false)), ("null", .null)]
    where bytes[next...].starts(with: word.utf8) {
      next += word.utf8.count
      return value
    }
    throw failure(next == bytes.endIndex ? "it ends too early" : "a value is expected here")
  }

  private mutating func readArray(_ depth: Int) throws(Failure) -> JSONNode.Value {
    next += 1
    var elements: [JSONNode] = []
    skipBlanks()
    if take("]") { return .array(elements) }
    repeat {
      elements.append(try readValue(depth: depth + 1))
      skipBlanks()
    } while take(",")
    if !take("]") { throw failure("`,` or `]` is expected here") }
    return .array(elements)
  }

  private mutating func readObject(_ depth: Int) throws(Failure) -> JSONNode.Value {
    next += 1
    var members: [(name: String, value: JSONNode)] = []
    var names: Set<String> = []
    skipBlanks()
    if take("}") { return .object(members) }
    repeat {
      skipBlanks()
      if current != UInt8(ascii: "\"") { throw failure("a name in quotes is expected here") }
      let start = offset
      let name = try readString()
      if !names.insert(name).inserted {
        throw Failure(offset: start, message: "the name \(quoted(name.utf8)) stands twice: which one is meant?")
      }
      skipBlanks()
      if !take(":") { throw failure("`:` is expected here") }
      members.append((name, try readValue(depth: depth + 1)))
      skipBlanks()
    } while take(",")
    if !take("}") { throw failure("`,` or `}` is expected here") }
    return .object(members)
  }

  private mutating func readNumber() throws(Failure) -> String {
    let start = next
    _ = take("-")
    if !take("0") { try readDigits() }
    if take(".") { try readDigits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try readDigits()
    }
    return String(decoding: bytes[start..<next], as: UTF8.self)
  }

  private mutating func readDigits() throws(Failure) {
    let start = next
    while let byte = current, (0x30...0x39).contains(byte) { next += 1 }
    if next == start { throw failure("a digit is expected here") }
  }

  private mutating func readString() throws(Failure) -> String {
    next += 1
    var content: [UInt8] = []
    while let byte = current, byte != UInt8(ascii: "\"") {
      if byte < 0x20 { throw failure("a control character in a text: escape it") }
      next += 1
      if byte == UInt8(ascii: "\\") {
        content += Array(String(try readEscape()).utf8)
      } else {
        content.append(byte)
      }
    }
    if !take("\"") { throw failure("a text that is never closed") }
    guard let text = text(content) else { throw failure("the text before this is not UTF-8: save the list as UTF-8") }
    return text
  }

  private mutating func readEscape() throws(Failure) -> Unicode.Scalar {
    let byte = current
    next += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try readUnicodeEscape()
    default:
      next -= 1
      throw failure("an unknown escape")
    }
  }

  private mutating func readUnicodeEscape() throws(Failure) -> Unicode.Scalar {
    var value = try readHexadecimal()
    if (0xD800..<0xDC00).contains(value) {
      guard take("\\"), take("u") else { throw failure("half of a surrogate pair") }
      let low = try readHexadecimal()
      guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
      value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw failure("half of a surrogate pair") }
    return scalar
  }

  private mutating func readHexadecimal() throws(Failure) -> UInt32 {
    guard next + 4 <= bytes.endIndex,
      bytes[next..<next + 4].allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
      let value = UInt32(String(decoding: bytes[next..<next + 4], as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits are expected here") }
    next += 4
    return value
  }
}
