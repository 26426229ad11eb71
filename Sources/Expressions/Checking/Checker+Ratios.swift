/// A ratio of two ints is cut to a whole number: `failed / all` is 0 until all fail. That is nearly never what is meant.
extension Checker {
  /// The division of two ints that gives a value, if one does: as it stands, on either side of a `:`, converted to a double
  /// too late, or as a part of a sum.
  func integerRatio(_ node: Node) -> Node? {
    switch node.kind {
    case .call(.divide, let operands) where operands.allSatisfy { $0.type == .int }:
      operands.contains { $0.constant == nil } ? node : nil
    case .call(.toDouble, let operands): integerRatio(operands[0])
    case .call(let operation, let operands) where operation.isArithmetic && node.type == .int:
      // What is divided by a number that was written is rounded on purpose (`seconds / 60 * 60`).
      operands.lazy.compactMap { integerRatio($0) }.first { ratio in ratio.children.last?.constant == nil }
    case .conditional(_, let yes, let no): integerRatio(yes) ?? integerRatio(no)
    default: nil
    }
  }

  /// Warns of a value that is such a ratio.
  mutating func warnOfIntegerRatio(_ node: Node) {
    guard let ratio = integerRatio(node) else { return }
    warn(
      ratio, "both sides of this `/` are ints, so the result is cut to a whole number",
      hint: "for a ratio write double(a) / double(b)")
  }

  /// Warns of a name for such a ratio that is compared with a part of one: `rate > 0.7`.
  mutating func warnOfIntegerRatio(_ node: Node, comparedWith other: Node) {
    guard case .double(let number)? = other.constant, number != number.rounded(), let name = ratioName(node) else {
      return
    }
    warn(
      node, "this is compared with a fraction, and `\(name)` is a whole number: it comes of a `/` of two ints",
      hint: "for a ratio write double(a) / double(b) there")
  }

  /// A `let` that is, or comes of, a division of two ints, and gives this int.
  func ratioName(_ node: Node) -> String? {
    guard node.type == .int else { return nil }
    switch node.kind {
    case .column(let slot, let name):
      return environment.names.contains { $0.slot == slot && $0.isIntegerRatio } ? name : nil
    case .call(let operation, let operands) where operation.isArithmetic || operation == .negate:
      return operands.lazy.compactMap { ratioName($0) }.first
    case .conditional(_, let yes, let no): return ratioName(yes) ?? ratioName(no)
    default: return nil
    }
  }
}
