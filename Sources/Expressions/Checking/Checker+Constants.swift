internal import Foundation

/// What is known when a file loads: constants are worked out, and one that has no value is a mistake of the file. (CEL makes
/// it an error value for each event: a condition with it would never hold.)
extension Checker {
  /// Works out what is known already; nil: it has no value, and that was told.
  mutating func folded(_ node: Node) -> Node? {
    guard isStrict, node.children.allSatisfy({ $0.constant != nil }) else { return node }
    var interpreter = Interpreter(frame: nil, row: 0)
    let value: Value
    do throws(EvaluationError) {
      value = try interpreter.evaluate(node)
    } catch {
      return environment.refusesConstantErrors ? refused(node, error) : node
    }
    let isLiteral = node.type.isNumber && node.children.allSatisfy(\.isLiteral)
    return Node(.constant(value), node.type, like: node, isLiteral: isLiteral, form: node.form)
  }

  private mutating func refused(_ node: Node, _ error: EvaluationError) -> Node? {
    guard case .call(let operation, let operands) = node.kind, operands.count == 1,
      Operation.conversions.values.contains(operation), case .string? = operands[0].constant
    else { return fail(node, "this never has a value: \(error)") }
    var hint: String?
    switch operation {
    case .toDuration: hint = "such as duration('5m'); the units are ns, us, ms, s, m, h, d, w"
    case .toTimestamp: hint = "such as timestamp('2026-01-01T00:00:00Z')"
    default: break
    }
    return fail(operands[0], error.description, hint: hint)
  }

  /// Tells an argument with which a call has no value, whatever the others are.
  mutating func hasHopelessArgument(_ operation: Operation, _ operands: [Node]) -> Bool {
    guard environment.refusesConstantErrors else { return false }
    switch operation {
    case .divide, .modulo: return isZero(operands[1])
    case .part where operands.count == 2: return isNoZone(operands[1])
    case .text(let function): return isNoPlace(function, operands)
    case .math(.bitShiftLeft), .math(.bitShiftRight):
      return operands.count == 2 && isNegative(operands[1], "a shift by a negative distance has no value")
    default: return false
    }
  }

  private mutating func isZero(_ node: Node) -> Bool {
    switch node.constant {
    case .int(0)?, .uint(0)?:
      _ = fail(node, "a division by zero has no value")
      return true
    default: return false
    }
  }

  private mutating func isNoZone(_ node: Node) -> Bool {
    guard case .string(let zone)? = node.constant, !TimeParts.isZone(zone) else { return false }
    let nearest = NearestWord.find(zone, among: TimeZone.knownTimeZoneIdentifiers)
    _ = fail(
      node, "there is no time zone `\(zone)`",
      hint: nearest.map { "did you mean `\($0)`?" }
        ?? "a name of the tz database, such as 'Europe/Berlin', or '+02:00'")
    return true
  }

  private mutating func isNoPlace(_ function: Operation.TextFunction, _ operands: [Node]) -> Bool {
    switch function {
    case .charAt, .indexOf, .lastIndexOf, .substring: break
    default: return false
    }
    for operand in operands.dropFirst() where isNegative(operand, "a place in a text is 0 or more") { return true }
    guard function == .substring, operands.count == 3, case .int(let start)? = operands[1].constant,
      case .int(let end)? = operands[2].constant, start > end
    else { return false }
    _ = fail(operands[2], "this part of a text ends before it begins")
    return true
  }

  mutating func isNegative(_ node: Node, _ message: String) -> Bool {
    guard case .int(let number)? = node.constant, number < 0 else { return false }
    _ = fail(node, message)
    return true
  }
}
