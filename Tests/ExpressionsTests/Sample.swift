import Events
import TestSupport

@testable import Expressions

/// A table of four keys, one of them without values, with columns of several types; with or without an `else` row.
final class SampleTable: ReferenceTable, @unchecked Sendable {
  static let layout = [
    TableColumn(name: "rate", type: .double), TableColumn(name: "grade", type: .string),
    TableColumn(name: "most", type: .decimal(scale: 2)), TableColumn(name: "since", type: .timestamp(.seconds)),
    TableColumn(name: "score", type: .int), TableColumn(name: "isOpen", type: .bool),
  ]
  private static let rows: [[Scalar]] = [
    [
      .double(0.5), .string("ab"), .decimal(250, scale: 2), .timestamp(1_000_000_000_000_000_000), .int(7), .bool(true),
    ],
    [.double(1.5), .string(""), .decimal(-1, scale: 2), .timestamp(.max), .int(.min), .bool(false)],
    [.double(.nan), .string("e\u{301}"), .decimal(.max, scale: 2), .timestamp(.min), .int(0), .bool(true)],
  ]
  private static let fallback: [Scalar] = [
    .double(-1), .string("none"), .decimal(0, scale: 2), .timestamp(0), .int(-1), .bool(false),
  ]

  let name: String
  let columns = SampleTable.layout
  private let hasElse: Bool
  private let keys: [String]
  private let storage = SampleTable.layout.map { ColumnStorage(type: $0.type.columnType, capacity: 4) }
  private var owned: [ConstantCell] = []

  init(_ name: String, hasElse: Bool, keys: [String] = ["a", "bb", "e\u{301}", "listed"]) {
    self.name = name
    self.hasElse = hasElse
    self.keys = keys
    for (row, values) in Self.rows.enumerated() {
      for (place, value) in values.enumerated() {
        guard let cell = ConstantCell(value, type: storage[place].column.type) else { continue }
        owned.append(cell)
        cell.write(to: storage[place].column, row: row)
      }
    }
  }

  var entryCount: Int { keys.count }
  func find(_ key: BytesView) -> Int32 {
    Int32(keys.firstIndex { $0.utf8.elementsEqual(key.buffer) } ?? -1)
  }
  func find(_ keys: Column, rows: Selection, into entries: UnsafeMutablePointer<Int32>) {
    for row in rows.indices { entries[row] = keys.state(row) == .value ? find(keys.views[row]) : -1 }
  }
  func value(entry: Int32, column: Int) -> Scalar? {
    if entry < 0 { return hasElse ? Self.fallback[column] : nil }
    return storage[column].column.scalar(Int(entry)) ?? .null
  }
  func storage(column: Int) -> Column { storage[column].column }
}

/// Columns of every type with values, gaps, errors and extremes.
final class SampleFrame {
  static let types: [(name: String, type: ColumnType)] = [
    ("i", .int), ("j", .int), ("x", .double), ("y", .double), ("s", .string), ("t", .string), ("b", .bool),
    ("m", .decimal(scale: 2)), ("ts", .timestamp), ("u", .uint), ("v", .uint), ("n", .decimal(scale: 4)),
    ("at", .timestamp), ("age", .duration), ("gap", .duration), ("is", .list(.int)), ("ss", .list(.string)),
    ("raw", .bytes), ("c", .bool), ("ms", .list(.decimal(scale: 2))), ("w", .string), ("ip", .string),
    ("ws", .list(.string)),
  ]
  private static let forms: [String: TextForm] = ["w": .address, "ip": .ip, "ws": .address]
  /// Addresses and texts that are none, in several forms.
  private static let addresses = [
    "0x7F367cC41522cE07553e823bf3be79A889DEbe1B", "0x7f367cc41522ce07553e823bf3be79a889debe1b", "2001:DB8::1",
    "2001:db8:0::1", "10.0.0.1", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
  ]

