internal import Events

/// Gives names and types their meaning: from what was written to what can be evaluated. All mistakes are collected.
struct Checker {
  private let environment: Environment
  /// Where types are unknown, nothing is refused that might turn out right.
  private let isStrict: Bool
  private var locals: [(name: String, type: ValueType)] = []
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

  // MARK: Names

  private mutating func resolve(_ name: String, _ syntax: Syntax) -> Node? {
    if let place = locals.lastIndex(where: { $0.name == name }) {
      return Node(.local(place), locals[place].type, syntax)
    }
    return global(name, syntax)
  }

  private mutating func global(_ name: String, _ syntax: Syntax, isRoot: Bool = false) -> Node? {
    if let value = binding([name], isRoot: isRoot) {
      return Node(.constant(value), isStrict ? ValueType(value) : .dyn, syntax)
    }
    let variables = environment.scope == .event ? environment.fields : environment.names
    if let found = variables.first(where: { $0.name == name }) { return column(found, syntax) }
    if environment.unusable.contains(name) { return nil }
    if environment.scope == .names, environment.fields.contains(where: { $0.name == name }) {
      return fail(
        syntax, "`\(name)` belongs to one event", hint: "write `event.\(name)`, `max(\(name))` or `latest(\(name))`")
    }
    if environment.tables.contains(where: { $0.name == name }) {
      return fail(syntax, "`\(name)` is a table", hint: "ask `x in \(name)`, or read `\(name)[x].column`")
    }
    if name == "event" || name == "params" { return fail(syntax, "`\(name)` stands only before a dot: `\(name).x`") }
    if let type = Operation.typeNames[name] { return Node(.constant(.type(type)), .type, syntax) }
    return environment.isIncomplete ? nil : fail(syntax, "there is no `\(name)`", hint: nearest(name))
  }

  private func nearest(_ name: String) -> String? {
    var names = (environment.scope == .event ? environment.fields : environment.names).map(\.name)
    names += environment.tables.map(\.name)
    return NearestWord.find(name, among: names).map { "did you mean `\($0)`?" }
      ?? (names.isEmpty ? nil : "there are: \(names.prefix(20).joined(separator: ", "))")
  }

  private func column(_ variable: Environment.Variable, _ syntax: Syntax) -> Node {
    Node(.column(slot: variable.slot, name: variable.name), ValueType(variable.type), syntax)
  }

  /// A variable with a dotted name, looked up in the container from the inside out.
  private func binding(_ path: [String], isRoot: Bool = false) -> Value? {
    var container = isRoot ? [] : environment.container.split(separator: ".").map(String.init)
    while true {
      if let value = environment.bindings[(container + path).joined(separator: ".")] { return value }
      guard container.popLast() != nil else { return nil }
    }
  }

  private func isRooted(_ syntax: Syntax) -> Bool {
    switch syntax.kind {
    case .rootIdentifier: true
    case .select(let target, _): isRooted(target)
    default: false
    }
  }

  private func path(_ syntax: Syntax) -> [String]? {
    switch syntax.kind {
    case .identifier(let name): locals.contains { $0.name == name } ? nil : [name]
    case .rootIdentifier(let name): [name]
    case .select(let target, let name): path(target).map { $0 + [name] }
    default: nil
    }
  }

  // MARK: Selection

  private mutating func select(_ target: Syntax, _ name: String, _ syntax: Syntax) -> Node? {
    if let path = path(syntax) {
      if let value = binding(path, isRoot: isRooted(syntax)) {
        return Node(.constant(value), isStrict ? ValueType(value) : .dyn, syntax)
      }
      if path.count == 2, path[0] == "event", let found = eventField(name, syntax) { return found }
      if path.count == 2, path[0] == "params" { return parameter(name, syntax) }
      if let type = Operation.typeNames[path.joined(separator: ".")] {
        return Node(.constant(.type(type)), .type, syntax)
      }
      if path.count == 2, path[0] == "event" { return nil }
    }
    if case .index(let table, let key) = target.kind, let number = tableNumber(table) {
      return tableColumn(number, name, key, syntax)
    }
    guard let node = node(target) else { return nil }
    switch node.type {
    case .dyn: return Node(.select(node, name), .dyn, syntax)
    case .map(let key, let value) where key == .string || key == .dyn: return Node(.select(node, name), value, syntax)
    default: return fail(syntax, "a \(node.type.name) has no `.\(name)`")
    }
  }

