internal import Events

/// Evaluates a checked expression for one row, by CEL's rules. Slow and plain: what columns compute must agree with it.
struct Interpreter {
  private let frame: Frame?
  private let row: Int
  private var locals: [Value] = []
  /// Table entries that were asked for and found.
  private(set) var hits: [TableHit] = []
  /// Steps left of the outermost comprehension: a bound on those within each other. What stands outside is bounded by
  /// the expression's size.
  private var budget = Self.stepLimit
  private static let stepLimit = 1_000_000

  init(frame: Frame?, row: Int) {
    self.frame = frame
    self.row = row
  }

  mutating func evaluate(_ node: Node) throws(EvaluationError) -> Value {
    budget -= 1
    guard budget > 0 else { throw EvaluationError("the expression takes too many steps") }
    switch node.kind {
    case .constant(let value): return value
    case .column(let slot, let name): return try column(slot, name)
    case .local(let place): return locals[place]
    case .has(let inner): return .bool(try has(inner))
    case .select(let target, let name): return try entry(try evaluate(target), .string(name))
    case .index(let target, let key): return try element(try evaluate(target), try evaluate(key))
    case .list(let elements):
      var values: [Value] = []
      for element in elements { values.append(try evaluate(element)) }
      return .list(values)
    case .map(let entries): return try map(entries)
    case .call(let operation, let operands): return try call(operation, operands)
    case .and(let left, let right): return try logical(left, right, decides: false)
    case .or(let left, let right): return try logical(left, right, decides: true)
    case .conditional(let condition, let yes, let no):
      guard case .bool(let flag) = try evaluate(condition) else { throw EvaluationError("before `?` stands no bool") }
      return try evaluate(flag ? yes : no)
    case .inTable(let number, let key, let field): return .bool(try isInTable(number, key, field))
    case .tableColumn(let number, let column, let key): return try tableColumn(number, column, key)
    case .inForm(let form, let inner, let isStrict): return try TextForms.normalise(try evaluate(inner), form, isStrict)
    case .comprehension(let macro, let target, let local, let body, let filter):
      return try comprehension(macro, target, local, body, filter)
    }
  }

  private func column(_ slot: Int, _ name: String) throws(EvaluationError) -> Value {
    guard let frame, slot < frame.columns.count else { throw EvaluationError("`\(name)` is not known here") }
    let column = frame.columns[slot]
    switch column.state(row) {
    case .absent: throw EvaluationError("`\(name)` is absent")
    case .error: throw EvaluationError("`\(name)` has no value")
    case .value:
      guard let scalar = column.scalar(row) else { throw EvaluationError("`\(name)` has no value") }
      if column.type == .bytes { return .bytes(Array(column.views[row].buffer)) }
      return Value(scalar)
    }
  }

  private mutating func has(_ node: Node) throws(EvaluationError) -> Bool {
    switch node.kind {
    case .column(let slot, _): return frame.map { $0.columns[slot].state(row) != .absent } ?? false
    case .tableColumn(let number, let column, let key):
      return try tableCell(number, column, key).map { if case .null = $0 { false } else { true } } ?? false
    case .select(let target, let name):
      guard case .map(let entries) = try evaluate(target) else { throw EvaluationError("`has` takes a field of a map") }
      return Equality.find(.string(name), in: entries) != nil
    default: throw EvaluationError("`has` takes a field")
    }
  }

  private func entry(_ target: Value, _ key: Value) throws(EvaluationError) -> Value {
    guard case .map(let entries) = target else { throw EvaluationError("a \(target.typeName) has no fields") }
    switch key {
    case .string, .bool, .int, .uint, .double: break
    default: throw EvaluationError("a \(key.typeName) is no key of a map")
    }
    guard let value = Equality.find(key, in: entries) else {
      throw EvaluationError("there is no such key: \(key.scalar?.text ?? key.typeName)")
    }
    return value
  }

  private func element(_ target: Value, _ key: Value) throws(EvaluationError) -> Value {
    guard case .list(let elements) = target else { return try entry(target, key) }
    let place: Int?
    switch key {
    case .int(let number): place = Int(exactly: number)
    case .uint(let number): place = Int(exactly: number)
    case .double(let number): place = Int(exactly: number)
    default: throw EvaluationError("a place in a list is an int, not \(key.typeName)")
    }
    guard let place, elements.indices.contains(place) else { throw EvaluationError("the list has no such place") }
    return elements[place]
  }

  private mutating func map(_ entries: [(key: Node, value: Node)]) throws(EvaluationError) -> Value {
    var result: [(key: Value, value: Value)] = []
    for entry in entries {
      let key = try evaluate(entry.key)
      switch key {
      case .string, .bool, .int, .uint: break
      default: throw EvaluationError("a \(key.typeName) is no key of a map")
      }
      if Equality.find(key, in: result) != nil { throw EvaluationError("a key stands twice in the map") }
      result.append((key, try evaluate(entry.value)))
    }
    return .map(result)
  }