  static let environment = Environment(
    fields: types.enumerated().map {
      Environment.Variable(
        name: $1.name, type: $1.type, slot: $0, isOptional: true, form: forms[$1.name] ?? .plain)
    },
    params: ["limit": .double(2.5), "words": .list([.string("a"), .string("ab")]), "most": .decimal(1_000, scale: 2)],
    tables: [
      TableDeclaration(name: "listed", columns: SampleTable.layout, hasElse: true),
      TableDeclaration(name: "strict", columns: SampleTable.layout, hasElse: false),
      TableDeclaration(name: "wallets", columns: SampleTable.layout, hasElse: false, key: .address),
    ])

  let storage: [ColumnStorage]
  let frame: Frame
  private var owned: [ConstantCell] = []

  init(rows: Int, _ random: inout SeededRandom) {
    storage = Self.types.map { ColumnStorage(type: $0.type, capacity: rows) }
    frame = Frame(
      count: rows, columns: storage.map(\.column),
      tables: [
        SampleTable("listed", hasElse: true), SampleTable("strict", hasElse: false),
        SampleTable("wallets", hasElse: false, keys: [Self.addresses[1], "a", "2001:db8::1", "bb"]),
      ])
    for (column, name) in zip(frame.columns, Self.types.map(\.name)) {
      for row in 0..<rows {
        let choice = Int.random(in: 0..<12, using: &random)
        if choice == 0 { column.states[row] = CellState.error.rawValue }
        guard choice > 1, let cell = Self.cell(column.type, Self.forms[name], &random) else { continue }
        owned.append(cell)
        cell.write(to: column, row: row)
      }
    }
  }

  private static func cell(_ type: ColumnType, _ form: TextForm?, _ random: inout SeededRandom) -> ConstantCell? {
    if let form {
      let texts = addresses.compactMap { form.normalised($0) }
      let text = { (random: inout SeededRandom) in Scalar.string(random.pick(texts)) }
      return type == .string
        ? ConstantCell(text(&random), type: type)
        : ConstantCell(.list((0..<Int.random(in: 0...3, using: &random)).map { _ in text(&random) }), type: type)
    }
    if type == .bytes { return ConstantCell(bytes: random.pick([[], [0x61], [0xFF], [0xC3, 0xA9], [0x61, 0x62]])) }
    return ConstantCell(value(type, &random), type: type)
  }

  private static func value(_ type: ColumnType, _ random: inout SeededRandom) -> Scalar {
    switch type {
    case .int: .int(random.pick([0, 1, -1, 2, 7, .max, .min, 1 << 53, Int64.random(in: -5...5, using: &random)]))
    case .uint: .uint(random.pick([0, 1, 2, 7, .max, 1 << 63]))
    case .double:
      .double(
        random.pick([
          0, -0.0, 1, 2.5, -3, 1e300, -1e300, 1e-300, 9.3e18, -9_223_372_036_854_775_808, 1.8446744073709552e19,
          .infinity, -.infinity, .nan,
        ]))
    case .bool: .bool(Bool.random(using: &random))
    case .decimal(let scale): .decimal(random.pick([0, 100, 250, -1, 12_345, 10_000, .max, .min]), scale: scale)
    case .timestamp:
      .timestamp(random.pick([.max, .min, 0, -1, Int64.random(in: 0...2_000_000_000, using: &random) * 1_000_000_000]))
    case .duration:
      .duration(
        random.pick([.max, .min, 0, 1, -1, Int64.random(in: -90_000...90_000, using: &random) * 1_000_000_000]))
    case .list(let element):
      .list((0..<Int.random(in: 0...3, using: &random)).map { _ in value(element, &random) })
    default:
      .string(
        random.pick(
          [
            "", "a", "ab", "abc", "bb", "listed", "é", "e\u{301}", "12", "-7", "1.5", "true", "(", "\u{1f6a8}b",
          ] + addresses))
    }
  }
}
