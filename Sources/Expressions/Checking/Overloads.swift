/// What the operators and functions take and give.
enum Overloads {
  /// The type of a call's result; nil where the function does not take these types.
  static func result(_ operation: Operation, _ types: [ValueType]) -> ValueType? {
    if types.contains(.dyn), let loose = loose(operation, types) { return loose }
    switch operation {
    case .add, .subtract, .multiply, .divide, .modulo: return arithmetic(operation, types[0], types[1])
    case .negate: return negated(types[0])
    case .not: return types[0] == .bool ? .bool : nil
    case .equal, .notEqual: return types[0].isComparable(to: types[1]) ? .bool : nil
    case .less, .lessOrEqual, .greater, .greaterOrEqual: return isOrdered(types[0], types[1]) ? .bool : nil
    case .isIn: return isIn(types[0], types[1])
    default: return function(operation, types)
    }
  }

  /// With an argument of unknown type, the result is known all the same for many operations.
  private static func loose(_ operation: Operation, _ types: [ValueType]) -> ValueType? {
    switch operation {
    case .add, .subtract, .multiply, .divide, .modulo, .negate: return .dyn
    case .not, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .contains, .startsWith, .endsWith,
      .matches:
      return .bool
    case .isIn: return types[1] == .dyn || isIn(types[0], types[1]) != nil ? .bool : nil
    case .size, .toInt, .part: return .int
    case .toUInt: return .uint
    case .toDouble: return .double
    case .toString: return .string
    case .toBytes: return .bytes
    case .toBool: return .bool
    case .toTimestamp: return .timestamp
    case .toDuration: return .duration
    case .toType: return .type
    case .toDyn: return .dyn
    case .text(let function): return text(function)
    case .math: return .dyn
    }
  }

  private static func arithmetic(_ operation: Operation, _ a: ValueType, _ b: ValueType) -> ValueType? {
    switch (operation, a, b) {
    case (_, .int, .int): return .int
    case (_, .uint, .uint): return .uint
    case (.modulo, _, _): return nil
    case (_, .double, .double): return .double
    case (.add, .decimal(let s), .decimal(let t)), (.subtract, .decimal(let s), .decimal(let t)):
      return .decimal(scale: max(s, t))
    case (.multiply, .decimal(let s), .decimal(let t)): return s + t <= 38 ? .decimal(scale: s + t) : nil
    case (.multiply, .decimal(let s), .int), (.multiply, .int, .decimal(let s)): return .decimal(scale: s)
    case (.add, .string, .string): return .string
    case (.add, .bytes, .bytes): return .bytes
    case (.add, .list(let x), .list(let y)): return .list(x.joined(with: y))
    case (.add, .duration, .duration), (.subtract, .duration, .duration): return .duration
    case (.add, .timestamp, .duration), (.add, .duration, .timestamp), (.subtract, .timestamp, .duration):
      return .timestamp
    case (.subtract, .timestamp, .timestamp): return .duration
    default: return nil
    }
  }

  private static func negated(_ type: ValueType) -> ValueType? {
    switch type {
    case .int, .double, .decimal, .duration: type
    default: nil
    }
  }

  static func isOrdered(_ a: ValueType, _ b: ValueType) -> Bool {
    switch (a, b) {
    case (.dyn, _), (_, .dyn), (.decimal, .decimal), (.decimal, .int), (.int, .decimal), (.decimal, .uint),
      (.uint, .decimal):
      true
    case (.bool, .bool), (.string, .string), (.bytes, .bytes), (.timestamp, .timestamp), (.duration, .duration): true
    case (.decimal, _), (_, .decimal): false
    default: a.isNumber && b.isNumber
    }
  }

  private static func isIn(_ element: ValueType, _ target: ValueType) -> ValueType? {
    switch target {
    case .list(let type): element.isComparable(to: type) || element == .dyn ? .bool : nil
    case .map(let key, _): element.isComparable(to: key) ? .bool : nil
    case .dyn: .bool
    default: nil
    }
  }

