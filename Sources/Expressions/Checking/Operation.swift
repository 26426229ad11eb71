/// The functions and operators that expressions may use.
enum Operation: Sendable, Hashable {
  case add, subtract, multiply, divide, modulo, negate, not
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, isIn
  case size, contains, startsWith, endsWith
  case matches(Pattern?)
  case toInt, toUInt, toDouble, toString, toBytes, toBool, toTimestamp, toDuration, toType, toDyn
  case part(TimePart)
  case text(TextFunction)
  case math(MathFunction)

  enum TimePart: String, Sendable, CaseIterable {
    case getFullYear, getMonth, getDate, getDayOfMonth, getDayOfWeek, getDayOfYear, getHours, getMinutes, getSeconds
    case getMilliseconds
  }

  enum TextFunction: String, Sendable, CaseIterable {
    case charAt, indexOf, lastIndexOf, lowerAscii, upperAscii, replace, split, substring, trim, join, reverse

    /// The text itself and what stands in parentheses.
    var operandCounts: ClosedRange<Int> {
      switch self {
      case .lowerAscii, .upperAscii, .trim, .reverse: 1...1
      case .join: 1...2
      case .charAt: 2...2
      case .indexOf, .lastIndexOf, .split, .substring: 2...3
      case .replace: 3...4
      }
    }
  }

  enum MathFunction: String, Sendable, CaseIterable {
    case greatest, least, ceil, floor, round, trunc, abs, sign, sqrt, isInf, isNaN, isFinite, bitAnd, bitOr, bitXor,
      bitNot
    case bitShiftLeft, bitShiftRight
  }

  static let binary: [String: Operation] = [
    "+": .add, "-": .subtract, "*": .multiply, "/": .divide, "%": .modulo, "==": .equal, "!=": .notEqual, "<": .less,
    "<=": .lessOrEqual, ">": .greater, ">=": .greaterOrEqual, "in": .isIn,
  ]

  static let conversions: [String: Operation] = [
    "int": .toInt, "uint": .toUInt, "double": .toDouble, "string": .toString, "bytes": .toBytes, "bool": .toBool,
    "timestamp": .toTimestamp, "duration": .toDuration, "type": .toType, "dyn": .toDyn,
  ]

  /// The types that have names, as values of type `type`.
  static let typeNames: [String: String] = [
    "int": "int", "uint": "uint", "double": "double", "string": "string", "bytes": "bytes", "bool": "bool",
    "list": "list", "map": "map", "null_type": "null_type", "type": "type",
    "google.protobuf.Timestamp": "google.protobuf.Timestamp", "google.protobuf.Duration": "google.protobuf.Duration",
  ]

  /// All names of functions, to find the nearest.
  static let allNames: [String] =
    Array(conversions.keys) + ["size", "contains", "startsWith", "endsWith", "matches", "has"]
    + TimePart.allCases.map(\.rawValue) + TextFunction.allCases.map(\.rawValue)

  /// Functions that are called on a value: `s.contains(t)`.
  static let memberNames: Set<String> = Set(
    ["contains", "startsWith", "endsWith"] + TimePart.allCases.map(\.rawValue) + TextFunction.allCases.map(\.rawValue))

  /// As it stands in an expression.
  var symbol: String {
    switch self {
    case .add: "+"
    case .subtract, .negate: "-"
    case .multiply: "*"
    case .divide: "/"
    case .modulo: "%"
    case .not: "!"
    case .equal: "=="
    case .notEqual: "!="
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    case .isIn: "in"
    case .size: "size"
    case .contains: "contains"
    case .startsWith: "startsWith"
    case .endsWith: "endsWith"
    case .matches: "matches"
    case .toInt: "int"
    case .toUInt: "uint"
    case .toDouble: "double"
    case .toString: "string"
    case .toBytes: "bytes"
    case .toBool: "bool"
    case .toTimestamp: "timestamp"
    case .toDuration: "duration"
    case .toType: "type"
    case .toDyn: "dyn"
    case .part(let part): part.rawValue
    case .text(let function): function.rawValue
    case .math(let function): "math." + function.rawValue
    }
  }

  var isComparison: Bool {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
    default: false
    }
  }

  var isOrdering: Bool { isComparison && self != .equal && self != .notEqual }

  var isArithmetic: Bool {
    switch self {
    case .add, .subtract, .multiply, .divide, .modulo: true
    default: false
    }
  }
}
