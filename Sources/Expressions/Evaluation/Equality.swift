/// Equality and order of values, by CEL's rules: numbers compare across types by their value, other types are never equal
/// to each other.
enum Equality {
  static func areEqual(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.bytes(let a), .bytes(let b)): a == b
    case (.timestamp(let a), .timestamp(let b)), (.duration(let a), .duration(let b)): a == b
    case (.type(let a), .type(let b)): a == b
    case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy { areEqual($0, $1) }
    case (.map(let a), .map(let b)):
      a.count == b.count && a.allSatisfy { entry in find(entry.key, in: b).map { areEqual(entry.value, $0) } ?? false }
    default: numericOrder(left, right) == .some(.equal)
    }
  }

  /// The value under a key of a map.
  static func find(_ key: Value, in entries: [(key: Value, value: Value)]) -> Value? {
    entries.first { areEqual($0.key, key) }?.value
  }

  enum Order { case less, equal, greater, unordered }

  /// nil where the types have no order between them.
  static func order(_ left: Value, _ right: Value) -> Order? {
    switch (left, right) {
    case (.bool(let a), .bool(let b)): plain(a ? 1 : 0, b ? 1 : 0)
    case (.string(let a), .string(let b)): sequence(Array(a.utf8), Array(b.utf8))
    case (.bytes(let a), .bytes(let b)): sequence(a, b)
    case (.timestamp(let a), .timestamp(let b)), (.duration(let a), .duration(let b)): plain(a, b)
    default: numericOrder(left, right)
    }
  }

  private static func plain<T: Comparable>(_ a: T, _ b: T) -> Order { a < b ? .less : a > b ? .greater : .equal }

  private static func sequence(_ a: [UInt8], _ b: [UInt8]) -> Order {
    a.lexicographicallyPrecedes(b) ? .less : a == b ? .equal : .greater
  }

  private static func numericOrder(_ left: Value, _ right: Value) -> Order? {
    switch (left, right) {
    case (.double(let a), .double(let b)): a.isNaN || b.isNaN ? .unordered : plain(a, b)
    case (.decimal(let a, let s), .decimal(let b, let t)): decimals(a, s, b, t)
    case (.decimal(let a, let s), _): integer(right).map { decimals(a, s, $0, 0) }
    case (_, .decimal(let b, let t)): integer(left).map { decimals($0, 0, b, t) }
    case (.double(let a), _): integer(right).map { double(a, $0) }
    case (_, .double(let b)): integer(left).map { flipped(double(b, $0)) }
    default:
      if let a = integer(left), let b = integer(right) { plain(a, b) } else { nil }
    }
  }

  private static func integer(_ value: Value) -> Int128? {
    switch value {
    case .int(let number): Int128(number)
    case .uint(let number): Int128(number)
    default: nil
    }
  }

  private static func flipped(_ order: Order) -> Order { order == .less ? .greater : order == .greater ? .less : order }

  /// A double against a whole number: by value, the number rounded to a double as CEL's other implementations do.
  private static func double(_ a: Double, _ b: Int128) -> Order { a.isNaN ? .unordered : plain(a, Double(b)) }

  /// Decimals of any scales, exactly: where bringing one to the other's scale overflows, it is the larger in magnitude.
  static func decimals(_ a: Int128, _ s: Int, _ b: Int128, _ t: Int) -> Order {
    if s == t { return plain(a, b) }
    if s > t { return flipped(decimals(b, t, a, s)) }
    var scaled = a
    for _ in s..<t {
      let (product, overflow) = scaled.multipliedReportingOverflow(by: 10)
      if overflow { return a > 0 ? .greater : .less }
      scaled = product
    }
    return plain(scaled, b)
  }
}
