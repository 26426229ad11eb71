internal import Events

/// What names mean, and what is selected from what they name.
extension Checker {
  // MARK: Names

  /// - Parameter isCollection: an element or a row of it is asked, so that it may be meant as a table.
  mutating func resolve(_ name: String, _ syntax: Syntax, isCollection: Bool = false) -> Node? {
    if let place = locals.lastIndex(where: { $0.name == name }) {
      return Node(.local(place), locals[place].type, syntax, form: locals[place].form)
    }
    return global(name, syntax, isCollection: isCollection)
  }

  mutating func global(_ name: String, _ syntax: Syntax, isRoot: Bool = false, isCollection: Bool = false) -> Node? {
    if let value = binding([name], isRoot: isRoot) {
      return Node(.constant(value), isStrict ? ValueType(value) : .dyn, syntax)
    }
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
    if environment.isIncomplete { return nil }
    return fail(syntax, "there is no `\(name)`", hint: isCollection ? nearestCollection(name) : nearest(name))
  }

  private var variables: [Environment.Variable] {
    environment.scope == .event ? environment.fields : environment.names
  }

  private func nearest(_ name: String) -> String? {
    let names = variables.map(\.name) + environment.tables.map(\.name)
    return NearestWord.find(name, among: names).map { "did you mean `\($0)`?" }
      ?? (names.isEmpty ? nil : "there are: \(names.prefix(20).joined(separator: ", "))")
  }

  /// Of tables and lists.
  private func nearestCollection(_ name: String) -> String {
    let tables = environment.tables.map(\.name)
    let lists = variables.filter { ValueType($0.type).isList }.map(\.name)
    if let near = NearestWord.find(name, among: tables + lists) { return "did you mean `\(near)`?" }
    return tables.isEmpty
      ? "the file declares no table" : "there are the tables: \(tables.prefix(20).joined(separator: ", "))"
  }

  private func column(_ variable: Environment.Variable, _ syntax: Syntax) -> Node {
    Node(.column(slot: variable.slot, name: variable.name), ValueType(variable.type), syntax, form: variable.form)
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

  mutating func select(_ target: Syntax, _ name: String, _ syntax: Syntax) -> Node? {
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

  func tableNumber(_ syntax: Syntax) -> Int? {
    guard case .identifier(let name) = syntax.kind, !locals.contains(where: { $0.name == name }) else { return nil }
    if variables.contains(where: { $0.name == name }) { return nil }
    return environment.tables.firstIndex { $0.name == name }
  }

  mutating func tableColumn(_ number: Int, _ name: String, _ key: Syntax, _ syntax: Syntax) -> Node? {
    let table = environment.tables[number]
    guard let key = tableKey(key, table) else { return nil }
    guard let column = table.columns.firstIndex(where: { $0.name == name }) else {
      let hint = NearestWord.find(name, among: table.columns.map(\.name)).map { "did you mean `\($0)`?" }
      return fail(
        syntax, "the table `\(table.name)` has no column `\(name)`",
        hint: hint ?? "it has: \(table.columns.map(\.name).joined(separator: ", "))")
    }
    let type = table.columns[column].type
    return Node(
      .tableColumn(number, column: column, key: key), ValueType(type.columnType), syntax, form: type.textForm)
  }

  mutating func tableKey(_ syntax: Syntax, _ table: TableDeclaration) -> Node? {
    guard let key = node(syntax) else { return nil }
    guard key.type == .string || key.type == .dyn else {
      return fail(
        syntax, "the key of the table `\(table.name)` is a string, not \(key.type.name)", hint: "write string(...)")
    }
    return inForm(table.key, key)
  }

  mutating func index(_ target: Syntax, _ key: Syntax, _ syntax: Syntax) -> Node? {
    if let number = tableNumber(target) {
      let table = environment.tables[number]
      return fail(
        syntax, "a row of the table `\(table.name)` is no value",
        hint: "read one column: \(table.columns.first.map { "`\(table.name)[...].\($0.name)`" } ?? "it has none")")
    }
    let keyNode = node(key)
    let collection: Node?
    switch target.kind {
    case .map(let entries): collection = map(entries, target, form: keyNode?.form ?? .plain)
    case .identifier(let name): collection = resolve(name, target, isCollection: true)
    default: collection = self.node(target)
    }
    guard let node = collection, let keyNode else { return nil }
    switch node.type {
    case .list(let element):
      guard [.int, .uint, .double, .dyn].contains(keyNode.type) else {
        return fail(key, "a place in a list is an int, not \(keyNode.type.name)")
      }
      if environment.refusesConstantErrors, isNegative(keyNode, "a place in a list is 0 or more") { return nil }
      return folded(Node(.index(node, keyNode), element, syntax, form: node.form))
    case .map(let keyType, let value):
      guard keyNode.type.isComparable(to: keyType) || (keyNode.type.isNumber && keyType.isNumber) else {
        return fail(key, "a key of this map is a \(keyType.name), not \(keyNode.type.name)")
      }
      return Node(.index(node, keyNode), value, syntax)
    case .dyn: return Node(.index(node, keyNode), .dyn, syntax)
    default: return fail(syntax, "a \(node.type.name) has no elements")
    }
  }
}
