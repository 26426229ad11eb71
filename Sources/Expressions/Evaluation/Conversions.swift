internal import Events
internal import Foundation

/// `int(x)`, `string(x)` and the like.
enum Conversions {
  static func apply(_ operation: Operation, _ value: Value) throws(EvaluationError) -> Value {
    switch operation {
    case .toInt: return .int(try int(value))
    case .toUInt: return .uint(try uint(value))
    case .toDouble: return .double(try double(value))
    case .toString: return .string(try string(value))
    case .toBytes:
      switch value {
      case .bytes: return value
      case .string(let text): return .bytes(Array(text.utf8))
      default: throw .noOverload("bytes", [value])
      }
    case .toBool: return .bool(try bool(value))
    case .toTimestamp: return try timestamp(value)
    default: return try duration(value)
    }
  }

  private static func int(_ value: Value) throws(EvaluationError) -> Int64 {
    switch value {
    case .int(let number): return number
    case .uint(let number): return try fitting(Int64(exactly: number))
    case .double(let number):
      guard number > -9_223_372_036_854_775_808, number < 9_223_372_036_854_775_808 else { throw .overflow }
      return Int64(number)
    case .string(let text):
      guard let number = Int64(text) else { throw EvaluationError("`\(text)` is no int") }
      return number
    case .timestamp(let time): return try fitting(Int64(exactly: floor(time, TimeRange.second)))
    case .duration(let time): return try fitting(Int64(exactly: time / TimeRange.second))
    case .decimal(let number, let scale):
      var whole = number
      for _ in 0..<scale { whole /= 10 }
      return try fitting(Int64(exactly: whole))
    default: throw .noOverload("int", [value])
    }
  }

  private static func fitting<T>(_ value: T?) throws(EvaluationError) -> T {
    guard let value else { throw .overflow }
    return value
  }

  private static func floor(_ value: Int128, _ divisor: Int128) -> Int128 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }

  private static func uint(_ value: Value) throws(EvaluationError) -> UInt64 {
    switch value {
    case .uint(let number): return number
    case .int(let number): return try fitting(UInt64(exactly: number))
    case .double(let number):
      guard number >= 0, number < 18_446_744_073_709_551_616 else { throw .overflow }
      return UInt64(number)
    case .string(let text):
      guard let number = UInt64(text) else { throw EvaluationError("`\(text)` is no uint") }
      return number
    default: throw .noOverload("uint", [value])
    }
  }

  static func double(_ value: Value) throws(EvaluationError) -> Double {
    switch value {
    case .double(let number): return number
    case .int(let number): return Double(number)
    case .uint(let number): return Double(number)
    case .decimal(let number, let scale): return decimal(number, scale)
    case .string(let text):
      switch text {
      case "NaN": return .nan
      case "Infinity", "+Infinity", "inf", "+inf", "Inf": return .infinity
      case "-Infinity", "-inf", "-Inf": return -.infinity
      default:
        guard text.allSatisfy({ "0123456789+-.eE".contains($0) }), let number = Double(text) else {
          throw EvaluationError("`\(text)` is no double")
        }
        return number
      }
    default: throw .noOverload("double", [value])
    }
  }

  /// Money as a double: one correctly rounded division where both sides are exact, else by way of its text.
  static func decimal(_ number: Int128, _ scale: Int) -> Double {
    if number.magnitude < 1 << 53, scale <= 22 { return Double(number) / powers[scale] }
    return Double(DecimalText.text(number, scale: scale)) ?? .nan
  }

  private static let powers: [Double] = (0...22).map { Double("1e\($0)") ?? 1 }

  private static func bool(_ value: Value) throws(EvaluationError) -> Bool {
    switch value {
    case .bool(let flag): return flag
    case .string("true"), .string("TRUE"), .string("True"), .string("t"), .string("1"): return true
    case .string("false"), .string("FALSE"), .string("False"), .string("f"), .string("0"): return false
    case .string(let text): throw EvaluationError("`\(text)` is no bool")
    default: throw .noOverload("bool", [value])
    }
  }

  static func string(_ value: Value) throws(EvaluationError) -> String {
    switch value {
    case .string(let text): return text
    case .int(let number): return String(number)
    case .uint(let number): return String(number)
    case .bool(let flag): return flag ? "true" : "false"
    case .double(let number): return double(number)
    case .bytes(let bytes):
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw EvaluationError("the bytes are not UTF-8")
      }
      return text
    case .timestamp(let time): return TimeParts.text(time)
    case .duration(let time): return DurationText.text(time)
    case .decimal(let number, let scale): return DecimalText.text(number, scale: scale)
    default: throw .noOverload("string", [value])
    }
  }

  private static func double(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    var text = "\(number)"
    if text.hasSuffix(".0") { text.removeLast(2) }
    return text
  }

  private static func timestamp(_ value: Value) throws(EvaluationError) -> Value {
    switch value {
    case .timestamp: return value
    case .int(let seconds): return try TimeRange.timestamp(Int128(seconds) * TimeRange.second)
    case .string(let text): return try TimeRange.timestamp(try TimeParts.parse(text))
    default: throw .noOverload("timestamp", [value])
    }
  }

  private static func duration(_ value: Value) throws(EvaluationError) -> Value {
    switch value {
    case .duration: return value
    case .int(let seconds): return try TimeRange.duration(Int128(seconds) * TimeRange.second)
    case .string(let text): return try TimeRange.duration(try DurationText.parse(text))
    default: throw .noOverload("duration", [value])
    }
  }
}

/// Durations as text: `1h30m`, `-0.5s`; and, the second mercy, `d` for days and `w` for weeks.
enum DurationText {
  private static let units: [(suffix: String, nanoseconds: Int128)] = [
    ("ns", 1), ("us", 1_000), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
    ("h", 3_600_000_000_000), ("d", 86_400_000_000_000), ("w", 604_800_000_000_000),
  ]

  static func parse(_ text: String) throws(EvaluationError) -> Int128 {
    let problem = EvaluationError("`\(text)` is no duration")
    var rest = Substring(text)
    let isNegative = rest.hasPrefix("-")
    if isNegative || rest.hasPrefix("+") { rest = rest.dropFirst() }
    if rest == "0" { return 0 }
    guard !rest.isEmpty else { throw problem }
    var total: Int128 = 0
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
      rest = rest.dropFirst(number.count)
      let suffix = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(suffix.count)
      guard let unit = units.first(where: { $0.suffix == suffix }), let part = nanoseconds(number, unit.nanoseconds)
      else {
        throw problem
      }
      guard part < 1 << 100 else { throw .overflow }
      total += part
      guard total < 1 << 100 else { throw .overflow }
    }
    return isNegative ? -total : total
  }

  private static func nanoseconds(_ number: Substring, _ unit: Int128) -> Int128? {
    let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count <= 2, number != ".", number.count < 30, !(parts.last?.contains(".") ?? false) else { return nil }
    var total: Int128 = 0
    if !parts[0].isEmpty {
      guard let whole = Int128(parts[0]) else { return nil }
      let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
      guard !overflow else { return nil }
      total = product
    }
    if parts.count == 2, !parts[1].isEmpty {
      // Digits beyond these count for less than a nanosecond of a week.
      let digits = parts[1].prefix(16)
      guard let fraction = Int128(digits) else { return nil }
      var divisor: Int128 = 1
      for _ in digits { divisor *= 10 }
      total += fraction * unit / divisor
    }
    return number.isEmpty ? nil : total
  }

  /// In seconds: `5400s`, `0.25s`.
  static func text(_ time: Int128) -> String {
    var text = DecimalText.text(time, scale: 9)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text + "s"
  }
}
