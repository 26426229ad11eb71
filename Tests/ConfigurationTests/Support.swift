import Foundation

@testable import Configuration

/// A document read, with what was said about it.
struct Read {
  let bytes: [UInt8]
  let bag: DiagnosticBag
  let root: YAMLNode?

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    bag = DiagnosticBag(file: "p.yaml", source: SourceText(bytes))
    root = YAMLParser.parse(bytes, bag: bag)
  }

  init(_ text: String) { self.init(Array(text.utf8)) }

  /// `line:column: message`, one a mistake.
  var messages: [String] { bag.diagnostics.map { "\($0.range.line):\($0.range.column): \($0.message)" } }

  /// The node at a path of keys and places.
  func node(_ path: String...) -> YAMLNode? {
    path.reduce(root) { node, step in
      switch node {
      case .mapping(let mapping): mapping[step]
      case .sequence(let sequence):
        Int(step).flatMap { sequence.elements.indices.contains($0) ? sequence.elements[$0] : nil }
      default: nil
      }
    }
  }

  func section(_ declaration: SectionDeclaration, _ variables: [String: String] = [:]) -> SectionReader? {
    root.map { SectionReader($0, declaration, bag: bag, environment: EnvironmentText(variables)) }
  }
}

extension YAMLNode {
  var scalar: Scalar? {
    if case .scalar(let scalar) = self { scalar } else { nil }
  }

  /// The tree as one line, to compare.
  var outline: String {
    switch self {
    case .scalar(let scalar): scalar.style == .plain ? scalar.text : "\"\(scalar.text)\""
    case .sequence(let sequence): "[" + sequence.elements.map(\.outline).joined(separator: ", ") + "]"
    case .mapping(let mapping):
      "{" + mapping.entries.map { "\($0.key.text): \($0.value.outline)" }.joined(separator: ", ") + "}"
    }
  }
}

extension SourceRange {
  /// `line:column+length`.
  var short: String { "\(line):\(column)+\(length)" }
}
