internal import Events

/// Gives names and types their meaning: from what was written to what can be evaluated. All mistakes are collected.
struct Checker {
  let environment: Environment
  /// Where types are unknown, nothing is refused that might turn out right.
  let isStrict: Bool
  var locals: [(name: String, type: ValueType, form: TextForm)] = []
  private(set) var diagnostics: [Diagnostic] = []

  init(_ environment: Environment, isStrict: Bool = true) {
    self.environment = environment
    self.isStrict = isStrict
  }

  /// The checked tree, or all mistakes.
  mutating func check(_ syntax: Syntax) throws(ExpressionError) -> Node {
    let node = self.node(syntax)
    let errors = diagnostics.filter { !$0.isWarning }
    guard let node, errors.isEmpty else { throw ExpressionError(errors) }
    return node
  }

  var warnings: [Diagnostic] { diagnostics.filter(\.isWarning) }

  mutating func fail(_ syntax: Syntax, _ message: String, hint: String? = nil) -> Node? {
    diagnostics.append(Diagnostic(offset: syntax.offset, length: syntax.length, message: message, hint: hint))
    return nil
  }

  mutating func fail(_ node: Node, _ message: String, hint: String? = nil) -> Node? {
    diagnostics.append(Diagnostic(offset: node.offset, length: node.length, message: message, hint: hint))
    return nil
  }

  mutating func warn(_ node: Node, _ message: String, hint: String? = nil) {
    diagnostics.append(
      Diagnostic(offset: node.offset, length: node.length, message: message, hint: hint, isWarning: true))
  }

  /// nil: a mistake was told.
  mutating func node(_ syntax: Syntax) -> Node? {
    switch syntax.kind {
    case .literal(let value): return Node(.constant(value), ValueType(value), syntax, isLiteral: true)
    case .identifier(let name): return resolve(name, syntax)
    case .rootIdentifier(let name): return global(name, syntax, isRoot: true)
    case .select(let target, let name): return select(target, name, syntax)
    case .index(let target, let key): return index(target, key, syntax)
    case .call(let name, let target, let arguments): return call(name, target, arguments, syntax)
    case .list(let elements): return list(elements, syntax)
    case .map(let entries): return map(entries, syntax)
    case .not(let operand): return operation(.not, [node(operand)], syntax)
    case .negate(let operand): return operation(.negate, [node(operand)], syntax)
    case .and(let left, let right): return logical(left, right, syntax, isAnd: true)
    case .or(let left, let right): return logical(left, right, syntax, isAnd: false)
    case .binary("in", let left, let right): return membership(left, right, syntax)
    case .binary(let symbol, let left, let right): return binary(symbol, left, right, syntax)
    case .conditional(let condition, let yes, let no): return conditional(condition, yes, no, syntax)
    }
  }

  // MARK: Collections

  private mutating func list(_ elements: [Syntax], _ syntax: Syntax) -> Node? {
    let nodes = elements.map { node($0) }
    return list(nodes, syntax)
  }

  /// A list of what was checked; nil: one of its elements was not.
  mutating func list(_ elements: [Node?], _ syntax: Syntax) -> Node? {
    let nodes = elements.compactMap { $0 }
    guard nodes.count == elements.count else { return nil }
    let form = nodes.first?.form ?? .plain
    return folded(
      Node(
        .list(nodes), .list(ValueType.join(nodes.map(\.type))), syntax,
        form: nodes.allSatisfy { $0.form == form } ? form : .plain))
  }

  /// - Parameter form: of the keys.
  mutating func map(_ entries: [(key: Syntax, value: Syntax)], _ syntax: Syntax, form: TextForm = .plain) -> Node? {
    var nodes: [(key: Node, value: Node)] = []
    var isWhole = true
    for entry in entries {
      if let key = node(entry.key).flatMap({ inForm(form, $0) }), let value = node(entry.value) {
        if ![.string, .int, .uint, .bool, .dyn].contains(key.type) {
          _ = fail(entry.key, "a key of a map is a string, int, uint or bool, not \(key.type.name)")
          isWhole = false
        }
        nodes.append((key, value))
      } else {
        isWhole = false
      }
    }
    guard isWhole else { return nil }
    let type = ValueType.map(ValueType.join(nodes.map(\.key.type)), ValueType.join(nodes.map(\.value.type)))
    return Node(.map(nodes), type, syntax)
  }

