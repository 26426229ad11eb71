/// Arithmetic that never wraps: what does not fit is an error.
enum Arithmetic {
  static func apply(_ operation: Operation, _ values: [Value]) throws(EvaluationError) -> Value {
    if operation == .negate { return try negate(values[0]) }
    switch (values[0], values[1]) {
    case (.int(let a), .int(let b)): return .int(try integer(operation, a, b))
    case (.uint(let a), .uint(let b)): return .uint(try integer(operation, a, b))
    case (.double(let a), .double(let b)): return try double(operation, a, b, values)
    case (.string(let a), .string(let b)) where operation == .add:
      guard a.utf8.count + b.utf8.count <= ValueLimit.textBytes else { throw .tooLarge }
      return .string(a + b)
    case (.bytes(let a), .bytes(let b)) where operation == .add:
      guard a.count + b.count <= ValueLimit.textBytes else { throw .tooLarge }
      return .bytes(a + b)
    case (.list(let a), .list(let b)) where operation == .add:
      guard a.count + b.count <= ValueLimit.elements else { throw .tooLarge }
      return .list(a + b)
    case (.decimal(let a, let s), .decimal(let b, let t)): return try decimal(operation, a, s, b, t, values)
    case (.decimal(let a, let s), .int(let b)), (.int(let b), .decimal(let a, let s)):
      guard operation == .multiply else { throw .noOverload(operation.symbol, values) }
      return .decimal(try checked(a.multipliedReportingOverflow(by: Int128(b))), scale: s)
    default: return try time(operation, values)
    }
  }

  private static func checked<T>(_ result: (partialValue: T, overflow: Bool)) throws(EvaluationError) -> T {
    if result.overflow { throw .overflow }
    return result.partialValue
  }

  static func integer<T: FixedWidthInteger>(_ operation: Operation, _ a: T, _ b: T) throws(EvaluationError) -> T {
    switch operation {
    case .add: return try checked(a.addingReportingOverflow(b))
    case .subtract: return try checked(a.subtractingReportingOverflow(b))
    case .multiply: return try checked(a.multipliedReportingOverflow(by: b))
    case .divide:
      if b == 0 { throw .divisionByZero }
      return try checked(a.dividedReportingOverflow(by: b))
    default:
      if b == 0 { throw EvaluationError("modulus by zero") }
      return try checked(a.remainderReportingOverflow(dividingBy: b))
    }
  }

  private static func double(_ operation: Operation, _ a: Double, _ b: Double, _ values: [Value])
    throws(EvaluationError) -> Value
  {
    switch operation {
    case .add: return .double(a + b)
    case .subtract: return .double(a - b)
    case .multiply: return .double(a * b)
    case .divide: return .double(a / b)
    default: throw .noOverload(operation.symbol, values)
    }
  }

  private static func decimal(
    _ operation: Operation, _ a: Int128, _ s: Int, _ b: Int128, _ t: Int, _ values: [Value]
  ) throws(EvaluationError) -> Value {
    if operation == .multiply { return .decimal(try checked(a.multipliedReportingOverflow(by: b)), scale: s + t) }
    guard operation == .add || operation == .subtract else { throw .noOverload(operation.symbol, values) }
    let scale = max(s, t)
    let left = try rescale(a, by: scale - s)
    let right = try rescale(b, by: scale - t)
    let result = operation == .add ? left.addingReportingOverflow(right) : left.subtractingReportingOverflow(right)
    return .decimal(try checked(result), scale: scale)
  }

  private static func rescale(_ value: Int128, by digits: Int) throws(EvaluationError) -> Int128 {
    var value = value
    for _ in 0..<digits { value = try checked(value.multipliedReportingOverflow(by: 10)) }
    return value
  }

  private static func negate(_ value: Value) throws(EvaluationError) -> Value {
    switch value {
    case .int(let number):
      if number == .min { throw .overflow }
      return .int(-number)
    case .double(let number): return .double(-number)
    case .duration(let time): return .duration(-time)
    case .decimal(let number, let scale):
      if number == .min { throw .overflow }
      return .decimal(-number, scale: scale)
    default: throw .noOverload("-", [value])
    }
  }

  private static func time(_ operation: Operation, _ values: [Value]) throws(EvaluationError) -> Value {
    switch (operation, values[0], values[1]) {
    case (.add, .timestamp(let a), .duration(let b)), (.add, .duration(let b), .timestamp(let a)):
      return try TimeRange.timestamp(a + b)
    case (.subtract, .timestamp(let a), .duration(let b)): return try TimeRange.timestamp(a - b)
    case (.subtract, .timestamp(let a), .timestamp(let b)):
      guard Int64(exactly: a - b) != nil else { throw .overflow }
      return .duration(a - b)
    case (.subtract, .duration(let a), .duration(let b)): return try TimeRange.duration(a - b)
    case (.add, .duration(let a), .duration(let b)): return try TimeRange.duration(a + b)
    default: throw .noOverload(operation.symbol, values)
    }
  }
}

/// Bounds of what expressions put together: texts and lists that grow with every step end in an error value.
enum ValueLimit {
  /// Bytes of a text; a little more than the largest record that is read.
  static let textBytes = 16 << 20
  static let elements = 4 << 20
}

/// The bounds of CEL's times: the years 1 to 9999, and durations of up to 10,000 years.
enum TimeRange {
  static let second: Int128 = 1_000_000_000
  private static let timestamps = (-62_135_596_800 * second)...(253_402_300_799 * second + 999_999_999)
  private static let durations = (-315_576_000_000 * second)...(315_576_000_000 * second)

  static func timestamp(_ time: Int128) throws(EvaluationError) -> Value {
    guard timestamps.contains(time) else { throw EvaluationError("the time lies outside the years 1 to 9999") }
    return .timestamp(time)
  }

  static func duration(_ time: Int128) throws(EvaluationError) -> Value {
    guard durations.contains(time) else { throw EvaluationError("the duration is longer than 10,000 years") }
    return .duration(time)
  }
}
