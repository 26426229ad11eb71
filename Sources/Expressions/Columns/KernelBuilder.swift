internal import Events

/// Makes the tree of kernels for a checked expression.
struct KernelBuilder {
  let capacity: Int

  func build(_ node: Node) -> Kernel { special(node) ?? byRow(node) }

  private func byRow(_ node: Node) -> Kernel {
    RowKernel(node, type: node.type.column ?? .bool, capacity: capacity)
  }

  private func special(_ node: Node) -> Kernel? {
    switch node.kind {
    case .column(let slot, _): return FieldKernel(slot: slot)
    case .constant(let value): return constant(value, node.type.column)
    case .has(let inner):
      if case .column(let slot, _) = inner.kind { return HasKernel(slot: slot, capacity: capacity) }
      return nil
    case .and(let left, let right): return logical(left, right, decides: false)
    case .or(let left, let right): return logical(left, right, decides: true)
    case .inTable(let table, let key, _):
      guard key.type == .string else { return nil }
      return MembershipKernel(table: table, key: build(key), capacity: capacity)
    case .tableColumn(let table, let column, let key):
      guard key.type == .string, let type = node.type.column else { return nil }
      return TableColumnKernel(table: table, column: column, key: build(key), type: type, capacity: capacity)
    case .inForm(let form, let inner, let isStrict):
      guard inner.type == .string else { return nil }
      return TextFormKernel(form, build(inner), isStrict: isStrict, capacity: capacity)
    case .call(let operation, let operands): return call(operation, operands, node)
    case .conditional(let test, let yes, let no):
      guard let type = node.type.column, yes.type == node.type, no.type == node.type, test.type == .bool else {
        return nil
      }
      return ConditionalKernel(build(test), build(yes), build(no), type: type, capacity: capacity)
    default: return nil
    }
  }

  private func constant(_ value: Value, _ type: ColumnType?) -> Kernel? {
    if case .bytes(let bytes) = value { return ConstantKernel(ConstantCell(bytes: bytes), capacity: capacity) }
    guard let type, let scalar = value.scalar, let cell = ConstantCell(scalar, type: type) else { return nil }
    return ConstantKernel(cell, capacity: capacity)
  }

  private func logical(_ left: Node, _ right: Node, decides: Bool) -> Kernel? {
    guard left.type == .bool, right.type == .bool else { return nil }
    return LogicalKernel(build(left), build(right), decides: decides, capacity: capacity)
  }

  private func call(_ operation: Operation, _ operands: [Node], _ node: Node) -> Kernel? {
    switch operation {
    case .not where operands[0].type == .bool: return NotKernel(build(operands[0]), capacity: capacity)
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      return comparison(operation, operands[0], operands[1])
    case .add, .subtract, .multiply, .divide, .modulo: return arithmetic(operation, operands[0], operands[1], node)
    case .toDouble: return toDouble(operands[0])
    case .isIn: return isIn(operands[0], operands[1])
    case .contains, .startsWith, .endsWith, .matches: return search(operation, operands)
    default: return nil
    }
  }

  private func comparison(_ operation: Operation, _ left: Node, _ right: Node) -> Kernel? {
    let (left, right) = Self.aligned(left, right)
    guard left.type == right.type, isHeld(left), isHeld(right) else { return nil }
    let a = build(left)
    let b = build(right)
    switch left.type {
    case .int, .timestamp, .duration: return ComparisonKernel<Int64>(operation, a, b, capacity: capacity)
    case .uint: return ComparisonKernel<UInt64>(operation, a, b, capacity: capacity)
    case .double: return ComparisonKernel<Double>(operation, a, b, capacity: capacity)
    case .decimal: return ComparisonKernel<Int128>(operation, a, b, capacity: capacity)
    case .string: return TextComparisonKernel(operation, a, b, capacity: capacity)
    default: return nil
    }
  }

  /// Whether a column holds every value that an operand can have: a column's times are fewer than CEL's, and money of
  /// several scales may not fit the largest of them. What is not held is worked out row by row.
  private func isHeld(_ node: Node) -> Bool {
    switch (node.type, node.kind) {
    case (.timestamp, _), (.duration, _), (.decimal, _): break
    default: return true
    }
    switch node.kind {
    case .column, .tableColumn: return true
    case .constant(let value): return value.scalar != nil
    case .call(let operation, let operands):
      guard case .decimal = node.type else { return false }
      return (operation.isArithmetic || operation == .negate) && operands.allSatisfy { isHeld($0) }
    default: return false
    }
  }

  /// Brings a decimal constant to the scale of the other side.
  private static func aligned(_ left: Node, _ right: Node) -> (Node, Node) {
    (rescaled(left, to: right.type), rescaled(right, to: left.type))
  }

  private static func rescaled(_ node: Node, to type: ValueType) -> Node {
    guard case .decimal(let value, let own)? = node.constant, case .decimal(let scale) = type, own < scale,
      case .decimal(let scaled, _)? = try? Arithmetic.apply(
        .add, [.decimal(value, scale: own), .decimal(0, scale: scale)])
    else { return node }
    return Node(.constant(.decimal(scaled, scale: scale)), type, like: node)
  }

  private func arithmetic(_ operation: Operation, _ left: Node, _ right: Node, _ node: Node) -> Kernel? {
    switch (left.type, right.type, node.type) {
    case (.int, .int, .int): return IntegerKernel(operation, build(left), build(right), capacity: capacity)
    case (.double, .double, .double): return DoubleKernel(operation, build(left), build(right), capacity: capacity)
    default: return nil
    }
  }

  private func toDouble(_ operand: Node) -> Kernel? {
    switch operand.type {
    case .int: ToDoubleKernel(build(operand), scale: nil, capacity: capacity)
    case .decimal(let scale) where isHeld(operand): ToDoubleKernel(build(operand), scale: scale, capacity: capacity)
    default: nil
    }
  }

  private func isIn(_ element: Node, _ target: Node) -> Kernel? {
    guard element.type == .string, case .list(let values)? = target.constant else { return nil }
    var texts: [[UInt8]] = []
    for value in values {
      guard case .string(let text) = value else { return nil }
      texts.append(Array(text.utf8))
    }
    return InListKernel(build(element), texts, capacity: capacity)
  }

  private func search(_ operation: Operation, _ operands: [Node]) -> Kernel? {
    guard operands.count == 2, operands[0].type == .string, case .string(let part)? = operands[1].constant else {
      return nil
    }
    return SearchKernel(operation, build(operands[0]), Array(part.utf8), capacity: capacity)
  }
}
