internal import Configuration
internal import Events

/// Reads a type as an operator writes it.
enum FieldTypeText {
  static let words =
    ["string", "int", "double", "bool", "decimal(N)"] + TimestampUnit.allCases.map(\.rawValue)
    + ["address", "ip", "list(TYPE)"]

  static func parse(_ text: String) throws(ScalarReader.Problem) -> FieldType {
    switch text {
    case "string": return .string
    case "int": return .int
    case "double": return .double
    case "bool": return .bool
    case "address": return .address
    case "ip": return .ip
    case "timestamp":
      throw problem(text, hint: "say the unit: \(TimestampUnit.allCases.map(\.rawValue).joined(separator: ", "))")
    case "decimal": throw problem(text, hint: "say how many decimal places: decimal(2)")
    case "list": throw problem(text, hint: "say of what: list(string)")
    default: break
    }
    if let unit = TimestampUnit(rawValue: text) { return .timestamp(unit) }
    if let inside = inside(text, of: "decimal") {
      guard let scale = Int(inside), (0...38).contains(scale) else {
        throw problem(text, hint: "decimal places go from 0 to 38: decimal(2)")
      }
      return .decimal(scale: scale)
    }
    if let inside = inside(text, of: "list") {
      let element = try parse(inside)
      if case .list = element { throw problem(text, hint: "a list's elements can't be lists") }
      return .list(element)
    }
    let nearest = NearestName.find(text, among: words).map { "did you mean `\($0)`? " } ?? ""
    throw problem(text, hint: nearest + "valid are: \(words.joined(separator: ", "))")
  }

  static func isList(_ type: FieldType) -> Bool {
    if case .list = type { true } else { false }
  }

  private static func problem(_ text: String, hint: String) -> ScalarReader.Problem {
    ScalarReader.Problem(message: "`\(text)` is no type", hint: hint)
  }

  private static func inside(_ text: String, of word: String) -> String? {
    guard text.hasPrefix(word + "("), text.hasSuffix(")") else { return nil }
    return String(text.dropFirst(word.count + 1).dropLast())
  }
}
