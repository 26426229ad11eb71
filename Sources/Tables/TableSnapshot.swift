public import Events

/// One immutable version of a table: what `x in T` and `T[x].column` see from a batch's start to its end. Entries are
/// numbered from 0 in the list's order.
public final class TableSnapshot: ReferenceTable, @unchecked Sendable {
  // Unchecked: index, cells and texts are filled by `TableLoader` before there is a snapshot, and only read after.

  /// The table's name in the pipeline file.
  public let name: String
  /// The columns that expressions may read.
  public let columns: [TableColumn]
  /// What the table is for.
  public let kind: TableKind
  /// What its keys are.
  public let keyKind: TableKeyKind
  /// The file it was loaded from, as the declaration gives it.
  public let path: String
  /// `sha256:` and the hex digits of the file's SHA-256 (with an overflow file: of both, one after the other). The same
  /// content has the same version everywhere.
  public let version: String
  /// Entries that were left out because their key stood in the list before: the first one counts.
  public let duplicateCount: Int
  /// What a person should know about the list although it was loaded.
  public let warnings: [String]
  private let index: TableIndex
  private let storage: [TableColumnStorage]
  private let texts: TextArena
  private let provenanceColumns: ProvenanceColumns
  private let rows: [Int32]
  private let elseRow: [Scalar]?

  init(_ builder: TableBuilder, elseRow: [Scalar]?, version: String) {
    for column in builder.storage { column.finish() }
    name = builder.source.name
    columns = builder.source.columns.map(\.column)
    kind = builder.source.kind
    path = builder.source.path
    keyKind = builder.source.key
    self.version = version
    duplicateCount = builder.duplicateCount
    warnings = builder.warnings
    index = builder.index
    storage = builder.storage
    texts = builder.texts
    provenanceColumns = builder.provenance
    rows = builder.rows
    self.elseRow = elseRow
  }

  /// How many entries there are.
  public var entryCount: Int { rows.count }

  /// Memory held, in bytes.
  public var byteCount: Int {
    index.byteCount + texts.byteCount + rows.capacity * 4 + storage.reduce(0) { $0 + $1.byteCount }
  }

  /// The entries of the selected rows' keys. The cells of an address table have to be normalised, as decoded fields are.
  public func find(_ keys: Column, rows: Selection, into entries: UnsafeMutablePointer<Int32>) {
    precondition(keys.type == .string, "a table is asked with a column of text")
    index.find(keys, rows: rows, into: entries)
  }

  /// The entry of one normalised key, or -1.
  public func find(_ key: BytesView) -> Int32 { index.find(key.buffer) }

  /// The entry of a key as a person writes it: an address may be in any case its family allows. -1: no such key.
  public func find(text: String) -> Int32 {
    var bytes = Array((keyKind == .address ? AddressNormaliser.normalise(text) : text).utf8)
    return bytes.withUnsafeMutableBufferPointer { index.find(UnsafeBufferPointer($0)) }
  }

  /// The cell of an entry; of entry -1, that of the `else` row.
  public func value(entry: Int32, column: Int) -> Scalar? {
    precondition(columns.indices.contains(column) && entry >= -1 && entry < entryCount, "no such cell")
    return entry < 0 ? elseRow?[column] : storage[column].value(Int(entry))
  }

  /// The cells of one column for all entries.
  public func storage(column: Int) -> Column {
    precondition(columns.indices.contains(column), "no such column")
    return storage[column].column
  }

  /// An entry's key, normalised.
  public func key(entry: Int32) -> String {
    precondition(entry >= 0 && entry < entryCount, "no such entry")
    return String(decoding: index.key(Int(entry)), as: UTF8.self)
  }

  /// Where an entry comes from, for an alert.
  public func provenance(entry: Int32) -> EntryProvenance {
    precondition(entry >= 0 && entry < entryCount, "no such entry")
    return provenanceColumns.provenance(row: Int(rows[Int(entry)]), of: Int(entry), in: storage)
  }
}