  // MARK: Operators

  private mutating func logical(_ left: Syntax, _ right: Syntax, _ syntax: Syntax, isAnd: Bool) -> Node? {
    let a = node(left)
    let b = node(right)
    guard let a, let b else { return nil }
    for (node, part) in [(a, left), (b, right)] where node.type != .bool && node.type != .dyn {
      _ = fail(part, "`\(isAnd ? "&&" : "||")` takes bools, and this is \(article(node.type))")
    }
    guard [ValueType.bool, .dyn].contains(a.type), [ValueType.bool, .dyn].contains(b.type) else { return nil }
    return Node(isAnd ? .and(a, b) : .or(a, b), .bool, syntax)
  }

  func article(_ type: ValueType) -> String {
    type == .int || type == .uint ? "an \(type.name)" : "a \(type.name)"
  }

  private mutating func binary(_ symbol: String, _ left: Syntax, _ right: Syntax, _ syntax: Syntax) -> Node? {
    guard let operation = Operation.binary[symbol] else { return fail(syntax, "`\(symbol)` is not supported") }
    guard let a = node(left), let b = node(right) else { return nil }
    var (first, second) = Promotion.promote(operation, a, b)
    if operation.isComparison {
      for (side, other) in [(first, second), (second, first)] {
        warnOfIntegerRatio(side)
        warnOfIntegerRatio(side, comparedWith: other)
      }
    }
    if operation == .equal || operation == .notEqual {
      guard let sides = inOneForm(first, second) else { return nil }
      (first, second) = sides
    }
    return self.operation(operation, [first, second], syntax)
  }

  private mutating func conditional(_ condition: Syntax, _ yes: Syntax, _ no: Syntax, _ syntax: Syntax) -> Node? {
    guard let test = node(condition), let a = node(yes), let b = node(no) else { return nil }
    guard test.type == .bool || test.type == .dyn else {
      return fail(condition, "before `?` stands a bool, and this is \(article(test.type))")
    }
    var (first, second) = Promotion.promote(.equal, a, b)
    (first, second) = choicesInOneForm(first, second)
    guard first.type.isComparable(to: second.type) || !isStrict else {
      return fail(
        syntax, "one side of `:` is \(article(first.type)), the other \(article(second.type))",
        hint: "convert one of them")
    }
    let type =
      first.type == .null ? second.type : second.type == .null ? first.type : first.type.joined(with: second.type)
    return Node(
      .conditional(test, first, second), type, syntax, form: first.form == second.form ? first.form : .plain)
  }

  mutating func operation(_ operation: Operation, _ operands: [Node?], _ syntax: Syntax) -> Node? {
    let nodes = operands.compactMap { $0 }
    guard nodes.count == operands.count else { return nil }
    let types = nodes.map(\.type)
    guard let result = Overloads.result(operation, types) ?? (isStrict ? nil : .dyn) else {
      let names = types.map(\.name)
      let shown =
        names.count == 2 && !operation.symbol.first!.isLetter
        ? "\(names[0]) \(operation.symbol) \(names[1])" : "\(operation.symbol)(\(names.joined(separator: ", ")))"
      return fail(syntax, "there is no `\(shown)`", hint: Promotion.hint(operation, types))
    }
    if hasHopelessArgument(operation, nodes) { return nil }
    // Lists put together.
    let form = operation == .add && nodes[0].form == nodes[1].form ? nodes[0].form : .plain
    return folded(Node(.call(operation, nodes), result, syntax, form: result.isList ? form : .plain))
  }
}
