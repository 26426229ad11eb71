/// JSON by RFC 8259, slow and plain: what the fast decoder is compared with. Numbers keep their text.
indirect enum ReferenceJSON: Equatable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([ReferenceJSON])
  /// Members in order; names may repeat.
  case object([(name: String, value: ReferenceJSON)])

  static func == (left: ReferenceJSON, right: ReferenceJSON) -> Bool { "\(left)" == "\(right)" }

  struct Malformed: Error {}

  static func parse(_ bytes: [UInt8]) throws -> ReferenceJSON {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Malformed() }
    var parser = Parser(scalars: Array(text.unicodeScalars))
    parser.skipSpace()
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.isAtEnd else { throw Malformed() }
    return value
  }

  /// The last value under each name of the path, or nil; throws nothing: arrays are not entered.
  func at(_ path: [String]) -> ReferenceJSON? {
    guard let first = path.first else { return self }
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == first }?.value.at(Array(path.dropFirst()))
  }

  /// Whether any object on the way to the path has the wanted name twice.
  func isRepeated(_ path: [String]) -> Bool {
    guard let first = path.first, case .object(let members) = self else { return false }
    let found = members.filter { $0.name == first }
    return found.count > 1 || found.contains { $0.value.isRepeated(Array(path.dropFirst())) }
  }

  private struct Parser {
    var scalars: [Unicode.Scalar]
    var index = 0
    var isAtEnd: Bool { index == scalars.count }

    mutating func skipSpace() {
      while index < scalars.count, " \n\t\r".unicodeScalars.contains(scalars[index]) { index += 1 }
    }

    func peek() throws -> Unicode.Scalar {
      guard index < scalars.count else { throw Malformed() }
      return scalars[index]
    }

    mutating func take(_ text: String) throws {
      for scalar in text.unicodeScalars {
        guard try peek() == scalar else { throw Malformed() }
        index += 1
      }
    }

    mutating func value(depth: Int) throws -> ReferenceJSON {
      guard depth < 64 else { throw Malformed() }
      switch try peek() {
      case "{": return try object(depth)
      case "[": return try array(depth)
      case "\"": return .string(try string())
      case "t":
        try take("true")
        return .bool(true)
      case "f":
        try take("false")
        return .bool(false)
      case "n":
        try take("null")
        return .null
      default: return .number(try number())
      }
    }

    mutating func object(_ depth: Int) throws -> ReferenceJSON {
      try take("{")
      skipSpace()
      var members: [(name: String, value: ReferenceJSON)] = []
      if try peek() == "}" {
        try take("}")
        return .object([])
      }
      while true {
        skipSpace()
        let name = try string()
        skipSpace()
        try take(":")
        skipSpace()
        members.append((name, try value(depth: depth + 1)))
        skipSpace()
        if try peek() == "}" { break }
        try take(",")
      }
      try take("}")
      return .object(members)
    }

    mutating func array(_ depth: Int) throws -> ReferenceJSON {
      try take("[")
      skipSpace()
      var elements: [ReferenceJSON] = []
      if try peek() == "]" {
        try take("]")
        return .array([])
      }
      while true {
        skipSpace()
        elements.append(try value(depth: depth + 1))
        skipSpace()
        if try peek() == "]" { break }
        try take(",")
      }
      try take("]")
      return .array(elements)
    }

    mutating func string() throws -> String {
      try take("\"")
      var units: [UInt16] = []
      while true {
        let scalar = try peek()
        index += 1
        if scalar == "\"" { break }
        guard scalar.value >= 0x20 else { throw Malformed() }
        guard scalar == "\\" else {
          units.append(contentsOf: String(Character(scalar)).utf16)
          continue
        }
        let escape = try peek()
        index += 1
        let plain: [Unicode.Scalar: UInt16] = [
          "\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
        ]
        if let unit = plain[escape] {
          units.append(unit)
        } else if escape == "u" {
          units.append(try hexadecimal())
        } else {
          throw Malformed()
        }
      }
      guard let text = String(validating: units, as: UTF16.self) else { throw Malformed() }
      return text
    }

    mutating func hexadecimal() throws -> UInt16 {
      var text = ""
      for _ in 0..<4 {
        let scalar = try peek()
        guard scalar.isASCII, scalar.properties.isASCIIHexDigit else { throw Malformed() }
        text.unicodeScalars.append(scalar)
        index += 1
      }
      guard let unit = UInt16(text, radix: 16) else { throw Malformed() }
      return unit
    }

    mutating func digits() throws -> String {
      var text = ""
      while index < scalars.count, ("0"..."9").contains(scalars[index]) {
        text.unicodeScalars.append(scalars[index])
        index += 1
      }
      guard !text.isEmpty else { throw Malformed() }
      return text
    }

    mutating func number() throws -> String {
      var text = ""
      if try peek() == "-" {
        try take("-")
        text = "-"
      }
      let integer = try digits()
      guard integer == "0" || !integer.hasPrefix("0") else { throw Malformed() }
      text += integer
      if index < scalars.count, scalars[index] == "." {
        index += 1
        text += "." + (try digits())
      }
      if index < scalars.count, scalars[index] == "e" || scalars[index] == "E" {
        text += "e"
        index += 1
        if index < scalars.count, scalars[index] == "-" || scalars[index] == "+" {
          text.unicodeScalars.append(scalars[index])
          index += 1
        }
        text += try digits()
      }
      return text
    }
  }
}