  /// nil: told, or `event` means something else here.
  private mutating func eventField(_ name: String, _ syntax: Syntax) -> Node? {
    if environment.fields.isEmpty { return nil }
    if let found = environment.fields.first(where: { $0.name == name }) { return column(found, syntax) }
    if environment.unusable.contains(name) { return nil }
    let hint = NearestWord.find(name, among: environment.fields.map(\.name)).map { "did you mean `event.\($0)`?" }
    return fail(syntax, "the event has no field `\(name)`", hint: hint)
  }

  private mutating func parameter(_ name: String, _ syntax: Syntax) -> Node? {
    guard let value = environment.params[name] else {
      if environment.isIncomplete || environment.unusable.contains("params.\(name)") { return nil }
      let names = environment.params.keys.sorted()
      let hint = NearestWord.find(name, among: names).map { "did you mean `params.\($0)`?" }
      return fail(
        syntax, "there is no parameter `\(name)`", hint: hint ?? "there are: \(names.joined(separator: ", "))")
    }
    return Node(.constant(Value(value)), ValueType(Value(value)), syntax, isLiteral: true)
  }

  private func tableNumber(_ syntax: Syntax) -> Int? {
    guard case .identifier(let name) = syntax.kind, !locals.contains(where: { $0.name == name }) else { return nil }
    let variables = environment.scope == .event ? environment.fields : environment.names
    if variables.contains(where: { $0.name == name }) { return nil }
    return environment.tables.firstIndex { $0.name == name }
  }

  private mutating func tableColumn(_ number: Int, _ name: String, _ key: Syntax, _ syntax: Syntax) -> Node? {
    let table = environment.tables[number]
    guard let key = tableKey(key, table) else { return nil }
    guard let column = table.columns.firstIndex(where: { $0.name == name }) else {
      let hint = NearestWord.find(name, among: table.columns.map(\.name)).map { "did you mean `\($0)`?" }
      return fail(
        syntax, "the table `\(table.name)` has no column `\(name)`",
        hint: hint ?? "it has: \(table.columns.map(\.name).joined(separator: ", "))")
    }
    return Node(
      .tableColumn(number, column: column, key: key), ValueType(table.columns[column].type.columnType), syntax)
  }

  private mutating func tableKey(_ syntax: Syntax, _ table: TableDeclaration) -> Node? {
    guard let key = node(syntax) else { return nil }
    guard key.type == .string || key.type == .dyn else {
      return fail(
        syntax, "the key of the table `\(table.name)` is a string, not \(key.type.name)", hint: "write string(...)")
    }
    return key
  }

  private mutating func index(_ target: Syntax, _ key: Syntax, _ syntax: Syntax) -> Node? {
    if let number = tableNumber(target) {
      let table = environment.tables[number]
      return fail(
        syntax, "a row of the table `\(table.name)` is no value",
        hint: "read one column: \(table.columns.first.map { "`\(table.name)[...].\($0.name)`" } ?? "it has none")")
    }
    guard let node = node(target), let keyNode = self.node(key) else { return nil }
    switch node.type {
    case .list(let element):
      guard [.int, .uint, .double, .dyn].contains(keyNode.type) else {
        return fail(key, "a place in a list is an int, not \(keyNode.type.name)")
      }
      return Node(.index(node, keyNode), element, syntax)
    case .map(let keyType, let value):
      guard keyNode.type.isComparable(to: keyType) || (keyNode.type.isNumber && keyType.isNumber) else {
        return fail(key, "a key of this map is a \(keyType.name), not \(keyNode.type.name)")
      }
      return Node(.index(node, keyNode), value, syntax)
    case .dyn: return Node(.index(node, keyNode), .dyn, syntax)
    default: return fail(syntax, "a \(node.type.name) has no elements")
    }
  }

  private mutating func list(_ elements: [Syntax], _ syntax: Syntax) -> Node? {
    let nodes = elements.map { node($0) }
    guard nodes.allSatisfy({ $0 != nil }) else { return nil }
    let found = nodes.compactMap { $0 }
    return folded(Node(.list(found), .list(ValueType.join(found.map(\.type))), syntax))
  }

