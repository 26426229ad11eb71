internal import Events

/// Functions, methods and macros.
extension Checker {
  // MARK: Functions

  mutating func call(_ name: String, _ target: Syntax?, _ arguments: [Syntax], _ syntax: Syntax) -> Node? {
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
        return unknown(name, operands, isMethod: isMethod, syntax)
      }
    }
    guard counts.contains(operands.count) else {
      return fail(syntax, "`\(name)` takes another number of arguments than \(operands.count - (isMethod ? 1 : 0))")
    }
    return self.operation(operation, operands.map { node($0) }, syntax)
  }

  private mutating func unknown(_ name: String, _ operands: [Syntax], isMethod: Bool, _ syntax: Syntax) -> Node? {
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
    if let call = otherCall(name, operands, isMethod: isMethod) {
      return fail(syntax, "`\(name)` is not called in this way", hint: "write `\(call)`")
    }
    if !isMethod, let hint = Parser.operatorHint(name) {
      return fail(syntax, "there is no function `\(name)`", hint: hint)
    }
    let hint = NearestWord.find(name, among: Operation.allNames).map { "did you mean `\($0)`?" }
    return fail(syntax, "the function `\(name)` is not supported", hint: hint)
  }

  /// The call as it is right, where a member function stands alone or the other way round.
  private func otherCall(_ name: String, _ operands: [Syntax], isMethod: Bool) -> String? {
    if isMethod {
      guard Operation.conversions[name] != nil || name == "has" else { return nil }
      return "\(name)(\(operands.map(Self.shown).joined(separator: ", ")))"
    }
    guard Operation.memberNames.contains(name) || Self.macros[name] != nil else { return nil }
    let rest = operands.dropFirst().map(Self.shown).joined(separator: ", ")
    let target = operands.first.map(Self.shown) ?? "x"
    return "\(target == "..." ? "(...)" : target).\(name)(\(rest))"
  }

  /// An operand in a hint: what is short stands as it was written.
  private static func shown(_ syntax: Syntax) -> String {
    switch syntax.kind {
    case .identifier(let name): name
    case .select(let target, let name): "\(shown(target)).\(name)"
    case .literal(.string(let text)) where text.utf8.count <= 40 && !text.contains("'") && !text.contains("\\"):
      "'\(text)'"
    case .literal(.int(let number)): "\(number)"
    default: "..."
    }
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
    // A map has no form: its keys are what was written.
    locals.append((name, element, range.form))
    defer { locals.removeLast() }
    let filter = isFiltered ? node(arguments[1]) : nil
    guard let body = node(arguments[isFiltered ? 2 : 1]), !isFiltered || filter != nil else { return nil }
    for test in (macro == .map ? [filter] : [body]) where test != nil && test?.type != .bool && test?.type != .dyn {
      return fail(arguments[1], "a bool stands here")
    }
    let type: ValueType
    var form = TextForm.plain
    switch macro {
    case .all, .exists, .existsOne: type = .bool
    case .map: (type, form) = (.list(body.type), body.form)
    case .filter: (type, form) = (.list(element), range.form)
    }
    return Node(
      .comprehension(macro, target: range, local: locals.count - 1, body: body, filter: filter), type, syntax,
      form: form)
  }
}
