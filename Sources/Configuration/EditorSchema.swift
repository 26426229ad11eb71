/// A JSON Schema (draft 2020-12) of a file, for editors that complete and check YAML; made from the declarations.
public enum EditorSchema {
  /// The schema as JSON text, ended by a line feed.
  public static func json(_ root: SectionDeclaration, title: String) -> String {
    let head = [
      "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\"", "\"title\": \(quote(title))",
    ]
    return "{\n  " + (head + members(root)).joined(separator: ",\n  ") + "\n}\n"
  }

  /// - Parameter isDescribed: false for a section of its own setting, which says what it is for.
  private static func members(_ section: SectionDeclaration, isDescribed: Bool = true) -> [String] {
    let settings = section.settings.filter { $0.availability == .now }
    var members = ["\"type\": \"object\""]
    if isDescribed { members.append("\"description\": \(quote(section.text))") }
    members.append(
      "\"properties\": {" + settings.map { "\(quote($0.name)): \(schema($0))" }.joined(separator: ", ") + "}")
    let required = settings.filter(\.isRequired).map { quote($0.name) }
    if !required.isEmpty { members.append("\"required\": [\(required.joined(separator: ", "))]") }
    members.append("\"additionalProperties\": false")
    return members
  }

  private static func object(_ section: SectionDeclaration) -> String {
    "{" + members(section).joined(separator: ", ") + "}"
  }

  private static func schema(_ setting: SettingDeclaration) -> String {
    var text = setting.text
    if let fallback = setting.defaultText { text += " (default: \(fallback))" }
    let type = type(setting.kind)
    return "{\"description\": \(quote(text))" + (type.isEmpty ? "" : ", " + type) + "}"
  }

  private static func type(_ kind: SettingDeclaration.Kind) -> String {
    switch kind {
    case .text: "\"type\": [\"string\", \"number\", \"boolean\"]"
    case .integer(let bounds):
      "\"type\": [\"integer\", \"string\"], \"minimum\": \(bounds.lowerBound), \"maximum\": \(bounds.upperBound)"
    case .number(let bounds):
      "\"type\": [\"number\", \"string\"]" + bound("minimum", bounds.lowerBound) + bound("maximum", bounds.upperBound)
    case .flag: "\"type\": [\"boolean\", \"string\"]"
    case .duration: "\"type\": \"string\", \"pattern\": \"^(\\\\$\\\\{.*|([0-9.]+(ns|us|ms|s|m|h|d|w))+)$\""
    case .bytes: "\"type\": [\"integer\", \"string\"]"
    case .choice(let words): "\"enum\": [\(words.map(quote).joined(separator: ", "))]"
    case .expressions:
      "\"anyOf\": [{\"type\": [\"string\", \"boolean\"]}, "
        + "{\"type\": \"array\", \"items\": {\"type\": [\"string\", \"boolean\"]}}]"
    case .texts: "\"type\": \"array\", \"items\": {\"type\": [\"string\", \"number\"]}"
    case .section(let declaration): members(declaration, isDescribed: false).joined(separator: ", ")
    case .sections(let declaration): "\"type\": \"object\", \"additionalProperties\": \(object(declaration))"
    case .sectionList(let declaration): "\"type\": \"array\", \"items\": \(object(declaration))"
    case .map: "\"type\": \"object\""
    case .custom: ""
    }
  }

  /// JSON has no word for an infinite bound.
  private static func bound(_ name: String, _ value: Double) -> String {
    value.isFinite ? ", \"\(name)\": \(value)" : ""
  }

  static func quote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\" + String(scalar)
      case "\n": result += "\\n"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
