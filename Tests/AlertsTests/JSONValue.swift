import Foundation

/// A JSON value read by Foundation, for the tests to look into.
enum JSONValue: Hashable, Decodable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    // The kinds in the order of their frequency: each that does not fit costs a thrown error.
    if let text = try? value.decode(String.self) {
      self = .string(text)
    } else if let members = try? value.decode([String: JSONValue].self) {
      self = .object(members)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let elements = try? value.decode([JSONValue].self) {
      self = .array(elements)
    } else if let flag = try? value.decode(Bool.self) {
      self = .bool(flag)
    } else if value.decodeNil() {
      self = .null
    } else {
      throw DecodingError.dataCorruptedError(in: value, debugDescription: "no JSON value")
    }
  }

  init(_ bytes: [UInt8]) throws { self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes)) }

  /// The member or element at a path such as `resources.0.uid`; nil where there is none.
  subscript(path: String) -> JSONValue? {
    var value = self
    for step in path.split(separator: ".") {
      switch value {
      case .object(let members):
        guard let member = members[String(step)] else { return nil }
        value = member
      case .array(let elements):
        guard let index = Int(step), elements.indices.contains(index) else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }

  /// The value with what stands at a path replaced; nil removes a member.
  func replacing(_ path: some Sequence<String>, by new: JSONValue?) -> JSONValue {
    var rest = Array(path)
    if rest.isEmpty { return new ?? .null }
    let step = rest.removeFirst()
    switch self {
    case .object(var members):
      if rest.isEmpty {
        members[step] = new
      } else {
        members[step] = members[step]?.replacing(rest, by: new)
      }
      return .object(members)
    case .array(var elements):
      if let index = Int(step), elements.indices.contains(index) {
        elements[index] = elements[index].replacing(rest, by: new)
      }
      return .array(elements)
    default: return self
    }
  }

  /// The paths of all objects within, the value's own among them.
  var objectPaths: [[String]] {
    switch self {
    case .object(let members):
      [[]] + members.sorted { $0.key < $1.key }.flatMap { name, value in value.objectPaths.map { [name] + $0 } }
    case .array(let elements):
      elements.enumerated().flatMap { index, value in value.objectPaths.map { ["\(index)"] + $0 } }
    default: []
    }
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  var number: Double? { if case .number(let number) = self { number } else { nil } }
  var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  var object: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }
}
