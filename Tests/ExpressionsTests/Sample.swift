import Events

@testable import Expressions

struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// A table of three keys for tests.
final class SampleTable: ReferenceTable, @unchecked Sendable {
  let name = "listed"
  let columns = [TableColumn(name: "rate", type: .double)]
  private let keys = ["a", "bb", "listed"]
  private let rates = ColumnStorage(type: .double, capacity: 3)

  init() {
    for row in 0..<2 {
      rates.column.doubles[row] = Double(row) + 0.5
      rates.column.states[row] = CellState.value.rawValue
    }
  }

  var entryCount: Int { 3 }
  func find(_ key: BytesView) -> Int32 { Int32(keys.firstIndex(of: key.string) ?? -1) }
  func find(_ keys: Column, rows: Selection, into entries: UnsafeMutablePointer<Int32>) {
    for row in rows.indices { entries[row] = keys.state(row) == .value ? find(keys.views[row]) : -1 }
  }
  func value(entry: Int32, column: Int) -> Scalar? {
    entry < 0 ? .double(-1) : rates.column.scalar(Int(entry)) ?? .null
  }
  func storage(column: Int) -> Column { rates.column }
}

/// Columns of every type with values, gaps and extremes.
final class SampleFrame {
  static let types: [(name: String, type: ColumnType)] = [
    ("i", .int), ("j", .int), ("x", .double), ("y", .double), ("s", .string), ("t", .string), ("b", .bool),
    ("m", .decimal(scale: 2)), ("ts", .timestamp),
  ]

  static let environment = Environment(
    fields: types.enumerated().map { Environment.Variable(name: $1.name, type: $1.type, slot: $0, isOptional: true) },
    params: ["limit": .double(2.5), "words": .list([.string("a"), .string("ab")])],
    tables: [TableDeclaration(name: "listed", columns: [TableColumn(name: "rate", type: .double)], hasElse: true)])

  let storage: [ColumnStorage]
  let frame: Frame
  private var owned: [ConstantCell] = []

  init(rows: Int, _ random: inout SeededRandom) {
    storage = Self.types.map { ColumnStorage(type: $0.type, capacity: rows) }
    frame = Frame(count: rows, columns: storage.map(\.column), tables: [SampleTable()])
    for column in frame.columns {
      for row in 0..<rows {
        guard Int.random(in: 0..<6, using: &random) > 0,
          let cell = ConstantCell(Self.value(column.type, &random), type: column.type)
        else { continue }
        owned.append(cell)
        cell.write(to: column, row: row)
      }
    }
  }

  private static func value(_ type: ColumnType, _ random: inout SeededRandom) -> Scalar {
    switch type {
    case .int:
      .int([0, 1, -1, 2, 7, .max, .min, Int64.random(in: -5...5, using: &random)].randomElement(using: &random) ?? 0)
    case .double: .double([0, -0.0, 1, 2.5, -3, 1e300, .infinity, .nan].randomElement(using: &random) ?? 0)
    case .bool: .bool(Bool.random(using: &random))
    case .decimal: .decimal([0, 100, 250, -1, 12_345].randomElement(using: &random) ?? 0, scale: 2)
    case .timestamp: .timestamp(Int64.random(in: 0...2_000_000_000, using: &random) * 1_000_000_000)
    default: .string(["", "a", "ab", "abc", "bb", "listed", "é", "e\u{301}"].randomElement(using: &random) ?? "")
    }
  }
}