  /// `&&` and `||`: a side that decides does so whatever the other is, an error too.
  private mutating func logical(_ left: Node, _ right: Node, decides: Bool) throws(EvaluationError) -> Value {
    let first = result(left)
    if case .success(.bool(decides)) = first { return .bool(decides) }
    let second = result(right)
    if case .success(.bool(decides)) = second { return .bool(decides) }
    for side in [first, second] {
      guard case .bool = try side.get() else { throw EvaluationError("`&&` and `||` take bools") }
    }
    return .bool(!decides)
  }

  private mutating func result(_ node: Node) -> Result<Value, EvaluationError> {
    do throws(EvaluationError) {
      return .success(try evaluate(node))
    } catch {
      return .failure(error)
    }
  }

  private mutating func call(_ operation: Operation, _ operands: [Node]) throws(EvaluationError) -> Value {
    var values: [Value] = []
    for operand in operands { values.append(try evaluate(operand)) }
    return try Functions.apply(operation, values)
  }

  // MARK: Tables

  private mutating func isInTable(_ number: Int, _ key: Node, _ field: String?) throws(EvaluationError) -> Bool {
    guard case .string(let text) = try evaluate(key) else { throw EvaluationError("a table's key is a string") }
    let entry = find(number, text)
    guard entry >= 0 else { return false }
    hits.append(TableHit(table: number, entry: entry, field: field, key: text))
    return true
  }

  private func find(_ number: Int, _ key: String) -> Int32 {
    guard let frame, number < frame.tables.count else { return -1 }
    var key = key
    return key.withUTF8 { frame.tables[number].find(BytesView(start: $0.baseAddress, count: $0.count)) }
  }

  private mutating func tableCell(_ number: Int, _ column: Int, _ key: Node) throws(EvaluationError) -> Scalar? {
    guard case .string(let text) = try evaluate(key) else { throw EvaluationError("a table's key is a string") }
    guard let frame, number < frame.tables.count else { throw EvaluationError("the table is not known here") }
    return frame.tables[number].value(entry: find(number, text), column: column)
  }

  private mutating func tableColumn(_ number: Int, _ column: Int, _ key: Node) throws(EvaluationError) -> Value {
    guard let value = try tableCell(number, column, key) else { throw EvaluationError("the table has no such key") }
    if case .null = value { throw EvaluationError("the table has no value there") }
    return Value(value)
  }

  // MARK: Comprehensions

  private mutating func comprehension(
    _ macro: Node.Macro, _ target: Node, _ local: Int, _ body: Node, _ filter: Node?
  ) throws(EvaluationError) -> Value {
    let elements: [Value]
    switch try evaluate(target) {
    case .list(let list): elements = list
    case .map(let entries): elements = entries.map(\.key)
    case let other: throw EvaluationError("a \(other.typeName) has no elements")
    }
    let depth = locals.count
    if depth == 0 { budget = Self.stepLimit }
    defer {
      locals.removeSubrange(depth...)
      if depth == 0 { budget = Self.stepLimit }
    }
    while locals.count <= local { locals.append(.null) }
    switch macro {
    case .all, .exists: return try quantified(elements, local, body, decides: macro == .exists)
    case .existsOne:
      var count = 0
      for element in elements where try test(element, local, body) { count += 1 }
      return .bool(count == 1)
    case .filter:
      var kept: [Value] = []
      for element in elements where try test(element, local, body) { kept.append(element) }
      return .list(kept)
    case .map:
      var mapped: [Value] = []
      for element in elements {
        if let filter, !(try test(element, local, filter)) { continue }
        locals[local] = element
        mapped.append(try evaluate(body))
      }
      return .list(mapped)
    }
  }

  private mutating func test(_ element: Value, _ local: Int, _ body: Node) throws(EvaluationError) -> Bool {
    locals[local] = element
    guard case .bool(let flag) = try evaluate(body) else { throw EvaluationError("a macro's test is a bool") }
    return flag
  }

  /// As a chain of `||` (or `&&`): an error counts only where no element decides.
  private mutating func quantified(_ elements: [Value], _ local: Int, _ body: Node, decides: Bool)
    throws(EvaluationError) -> Value
  {
    var failure: EvaluationError?
    for element in elements {
      locals[local] = element
      switch result(body) {
      case .success(.bool(decides)): return .bool(decides)
      case .success(.bool): continue
      case .success: failure = failure ?? EvaluationError("a macro's test is a bool")
      case .failure(let error): failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return .bool(!decides)
  }
}

/// An entry of a table that an expression asked for and found.
public struct TableHit: Hashable, Sendable {
  /// Place of the table in the frame.
  public var table: Int
  /// The entry's number in the table's version.
  public var entry: Int32
  /// The field whose value was looked up, if it was one.
  public var field: String?
  /// The key that was looked up.
  public var key: String
}
