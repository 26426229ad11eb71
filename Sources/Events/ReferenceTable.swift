/// A column that a table offers to expressions.
public struct TableColumn: Sendable, Hashable {
  /// The name after the dot in `table[key].name`.
  public var name: String
  /// The type of its values.
  public var type: FieldType

  /// A column by name and type.
  public init(name: String, type: FieldType) {
    self.name = name
    self.type = type
  }
}

/// One immutable version of a keyed table, as expressions look things up in it (`x in table`, `table[x].column`).
/// Entries are numbered from 0; -1 is "no such key". It is asked once a batch, never once an event.
public protocol ReferenceTable: AnyObject, Sendable {
  /// The table's name in the pipeline file.
  var name: String { get }
  var columns: [TableColumn] { get }
  /// For each selected row, the entry whose key equals that row's cell of the string column, or -1; rows whose cell is
  /// not a value get -1.
  func find(_ keys: Column, rows: Selection, into entries: UnsafeMutablePointer<Int32>)
  /// The entry of one key, or -1.
  func find(_ key: BytesView) -> Int32
  /// The cell of an entry; `.null` where the source has none. Entry -1 reads as the table's `else` row, which is nil
  /// where the table declares none.
  func value(entry: Int32, column: Int) -> Scalar?
  /// The cells of one column for all entries, as a column of `entryCount` rows that stands as long as the table does.
  func storage(column: Int) -> Column
  var entryCount: Int { get }
}
