/// The operators and functions on values (cel-spec, langdef.md, "List of Standard Definitions").
enum Functions {
  static func apply(_ operation: Operation, _ values: [Value]) throws(EvaluationError) -> Value {
    switch operation {
    case .add, .subtract, .multiply, .divide, .modulo, .negate: return try Arithmetic.apply(operation, values)
    case .not:
      guard case .bool(let flag) = values[0] else { throw .noOverload("!", values) }
      return .bool(!flag)
    case .equal: return .bool(Equality.areEqual(values[0], values[1]))
    case .notEqual: return .bool(!Equality.areEqual(values[0], values[1]))
    case .less, .lessOrEqual, .greater, .greaterOrEqual: return .bool(try compare(operation, values[0], values[1]))
    case .isIn: return .bool(try isIn(values[0], values[1]))
    case .size: return .int(try size(values[0]))
    case .contains, .startsWith, .endsWith, .matches: return .bool(try search(operation, values))
    case .part(let part): return .int(try TimeParts.part(part, values))
    case .text(let function): return try TextFunctions.apply(function, values)
    case .math(let function): return try MathFunctions.apply(function, values)
    case .toType: return .type(values[0].typeName)
    case .toDyn: return values[0]
    default: return try Conversions.apply(operation, values[0])
    }
  }

  private static func compare(_ operation: Operation, _ a: Value, _ b: Value) throws(EvaluationError) -> Bool {
    guard let order = Equality.order(a, b) else { throw .noOverload(operation.symbol, [a, b]) }
    switch operation {
    case .less: return order == .less
    case .lessOrEqual: return order == .less || order == .equal
    case .greater: return order == .greater
    default: return order == .greater || order == .equal
    }
  }

  private static func isIn(_ element: Value, _ target: Value) throws(EvaluationError) -> Bool {
    switch target {
    case .list(let elements): return elements.contains { Equality.areEqual($0, element) }
    case .map(let entries): return Equality.find(element, in: entries) != nil
    default: throw .noOverload("in", [element, target])
    }
  }

  /// Of a text, the number of its code points.
  private static func size(_ value: Value) throws(EvaluationError) -> Int64 {
    switch value {
    case .string(let text): return Int64(text.unicodeScalars.count)
    case .bytes(let bytes): return Int64(bytes.count)
    case .list(let elements): return Int64(elements.count)
    case .map(let entries): return Int64(entries.count)
    default: throw .noOverload("size", [value])
    }
  }

  private static func search(_ operation: Operation, _ values: [Value]) throws(EvaluationError) -> Bool {
    guard values.count == 2, case .string(let text) = values[0], case .string(let part) = values[1] else {
      throw .noOverload(operation.symbol, values)
    }
    switch operation {
    case .startsWith: return text.utf8.starts(with: part.utf8)
    case .endsWith: return text.utf8.reversed().starts(with: part.utf8.reversed())
    case .contains: return ByteSearch.contains(Array(text.utf8), Array(part.utf8))
    case .matches(let pattern):
      if let pattern { return pattern.matches(text) }
      do {
        return try Pattern(part).matches(text)
      } catch {
        throw EvaluationError("not a pattern of RE2: \(error.message)")
      }
    default: throw .noOverload(operation.symbol, values)
    }
  }
}

/// Finds bytes in bytes.
enum ByteSearch {
  static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    text.withUnsafeBufferPointer { text in part.withUnsafeBufferPointer { contains(text, $0) } }
  }

  static func contains(_ text: UnsafeBufferPointer<UInt8>, _ part: UnsafeBufferPointer<UInt8>) -> Bool {
    find(part, in: text, from: 0) != nil
  }

  static func find(_ part: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard part.count > 0 else { return start }
    guard text.count >= part.count else { return nil }
    let last = text.count - part.count
    var index = start
    while index <= last {
      if text[index] == part[0] {
        var length = 1
        while length < part.count, text[index + length] == part[length] { length += 1 }
        if length == part.count { return index }
      }
      index += 1
    }
    return nil
  }
}
