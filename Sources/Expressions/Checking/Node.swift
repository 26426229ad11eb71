internal import Events

/// A checked expression: names are resolved, types known.
final class Node: Sendable {
  enum Kind: Sendable {
    case constant(Value)
    /// A column of the frame.
    case column(slot: Int, name: String)
    /// The variable of a comprehension, counted from the outermost.
    case local(Int)
    case has(Node)
    case select(Node, String)
    case index(Node, Node)
    case list([Node])
    case map([(key: Node, value: Node)])
    case call(Operation, [Node])
    case and(Node, Node)
    case or(Node, Node)
    case conditional(Node, Node, Node)
    /// Membership; `field`: the field that the key is, if it is one.
    case inTable(Int, key: Node, field: String?)
    case tableColumn(Int, column: Int, key: Node)
    /// A text, or the texts of a list, in the form in which fields of a type hold theirs. What is none of the kind stays as
    /// it is, or, `isStrict`, has no value.
    case inForm(TextForm, Node, isStrict: Bool)
    case comprehension(Macro, target: Node, local: Int, body: Node, filter: Node?)
  }

  enum Macro: Sendable { case all, exists, existsOne, map, filter }

  let kind: Kind
  let type: ValueType
  let offset: Int
  let length: Int
  /// Whether it was written as a number, or is a parameter: such a number is promoted where another type stands opposite.
  let isLiteral: Bool
  /// The form in which its texts are known to be.
  let form: TextForm

  init(_ kind: Kind, _ type: ValueType, _ syntax: Syntax, isLiteral: Bool = false, form: TextForm = .plain) {
    self.kind = kind
    self.type = type
    offset = syntax.offset
    length = syntax.length
    self.isLiteral = isLiteral
    self.form = form
  }

  init(_ kind: Kind, _ type: ValueType, like node: Node, isLiteral: Bool = false, form: TextForm = .plain) {
    self.kind = kind
    self.type = type
    offset = node.offset
    length = node.length
    self.isLiteral = isLiteral
    self.form = form
  }

  var constant: Value? {
    if case .constant(let value) = kind { value } else { nil }
  }

  var children: [Node] {
    switch kind {
    case .constant, .column, .local: []
    case .has(let node), .select(let node, _), .inTable(_, let node, _), .tableColumn(_, _, let node),
      .inForm(_, let node, _):
      [node]
    case .index(let a, let b), .and(let a, let b), .or(let a, let b): [a, b]
    case .list(let nodes), .call(_, let nodes): nodes
    case .map(let entries): entries.flatMap { [$0.key, $0.value] }
    case .conditional(let a, let b, let c): [a, b, c]
    case .comprehension(_, let target, _, let body, let filter): [target, body] + (filter.map { [$0] } ?? [])
    }
  }

  /// The column whose value it is, in whatever form.
  var field: (slot: Int, name: String)? {
    switch kind {
    case .column(let slot, let name): (slot, name)
    case .inForm(_, let node, _): node.field
    default: nil
    }
  }

  /// Every node of the tree.
  func visit(_ body: (Node) -> Void) {
    body(self)
    for child in children { child.visit(body) }
  }
}