  private mutating func map(_ entries: [(key: Syntax, value: Syntax)], _ syntax: Syntax) -> Node? {
    var nodes: [(key: Node, value: Node)] = []
    var isWhole = true
    for entry in entries {
      if let key = node(entry.key), let value = node(entry.value) {
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

  private func article(_ type: ValueType) -> String {
    type == .int || type == .uint ? "an \(type.name)" : "a \(type.name)"
  }

  private mutating func membership(_ left: Syntax, _ right: Syntax, _ syntax: Syntax) -> Node? {
    if let number = tableNumber(right) {
      guard let key = tableKey(left, environment.tables[number]) else { return nil }
      var field: String?
      if case .column(_, let name) = key.kind { field = name }
      return Node(.inTable(number, key: key, field: field), .bool, syntax)
    }
    return operation(.isIn, [node(left), node(right)], syntax)
  }

  private mutating func binary(_ symbol: String, _ left: Syntax, _ right: Syntax, _ syntax: Syntax) -> Node? {
    guard let operation = Operation.binary[symbol] else { return fail(syntax, "`\(symbol)` is not supported") }
    guard let a = node(left), let b = node(right) else { return nil }
    let promoted = Promotion.promote(operation, a, b)
    if operation.isComparison { for side in [promoted.0, promoted.1] { warnOfIntegerRatio(side) } }
    return self.operation(operation, [promoted.0, promoted.1], syntax)
  }

  /// `failed / all > 0`: with two ints it is nearly always meant as a ratio.
  private mutating func warnOfIntegerRatio(_ node: Node) {
    guard case .call(.divide, let operands) = node.kind, operands.allSatisfy({ $0.type == .int }),
      operands.contains(where: { $0.constant == nil })
    else { return }
    warn(
      node, "both sides of this `/` are ints, so the result is cut to a whole number",
      hint: "for a ratio write double(a) / double(b)")
  }

  private mutating func conditional(_ condition: Syntax, _ yes: Syntax, _ no: Syntax, _ syntax: Syntax) -> Node? {
    guard let test = node(condition), let a = node(yes), let b = node(no) else { return nil }
    guard test.type == .bool || test.type == .dyn else {
      return fail(condition, "before `?` stands a bool, and this is \(article(test.type))")
    }
    let (first, second) = Promotion.promote(.equal, a, b)
    guard first.type.isComparable(to: second.type) || !isStrict else {
      return fail(
        syntax, "one side of `:` is \(article(first.type)), the other \(article(second.type))",
        hint: "convert one of them")
    }
    let type =
      first.type == .null ? second.type : second.type == .null ? first.type : first.type.joined(with: second.type)
    return Node(.conditional(test, first, second), type, syntax)
  }

  // MARK: Calls

  private mutating func operation(_ operation: Operation, _ operands: [Node?], _ syntax: Syntax) -> Node? {
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
    return folded(Node(.call(operation, nodes), result, syntax))
  }

  /// Works out what is known already.
  private func folded(_ node: Node) -> Node {
    guard isStrict, node.children.allSatisfy({ $0.constant != nil }) else { return node }
    var interpreter = Interpreter(frame: nil, row: 0)
    guard let value = try? interpreter.evaluate(node) else { return node }
    let isLiteral = node.type.isNumber && node.children.allSatisfy(\.isLiteral)
    return Node(.constant(value), node.type, like: node, isLiteral: isLiteral)
  }

  private mutating func call(_ name: String, _ target: Syntax?, _ arguments: [Syntax], _ syntax: Syntax) -> Node? {
    if let target, case .identifier("math") = target.kind, let function = Operation.MathFunction(rawValue: name) {
      return math(function, arguments, syntax)
    }
    if name == "has", target == nil { return has(arguments, syntax) }
    if let target, let macro = Self.macros[name], arguments.count >= 2 {
      return comprehension(macro, target, arguments, syntax)
    }
    if let operation = Operation.conversions[name], target == nil {
      guard arguments.count == 1 else { return fail(syntax, "`\(name)` takes one argument") }
      return self.operation(operation, [node(arguments[0])], syntax)
    }
    return method(name, (target.map { [$0] } ?? []) + arguments, isMethod: target != nil, syntax)
  }

  private mutating func method(_ name: String, _ operands: [Syntax], isMethod: Bool, _ syntax: Syntax) -> Node? {
    let operation: Operation
    var counts = 2...2
    switch name {
    case "size": (operation, counts) = (.size, 1...1)
    case "contains" where isMethod: operation = .contains
    case "startsWith" where isMethod: operation = .startsWith
    case "endsWith" where isMethod: operation = .endsWith
    case "matches": return matches(operands, syntax)
    default:
      if isMethod, let part = Operation.TimePart(rawValue: name) {
        (operation, counts) = (.part(part), 1...2)
      } else if isMethod, let function = Operation.TextFunction(rawValue: name) {
        (operation, counts) = (.text(function), function.operandCounts)
      } else {
        return unknown(name, syntax)
      }
    }
    guard counts.contains(operands.count) else {
      return fail(syntax, "`\(name)` takes another number of arguments than \(operands.count - (isMethod ? 1 : 0))")
    }
    return self.operation(operation, operands.map { node($0) }, syntax)
  }

  private mutating func unknown(_ name: String, _ syntax: Syntax) -> Node? {
    if [
      "stddev", "percentile", "ratio", "prev", "gap", "entropy", "values", "containsAny", "startsWithAny",
      "endsWithAny",
    ]
    .contains(name) {
      return fail(syntax, "`\(name)` is not supported by this version")
    }
    if AggregateFunction(rawValue: name) != nil {
      return fail(syntax, "`\(name)` is an aggregate", hint: "give it a name under `let`, and use that name here")
    }
    let hint = NearestWord.find(name, among: Operation.allNames).map { "did you mean `\($0)`?" }
    return fail(syntax, "the function `\(name)` is not supported", hint: hint)
  }

  private mutating func matches(_ operands: [Syntax], _ syntax: Syntax) -> Node? {
    guard operands.count == 2 else { return fail(syntax, "`matches` takes a text and a pattern") }
    let nodes = operands.map { node($0) }
    var pattern: Pattern?
    if let node = nodes[1], case .string(let text)? = node.constant {
      do {
        pattern = try Pattern(text)
      } catch {
        return fail(operands[1], "not a pattern of RE2: \(error.message)")
      }
    }
    return operation(.matches(pattern), nodes, syntax)
  }

  private mutating func math(_ function: Operation.MathFunction, _ arguments: [Syntax], _ syntax: Syntax) -> Node? {
    guard !arguments.isEmpty else { return fail(syntax, "`math.\(function.rawValue)` takes an argument") }
    return operation(.math(function), arguments.map { node($0) }, syntax)
  }

  private mutating func has(_ arguments: [Syntax], _ syntax: Syntax) -> Node? {
    guard arguments.count == 1 else { return fail(syntax, "`has` takes one argument") }
    switch arguments[0].kind {
    case .select, .identifier: break
    default: return fail(syntax, "`has` takes a field: `has(event.x)`")
    }
    guard let inner = node(arguments[0]) else { return nil }
    switch inner.kind {
    case .column, .select, .tableColumn: return Node(.has(inner), .bool, syntax)
    case .constant where !environment.bindings.isEmpty: return Node(.constant(.bool(true)), .bool, syntax)
    default: return fail(syntax, "`has` takes a field: `has(event.x)`")
    }
  }

  // MARK: Macros

  private static let macros: [String: Node.Macro] = [
    "all": .all, "exists": .exists, "exists_one": .existsOne, "existsOne": .existsOne, "map": .map, "filter": .filter,
  ]

  private mutating func comprehension(_ macro: Node.Macro, _ target: Syntax, _ arguments: [Syntax], _ syntax: Syntax)
    -> Node?
  {
    let isFiltered = macro == .map && arguments.count == 3
    guard arguments.count == 2 || isFiltered else {
      return fail(syntax, "this macro takes a name and an expression", hint: "macros with two names are not supported")
    }
    guard case .identifier(let name) = arguments[0].kind else { return fail(arguments[0], "a name stands here") }
    guard let range = node(target) else { return nil }
    let element: ValueType
    switch range.type {
    case .list(let type): element = type
    case .map(let key, _): element = key
    case .dyn: element = .dyn
    default: return fail(target, "this goes over a list or a map, not \(article(range.type))")
    }
    locals.append((name, element))
    defer { locals.removeLast() }
    let filter = isFiltered ? node(arguments[1]) : nil
    guard let body = node(arguments[isFiltered ? 2 : 1]), !isFiltered || filter != nil else { return nil }
    for test in (macro == .map ? [filter] : [body]) where test != nil && test?.type != .bool && test?.type != .dyn {
      return fail(arguments[1], "a bool stands here")
    }
    let type: ValueType
    switch macro {
    case .all, .exists, .existsOne: type = .bool
    case .map: type = .list(body.type)
    case .filter: type = .list(element)
    }
    return Node(.comprehension(macro, target: range, local: locals.count - 1, body: body, filter: filter), type, syntax)
  }
}
