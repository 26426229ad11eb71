import Events

/// A table of texts.
final class ListTable: ReferenceTable {
  let name = "listed"
  let columns: [TableColumn] = []
  private let keys: [String]
  init(_ keys: [String]) { self.keys = keys }
  var entryCount: Int { keys.count }
  func find(_ key: BytesView) -> Int32 { Int32(keys.firstIndex(of: key.string) ?? -1) }
  func find(_ keys: Column, rows: Selection, into entries: UnsafeMutablePointer<Int32>) {
    for row in rows.indices { entries[row] = keys.state(row) == .value ? find(keys.views[row]) : -1 }
  }
  func value(entry: Int32, column: Int) -> Scalar? { nil }
  func storage(column: Int) -> Column { ColumnStorage(type: .string, capacity: 0).column }
}
