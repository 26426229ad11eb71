import Foundation

/// The part of JSON Schema (draft 2020-12) that the alert's schema uses. A keyword that it does not know is an error, so
/// that no keyword of the schema goes unchecked.
struct SchemaValidator {
  struct UnknownKeyword: Error { var keyword: String }

  let schema: JSONValue

  /// What is wrong with a value, each with its path; empty where it is valid.
  func problems(_ value: JSONValue) throws -> [String] { try problems(value, schema, "$") }

  private func problems(_ value: JSONValue, _ schema: JSONValue, _ path: String) throws -> [String] {
    var found: [String] = []
    for (keyword, rule) in schema.object ?? [:] {
      switch keyword {
      case "$schema", "$id", "$defs", "title", "description": break
      case "$ref": found += try problems(value, resolve(rule), path)
      case "type": found += isOfType(value, rule) ? [] : ["\(path) is not \(rule)"]
      case "const": found += value == rule ? [] : ["\(path) is not \(rule)"]
      case "enum": found += rule.array?.contains(value) == true ? [] : ["\(path) is none of \(rule)"]
      case "minItems":
        if let count = value.array?.count, Double(count) < rule.number ?? 0 { found.append("\(path) is too short") }
      case "items":
        for (index, element) in (value.array ?? []).enumerated() {
          found += try problems(element, rule, "\(path)[\(index)]")
        }
      case "required":
        guard let members = value.object else { break }
        for name in (rule.array ?? []).compactMap(\.string) where members[name] == nil {
          found.append("\(path).\(name) is missing")
        }
      case "properties":
        for (name, schema) in rule.object ?? [:] {
          if let member = value.object?[name] { found += try problems(member, schema, "\(path).\(name)") }
        }
      case "additionalProperties": found += try additional(value, rule, schema, path)
      default: throw UnknownKeyword(keyword: keyword)
      }
    }
    return found
  }

  private func additional(
    _ value: JSONValue, _ rule: JSONValue, _ schema: JSONValue, _ path: String
  ) throws -> [String] {
    let known = schema["properties"]?.object ?? [:]
    var found: [String] = []
    for (name, member) in value.object ?? [:] where known[name] == nil {
      if rule == .bool(false) {
        found.append("\(path).\(name) is not known")
      } else {
        found += try problems(member, rule, "\(path).\(name)")
      }
    }
    return found
  }

  func resolve(_ reference: JSONValue) -> JSONValue {
    let path = String((reference.string ?? "").dropFirst(2)).replacing("/", with: ".")
    return schema[path] ?? .object(["unresolved": reference])
  }

  private func isOfType(_ value: JSONValue, _ rule: JSONValue) -> Bool {
    if let names = rule.array { return names.contains { isOfType(value, $0) } }
    switch (value, rule.string) {
    case (.null, "null"), (.bool, "boolean"), (.number, "number"), (.string, "string"), (.array, "array"),
      (.object, "object"):
      return true
    case (.number(let number), "integer"): return number == number.rounded()
    default: return false
    }
  }
}

/// Files of this repository that the tests read.
enum Repository {
  static let tests = URL(filePath: #filePath).deletingLastPathComponent()
  static let root = tests.deletingLastPathComponent().deletingLastPathComponent()

  static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: root.appending(path: path))) }

  private static let alertSchema = Result {
    SchemaValidator(schema: try JSONValue(bytes("docs/schema/alert-1.0.0.json")))
  }

  /// The schema of alerts, read once.
  static func schema() throws -> SchemaValidator { try alertSchema.get() }
}