  private static func function(_ operation: Operation, _ types: [ValueType]) -> ValueType? {
    switch operation {
    case .size:
      switch types[0] {
      case .string, .bytes, .list, .map: return .int
      default: return nil
      }
    case .contains, .startsWith, .endsWith, .matches: return types == [.string, .string] ? .bool : nil
    case .part: return part(operation, types)
    case .text(let function): return text(function, types)
    case .math(let function): return math(function, types)
    default: return conversion(operation, types[0])
    }
  }

  private static func part(_ operation: Operation, _ types: [ValueType]) -> ValueType? {
    if types == [.timestamp] || types == [.timestamp, .string] { return .int }
    guard types == [.duration], case .part(let part) = operation else { return nil }
    return [.getHours, .getMinutes, .getSeconds, .getMilliseconds].contains(part) ? .int : nil
  }

  private static func conversion(_ operation: Operation, _ type: ValueType) -> ValueType? {
    switch (operation, type) {
    case (.toInt, .int), (.toInt, .uint), (.toInt, .double), (.toInt, .string), (.toInt, .timestamp),
      (.toInt, .duration),
      (.toInt, .decimal):
      .int
    case (.toUInt, .int), (.toUInt, .uint), (.toUInt, .double), (.toUInt, .string): .uint
    case (.toDouble, .int), (.toDouble, .uint), (.toDouble, .double), (.toDouble, .string), (.toDouble, .decimal):
      .double
    case (.toString, .int), (.toString, .uint), (.toString, .double), (.toString, .string), (.toString, .bool),
      (.toString, .bytes), (.toString, .timestamp), (.toString, .duration), (.toString, .decimal):
      .string
    case (.toBytes, .bytes), (.toBytes, .string): .bytes
    case (.toBool, .bool), (.toBool, .string): .bool
    case (.toTimestamp, .timestamp), (.toTimestamp, .string), (.toTimestamp, .int): .timestamp
    case (.toDuration, .duration), (.toDuration, .string), (.toDuration, .int): .duration
    case (.toType, _): .type
    case (.toDyn, _): .dyn
    default: nil
    }
  }

  private static func text(_ function: Operation.TextFunction) -> ValueType {
    switch function {
    case .indexOf, .lastIndexOf: .int
    case .split: .list(.string)
    default: .string
    }
  }

  private static func text(_ function: Operation.TextFunction, _ types: [ValueType]) -> ValueType? {
    let result = text(function)
    let isTaken: Bool
    switch function {
    case .charAt: isTaken = types == [.string, .int]
    case .indexOf, .lastIndexOf: isTaken = types == [.string, .string] || types == [.string, .string, .int]
    case .lowerAscii, .upperAscii, .trim, .reverse: isTaken = types == [.string]
    case .replace: isTaken = types == [.string, .string, .string] || types == [.string, .string, .string, .int]
    case .split: isTaken = types == [.string, .string] || types == [.string, .string, .int]
    case .substring: isTaken = types == [.string, .int] || types == [.string, .int, .int]
    case .join: isTaken = types == [.list(.string)] || types == [.list(.string), .string] || types.first == .list(.dyn)
    }
    return isTaken ? result : nil
  }

  private static func math(_ function: Operation.MathFunction, _ types: [ValueType]) -> ValueType? {
    switch function {
    case .greatest, .least:
      let elements: [ValueType]
      if types.count == 1, case .list(let element) = types[0] { elements = [element] } else { elements = types }
      guard elements.allSatisfy({ $0.isNumber || $0 == .dyn }) else { return nil }
      return elements.allSatisfy { $0 == elements[0] } ? elements[0] : .dyn
    case .ceil, .floor, .round, .trunc: return types == [.double] ? .double : nil
    case .isInf, .isNaN, .isFinite: return types == [.double] ? .bool : nil
    case .sqrt: return types.count == 1 && types[0].isNumber ? .double : nil
    case .abs, .sign: return types.count == 1 && types[0].isNumber ? types[0] : nil
    case .bitNot: return types == [.int] || types == [.uint] ? types[0] : nil
    case .bitAnd, .bitOr, .bitXor: return types == [.int, .int] || types == [.uint, .uint] ? types[0] : nil
    case .bitShiftLeft, .bitShiftRight: return types == [.int, .int] || types == [.uint, .int] ? types[0] : nil
    }
  }
}
