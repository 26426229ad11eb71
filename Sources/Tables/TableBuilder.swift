import Events

/// Takes a list's rows in, entry by entry: keys normalised, duplicates left out and counted, mistakes gathered.
struct TableBuilder {
  let source: TableSource
  let index: TableIndex
  let texts = TextArena()
  /// What expressions may read, as declared, and then the hidden columns that only the provenance needs.
  private(set) var columns: [TableColumn]
  /// As many as there are columns.
  private(set) var storage: [TableColumnStorage]
  private(set) var provenance = ProvenanceColumns()
  /// The line of the file that each entry began on.
  private(set) var rows: [Int32] = []
  private(set) var mistakes: Mistakes
  private(set) var duplicateCount = 0
  /// Why the list is refused as too large.
  private(set) var excess: String?
  private(set) var warnings: [String] = []

  init(source: TableSource, seed: HashSeed) {
    self.source = source
    columns = source.columns.map(\.column)
    storage = columns.map { TableColumnStorage(type: $0.type.columnType) }
    index = TableIndex(seed: seed)
    mistakes = Mistakes(file: source.path)
    for field in ProvenanceField.allCases {
      provenance.places[field] = columns.firstIndex { field.names.contains($0.name) }
    }
  }

  var hasMistakes: Bool { !mistakes.listed.isEmpty }
  /// Whether reading on would change nothing.
  var isDone: Bool { mistakes.isFull || excess != nil }

  mutating func mistake(_ position: Position, _ message: String, file: String? = nil) {
    mistakes.add(position, message, file: file)
  }

  mutating func warn(_ message: String) { warnings.append("table `\(source.name)`: \(message)") }

  /// Adds a column of text that no expression reads, for the provenance. Only before the first entry.
  mutating func addHidden(_ field: ProvenanceField) {
    precondition(rows.isEmpty, "columns come before entries")
    provenance.places[field] = columns.count
    columns.append(TableColumn(name: field.names[0], type: .string))
    storage.append(TableColumnStorage(type: .string))
  }

  mutating func setSource(_ source: String) { provenance.fixedSource = source }

  /// Adds an entry, with a cell per column. The first entry of a key stays; a later one is counted and left out.
  mutating func add(key: ArraySlice<UInt8>, at position: Position, row: Int, cells: [Scalar]) {
    let normalised: [UInt8]
    do throws(KeyNormaliser.Failure) {
      normalised = try KeyNormaliser.normalise(key, as: source.key, limit: source.limits.keyLength)
    } catch {
      mistake(Position(line: position.line, column: position.column + error.offset), error.message)
      return
    }
    if source.kind == .watchlist && source.key == .address && ZeroAddress.isZero(normalised) {
      mistake(position, ZeroAddress.advice(normalised))
      return
    }
    if index.count == source.limits.entries && normalised.withUnsafeBufferPointer({ index.find($0) }) < 0 {
      excess = "it has more than \(source.limits.entries) entries: raise the table's limit of entries if that is right"
      return
    }
    let isNew = normalised.withUnsafeBufferPointer { index.insert($0) }
    if !isNew {
      duplicateCount += 1
      return
    }
    precondition(cells.count == storage.count, "a row has a cell per column")
    for (column, cell) in zip(storage, cells) { column.append(cell, texts: texts) }
    rows.append(Int32(clamping: row))
  }
}
