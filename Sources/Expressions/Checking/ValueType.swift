internal import Events

/// A type of CEL, with `decimal` and Tocsin's tables.
indirect enum ValueType: Hashable, Sendable {
  /// Known only when the expression runs.
  case dyn
  case null, bool, int, uint, double, string, bytes, timestamp, duration, type
  case decimal(scale: Int)
  case list(ValueType)
  case map(ValueType, ValueType)

  init(_ column: ColumnType) {
    switch column {
    case .int: self = .int
    case .uint: self = .uint
    case .double: self = .double
    case .bool: self = .bool
    case .decimal(let scale): self = .decimal(scale: scale)
    case .timestamp: self = .timestamp
    case .duration: self = .duration
    case .string: self = .string
    case .bytes: self = .bytes
    case .list(let element): self = .list(ValueType(element))
    }
  }

  /// The column that can hold such values, if one can.
  var column: ColumnType? {
    switch self {
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .bool: .bool
    case .decimal(let scale): .decimal(scale: scale)
    case .timestamp: .timestamp
    case .duration: .duration
    case .string: .string
    case .bytes: .bytes
    case .list(let element): element.column.map { .list($0) }
    case .dyn, .null, .type, .map: nil
    }
  }

  /// The type of a constant.
  init(_ value: Value) {
    switch value {
    case .null: self = .null
    case .bool: self = .bool
    case .int: self = .int
    case .uint: self = .uint
    case .double: self = .double
    case .string: self = .string
    case .bytes: self = .bytes
    case .timestamp: self = .timestamp
    case .duration: self = .duration
    case .type: self = .type
    case .decimal(_, let scale): self = .decimal(scale: scale)
    case .list(let elements): self = .list(Self.join(elements.map { ValueType($0) }))
    case .map(let entries):
      self = .map(Self.join(entries.map { ValueType($0.key) }), Self.join(entries.map { ValueType($0.value) }))
    }
  }

  /// The one type of some values, or `dyn`.
  static func join(_ types: [ValueType]) -> ValueType {
    guard let first = types.first else { return .dyn }
    return types.dropFirst().reduce(first) { $0.joined(with: $1) }
  }

  func joined(with other: ValueType) -> ValueType {
    if self == other { return self }
    switch (self, other) {
    case (.list(let a), .list(let b)): return .list(a.joined(with: b))
    case (.map(let a, let b), .map(let c, let d)): return .map(a.joined(with: c), b.joined(with: d))
    case (.decimal(let a), .decimal(let b)): return .decimal(scale: max(a, b))
    default: return .dyn
    }
  }

  /// Whether a value of one type may be compared with one of the other.
  func isComparable(to other: ValueType) -> Bool {
    switch (self, other) {
    case (.dyn, _), (_, .dyn), (.decimal, .decimal), (.null, _), (_, .null): true
    case (.list(let a), .list(let b)): a.isComparable(to: b)
    case (.map(let a, let b), .map(let c, let d)): a.isComparable(to: c) && b.isComparable(to: d)
    default: self == other
    }
  }

  var isNumber: Bool {
    switch self {
    case .int, .uint, .double, .decimal: true
    default: false
    }
  }

  var isList: Bool { if case .list = self { true } else { false } }

  /// As it stands in messages.
  var name: String {
    switch self {
    case .dyn: "dyn"
    case .null: "null"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "timestamp"
    case .duration: "duration"
    case .type: "type"
    case .decimal(let scale): "decimal(\(scale))"
    case .list(let element): "list(\(element.name))"
    case .map(let key, let value): "map(\(key.name), \(value.name))"
    }
  }
}
