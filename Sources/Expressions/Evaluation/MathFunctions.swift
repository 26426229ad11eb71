internal import Foundation

/// Functions on numbers, from CEL's extension library of mathematics.
enum MathFunctions {
  static func apply(_ function: Operation.MathFunction, _ values: [Value]) throws(EvaluationError) -> Value {
    switch function {
    case .greatest, .least: return try extreme(function, values)
    case .ceil, .floor, .round, .trunc, .isInf, .isNaN, .isFinite: return try ofDouble(function, values)
    case .sqrt:
      guard values.count == 1 else { throw .noOverload("math.sqrt", values) }
      return .double(try Conversions.double(values[0]).squareRoot())
    case .abs, .sign: return try magnitude(function, values)
    default: return try bits(function, values)
    }
  }

  private static func extreme(_ function: Operation.MathFunction, _ values: [Value]) throws(EvaluationError) -> Value {
    var candidates = values
    if values.count == 1, case .list(let elements) = values[0] { candidates = elements }
    guard var best = candidates.first else { throw EvaluationError("`math.\(function.rawValue)` of nothing") }
    for candidate in candidates {
      switch candidate {
      case .int, .uint, .double, .decimal: break
      default: throw .noOverload("math.\(function.rawValue)", values)
      }
      let order = Equality.order(candidate, best)
      if order == (function == .greatest ? .greater : .less) { best = candidate }
    }
    return best
  }

  private static func ofDouble(_ function: Operation.MathFunction, _ values: [Value]) throws(EvaluationError) -> Value {
    guard values.count == 1, case .double(let number) = values[0] else {
      throw .noOverload("math.\(function.rawValue)", values)
    }
    switch function {
    case .ceil: return .double(number.rounded(.up))
    case .floor: return .double(number.rounded(.down))
    case .round: return .double(number.rounded(.toNearestOrAwayFromZero))
    case .trunc: return .double(number.rounded(.towardZero))
    case .isInf: return .bool(number.isInfinite)
    case .isNaN: return .bool(number.isNaN)
    default: return .bool(number.isFinite)
    }
  }

  private static func magnitude(_ function: Operation.MathFunction, _ values: [Value]) throws(EvaluationError) -> Value
  {
    guard values.count == 1 else { throw .noOverload("math.\(function.rawValue)", values) }
    switch (function, values[0]) {
    case (.abs, .int(let number)):
      if number == .min { throw .overflow }
      return .int(abs(number))
    case (.sign, .int(let number)): return .int(number.signum())
    case (.abs, .uint): return values[0]
    case (.sign, .uint(let number)): return .uint(number == 0 ? 0 : 1)
    case (.abs, .double(let number)): return .double(abs(number))
    case (.sign, .double(let number)): return .double(number.isNaN ? .nan : number > 0 ? 1 : number < 0 ? -1 : 0)
    case (.abs, .decimal(let number, let scale)):
      if number == .min { throw .overflow }
      return .decimal(abs(number), scale: scale)
    default: throw .noOverload("math.\(function.rawValue)", values)
    }
  }

  private static func bits(_ function: Operation.MathFunction, _ values: [Value]) throws(EvaluationError) -> Value {
    switch (function, values.count) {
    case (.bitNot, 1):
      if case .int(let a) = values[0] { return .int(~a) }
      if case .uint(let a) = values[0] { return .uint(~a) }
    case (.bitShiftLeft, 2), (.bitShiftRight, 2): return try shifted(function, values)
    case (_, 2):
      if case .int(let a) = values[0], case .int(let b) = values[1] { return .int(combine(function, a, b)) }
      if case .uint(let a) = values[0], case .uint(let b) = values[1] { return .uint(combine(function, a, b)) }
    default: break
    }
    throw .noOverload("math.\(function.rawValue)", values)
  }

  private static func combine<T: FixedWidthInteger>(_ function: Operation.MathFunction, _ a: T, _ b: T) -> T {
    switch function {
    case .bitAnd: a & b
    case .bitOr: a | b
    default: a ^ b
    }
  }

  /// Shifts fill with zeros, on both sides.
  private static func shifted(_ function: Operation.MathFunction, _ values: [Value]) throws(EvaluationError) -> Value {
    guard case .int(let distance) = values[1] else { throw .noOverload("math.\(function.rawValue)", values) }
    guard distance >= 0 else { throw EvaluationError("a shift by a negative distance") }
    let bits: UInt64
    var isSigned = false
    switch values[0] {
    case .int(let number): (bits, isSigned) = (UInt64(bitPattern: number), true)
    case .uint(let number): bits = number
    default: throw .noOverload("math.\(function.rawValue)", values)
    }
    let result = distance > 63 ? 0 : function == .bitShiftLeft ? bits << UInt64(distance) : bits >> UInt64(distance)
    return isSigned ? .int(Int64(bitPattern: result)) : .uint(result)
  }
}
