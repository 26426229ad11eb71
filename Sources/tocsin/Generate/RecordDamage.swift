/// Ways in which a record is broken on purpose, each of which ends in the dead-letter topic.
enum RecordDamage: Sendable, CaseIterable {
  /// The end is missing.
  case truncated
  /// A quotation mark is missing.
  case notJSON
  /// The time is missing.
  case noTime
  /// The bytes are not UTF-8.
  case notUTF8
  /// There is nothing.
  case empty

  /// Breaks a good record.
  func apply(to value: inout [UInt8]) {
    switch self {
    case .truncated: value.removeLast(min(12, value.count))
    case .notJSON:
      if let mark = value.lastIndex(of: UInt8(ascii: "\"")) { value.remove(at: mark) }
    case .noTime:
      // `ts` becomes a name that nobody declares.
      if let start = value.firstRange(of: Array("\"ts\"".utf8))?.lowerBound { value[start + 1] = UInt8(ascii: "x") }
    case .notUTF8:
      if let mark = value.lastIndex(of: UInt8(ascii: "\"")) { value.insert(0xFF, at: mark) }
    case .empty: value.removeAll()
    }
  }
}
