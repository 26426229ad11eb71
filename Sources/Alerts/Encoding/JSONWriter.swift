internal import Events

/// Writes JSON (RFC 8259) without blanks, members in the order in which they are given. A member without a value is left
/// out.
struct JSONWriter {
  private(set) var bytes: [UInt8] = []
  /// Whether the container that is open has something in it already.
  private var needsComma = false

  /// An object: the whole text, or an element of a list.
  mutating func object(_ members: (inout JSONWriter) -> Void) {
    separate()
    container("{", "}", members)
  }

  /// A member that is an object.
  mutating func object(_ name: String, _ members: (inout JSONWriter) -> Void) {
    self.name(name)
    container("{", "}", members)
  }

  /// A member that is a list; it is left out where it has no elements.
  mutating func list<Element>(
    _ name: String, _ elements: [Element], _ element: (inout JSONWriter, Element) -> Void
  ) {
    if elements.isEmpty { return }
    self.name(name)
    container("[", "]") { json in
      for value in elements { element(&json, value) }
    }
  }

  /// A member that is a list of texts.
  mutating func list(_ name: String, _ texts: [String]) {
    list(name, texts) { json, text in json.element(.string(text)) }
  }

  /// A text.
  mutating func member(_ name: String, _ text: String?) {
    guard let text else { return }
    self.name(name)
    string(text)
  }

  /// A whole number.
  mutating func member(_ name: String, _ number: (some FixedWidthInteger)?) {
    guard let number else { return }
    self.name(name)
    bytes += String(number).utf8
  }

  /// True or false.
  mutating func member(_ name: String, _ flag: Bool) {
    self.name(name)
    bytes += (flag ? "true" : "false").utf8
  }

  /// A value; null is left out.
  mutating func member(_ name: String, _ value: Scalar?) {
    guard let value, value != .null else { return }
    self.name(name)
    scalar(value)
  }

  /// An element of a list.
  mutating func element(_ value: Scalar) {
    separate()
    scalar(value)
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func name(_ name: String) {
    separate()
    string(name)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func container(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ content: (inout JSONWriter) -> Void
  ) {
    bytes.append(UInt8(ascii: open))
    needsComma = false
    content(&self)
    bytes.append(UInt8(ascii: close))
    needsComma = true
  }

  /// Integers as numbers; finite doubles as the shortest number that reads back the same; what JSON's numbers can't hold
  /// exactly as its text.
  private mutating func scalar(_ value: Scalar) {
    switch value {
    case .null: bytes += "null".utf8
    case .bool, .int, .uint: bytes += value.text.utf8
    case .double(let number) where number.isFinite: bytes += number.description.utf8
    case .double(let number): string(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
    case .string(let text): string(text)
    case .decimal, .timestamp, .duration: string(value.text)
    case .list(let elements):
      container("[", "]") { json in
        for value in elements { json.element(value) }
      }
    }
  }
}

extension JSONWriter {
  /// What stands for a byte of a text: `\` and this letter, `\u00` and two hex digits (0), or the byte itself (nil).
  private static func escape(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
    case 0x08: UInt8(ascii: "b")
    case 0x09: UInt8(ascii: "t")
    case 0x0A: UInt8(ascii: "n")
    case 0x0C: UInt8(ascii: "f")
    case 0x0D: UInt8(ascii: "r")
    case 0..<0x20: 0
    default: nil
    }
  }

  /// Bytes that a character of a text takes in JSON.
  static func encodedCount(_ scalar: Unicode.Scalar) -> Int {
    guard scalar.isASCII else { return UTF8.width(scalar) }
    switch escape(UInt8(truncatingIfNeeded: scalar.value)) {
    case .none: return 1
    case .some(0): return longestEscape
    case .some: return 2
    }
  }

  /// Bytes of the longest escape, `\u001f`.
  static let longestEscape = 6

  fileprivate mutating func string(_ text: String) {
    let digits: StaticString = "0123456789abcdef"
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch Self.escape(byte) {
      case .none:
        bytes.append(byte)
      case .some(0):
        bytes += "\\u00".utf8
        bytes.append(digits.utf8Start[Int(byte >> 4)])
        bytes.append(digits.utf8Start[Int(byte & 15)])
      case .some(let letter):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(letter)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
