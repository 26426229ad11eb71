public import Events

/// Where a table comes from and how it is read: the resolved form of one entry of a pipeline file's `tables`.
public struct TableSource: Sendable, Hashable {
  /// The table's name in the pipeline file.
  public var name: String
  /// The file, as given; relative paths start from the working directory.
  public var path: String
  /// How the file is written.
  public var format: TableFormat
  /// What the table is keyed by.
  public var key: TableKeyKind
  /// Where the key stands: a header name (`csv`), a JSON Pointer (`ndjson`). Nil: the first column of a `csv`, and
  /// `/address` or `/key` of an `ndjson`, by the kind of key. `text` is nothing but keys, `ofac-sdn` knows its own.
  public var keyColumn: String?
  /// The columns that expressions may read, in the pipeline file's order.
  public var columns: [TableSourceColumn]
  /// What an absent key reads as, by column, as text of the column's type; nil where the table declares none.
  public var `else`: [String: String]?
  /// What the table is for.
  public var kind: TableKind
  /// The share of entries (0 to 1) that a new version may lose; more than that refuses the load. Nil: any share.
  public var maxShrink: Double?
  /// `ofac-sdn`: the file with the remarks' overflow. Nil: `SDN_COMMENTS.CSV` or `sdn_comments.csv` beside the list, if
  /// there is one.
  public var overflowPath: String?
  /// `csv`: the byte between two cells.
  public var delimiter: UInt8
  /// The bounds within which the list is read.
  public var limits: TableLimits

  /// Makes a declaration; it is checked when it is loaded.
  public init(
    name: String, path: String, format: TableFormat, key: TableKeyKind, keyColumn: String? = nil,
    columns: [TableSourceColumn] = [], else elseRow: [String: String]? = nil, kind: TableKind = .watchlist,
    maxShrink: Double? = nil, overflowPath: String? = nil, delimiter: UInt8 = UInt8(ascii: ","),
    limits: TableLimits = TableLimits()
  ) {
    self.name = name
    self.path = path
    self.format = format
    self.key = key
    self.keyColumn = keyColumn
    self.columns = columns
    self.else = elseRow
    self.kind = kind
    self.maxShrink = maxShrink
    self.overflowPath = overflowPath
    self.delimiter = delimiter
    self.limits = limits
  }
}

/// How a list is written; raw values are the words of the pipeline file.
public enum TableFormat: String, Sendable, Hashable, CaseIterable {
  /// One key a line.
  case text
  /// RFC 4180 with a header row.
  case csv
  /// One JSON object a line.
  case ndjson
  /// OFAC's SDN.CSV, crypto addresses out of the remarks.
  case ofacSDN = "ofac-sdn"
}

/// What a table is keyed by.
public enum TableKeyKind: String, Sendable, Hashable, CaseIterable {
  /// A crypto-asset address, normalised per address family.
  case address
  /// Text, compared byte for byte.
  case string

  /// The form in which keys are held, and must be asked for.
  public var textForm: TextForm {
    switch self {
    case .address: .address
    case .string: .plain
    }
  }
}

/// What a table is for: it decides what a hit means in an alert, and whether the zero address is guarded.
public enum TableKind: String, Sendable, Hashable, CaseIterable {
  case watchlist, allowlist, reference
}

/// A declared column and where it stands in the list.
public struct TableSourceColumn: Sendable, Hashable {
  /// The name by which expressions read it.
  public var name: String
  /// A header name (`csv`), a JSON Pointer (`ndjson`) or one of `entity`, `program`, `asset`, `uid`, `type`
  /// (`ofac-sdn`). Nil: the column's name.
  public var at: String?
  /// Any type but a list.
  public var type: FieldType

  /// Makes a column; without `at`, it stands under its own name.
  public init(name: String, at: String? = nil, type: FieldType) {
    self.name = name
    self.at = at
    self.type = type
  }

  var column: TableColumn { TableColumn(name: name, type: type) }
}

/// The bounds of one list. A list beyond one of them is refused.
public struct TableLimits: Sendable, Hashable {
  /// Entries in one table; entries are numbered in 32 bits.
  public var entries: Int
  /// Bytes of one file.
  public var bytes: Int
  /// Bytes of one line (of one record, for `csv` and `ofac-sdn`).
  public var lineLength: Int
  /// Bytes of one key.
  public var keyLength: Int

  /// Limits; what is not given has the documented default.
  public init(
    entries: Int = Int(Int32.max), bytes: Int = 1 << 30, lineLength: Int = 1 << 20, keyLength: Int = 1024
  ) {
    self.entries = min(entries, Int(Int32.max))
    self.bytes = bytes
    self.lineLength = lineLength
    self.keyLength = keyLength
  }
}
