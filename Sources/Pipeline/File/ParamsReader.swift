internal import Configuration
internal import Events
internal import Expressions

/// Reads `params`: values typed by how they are written.
struct ParamsReader {
  let context: FileContext
  private(set) var values: [String: Scalar] = [:]
  /// Names whose value can't be used.
  private(set) var unusable: Set<String> = []
  /// Where each stands.
  private(set) var names: [LocatedText] = []

  init(_ file: SectionReader, _ context: FileContext) {
    self.context = context
    for entry in file.entries("params") {
      guard context.isName(entry.name, of: "a parameter") else { continue }
      names.append(entry.name)
      if let value = value(entry.value, entry.name.text) {
        values[entry.name.text] = value
      } else {
        unusable.insert(entry.name.text)
      }
    }
  }

  private func value(_ node: YAMLNode, _ name: String) -> Scalar? {
    guard case .sequence(let sequence) = node else {
      guard let text = context.text(node, name) else { return nil }
      return scalar(text, isPlain: isPlain(node))
    }
    let elements = sequence.elements.compactMap { element -> Scalar? in
      guard let text = context.text(element, name) else { return nil }
      return scalar(text, isPlain: isPlain(element))
    }
    guard elements.count == sequence.elements.count else { return nil }
    return list(elements, node.range, name)
  }

  private func isPlain(_ node: YAMLNode) -> Bool {
    if case .scalar(let scalar) = node { scalar.style == .plain } else { false }
  }

  /// A list has one type; ints among doubles are doubles.
  private func list(_ elements: [Scalar], _ range: SourceRange, _ name: String) -> Scalar? {
    let kinds = Set(elements.map(Self.kind))
    if kinds.count <= 1 { return .list(elements) }
    guard kinds == ["int", "double"] else {
      context.bag.error(
        range, "the list `\(name)` mixes \(kinds.sorted().joined(separator: ", "))",
        hint: "a list's elements have one type: put all of them in quotes to make them text")
      return nil
    }
    return .list(elements.map { if case .int(let number) = $0 { .double(Double(number)) } else { $0 } })
  }

  private static func kind(_ value: Scalar) -> String {
    switch value {
    case .int: "int"
    case .double: "double"
    case .bool: "bool"
    default: "text"
    }
  }

  /// Plain numbers as they would be written in an expression; `0742` and `0x7F` are text, so that no code loses its zeros.
  private func scalar(_ text: LocatedText, isPlain: Bool) -> Scalar? {
    let word = text.text
    guard isPlain else { return .string(word) }
    if word == "true" || word == "false" { return .bool(word == "true") }
    let digits = word.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
    guard let first = digits.first, (0x30...0x39).contains(first), word.utf8.count - digits.count <= 1,
      digits.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) })
    else { return .string(word) }
    let integer = digits.prefix { (0x30...0x39).contains($0) }
    if integer.count > 1, first == UInt8(ascii: "0") { return .string(word) }
    if integer.count == digits.count {
      if let number = Int64(word) { return .int(number) }
      context.bag.error(
        text.range, "`\(word)` does not fit 64 bits", hint: "write it with a decimal point, or in quotes")
      return nil
    }
    guard let number = Double(word) else { return .string(word) }
    if number.isFinite { return .double(number) }
    context.bag.error(text.range, "`\(word)` is out of a double's range")
    return nil
  }
}
