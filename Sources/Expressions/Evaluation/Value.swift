public import Events

/// A value of CEL (cel-spec, langdef.md, "Values"), and `decimal`, Tocsin's exact money.
public indirect enum Value: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  case list([Value])
  case map([(key: Value, value: Value)])
  /// Nanoseconds since 1970, in the years 1 to 9999.
  case timestamp(Int128)
  /// Nanoseconds.
  case duration(Int128)
  case type(String)
  /// Units of 10^-scale.
  case decimal(Int128, scale: Int)

  /// CEL's name of the value's type.
  public var typeName: String {
    switch self {
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .list: "list"
    case .map: "map"
    case .timestamp: "google.protobuf.Timestamp"
    case .duration: "google.protobuf.Duration"
    case .type: "type"
    case .decimal: "decimal"
    }
  }

  /// The value for an alert; nil for what it can't show (maps, types, times that 64 bits do not hold).
  public var scalar: Scalar? {
    switch self {
    case .null: return .null
    case .bool(let flag): return .bool(flag)
    case .int(let number): return .int(number)
    case .uint(let number): return .uint(number)
    case .double(let number): return .double(number)
    case .string(let text): return .string(text)
    case .bytes(let bytes): return .string(String(decoding: bytes, as: UTF8.self))
    case .timestamp(let time): return Int64(exactly: time).map { .timestamp($0) }
    case .duration(let time): return Int64(exactly: time).map { .duration($0) }
    case .decimal(let number, let scale): return .decimal(number, scale: scale)
    case .list(let elements):
      let scalars = elements.compactMap(\.scalar)
      return scalars.count == elements.count ? .list(scalars) : nil
    case .map, .type: return nil
    }
  }

  /// The value that a scalar holds.
  public init(_ scalar: Scalar) {
    switch scalar {
    case .null: self = .null
    case .string(let text): self = .string(text)
    case .int(let number): self = .int(number)
    case .uint(let number): self = .uint(number)
    case .double(let number): self = .double(number)
    case .bool(let flag): self = .bool(flag)
    case .decimal(let number, let scale): self = .decimal(number, scale: scale)
    case .timestamp(let time): self = .timestamp(Int128(time))
    case .duration(let time): self = .duration(Int128(time))
    case .list(let elements): self = .list(elements.map { Value($0) })
    }
  }
}

/// Why an expression has no value for a row: CEL's error value.
public struct EvaluationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, in one line.
  public var description: String

  init(_ description: String) { self.description = description }

  static let overflow = EvaluationError("the result does not fit")
  static let tooLarge = EvaluationError("the result is too large")
  static let divisionByZero = EvaluationError("division by zero")
  static func noOverload(_ operation: String, _ values: [Value]) -> EvaluationError {
    EvaluationError("`\(operation)` does not take \(values.map(\.typeName).joined(separator: ", "))")
  }
}
