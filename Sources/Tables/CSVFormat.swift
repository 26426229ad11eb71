import Events

/// CSV with a header row: the key and the declared columns are found by their header names.
enum CSVFormat {
  /// Which cell of a record holds what.
  private struct Mapping {
    var key: Int
    var columns: [Int]
    var cellCount: Int
  }

  static func read(_ bytes: [UInt8], into builder: inout TableBuilder) {
    var reader = CSVReader(
      bytes, delimiter: builder.source.delimiter, recordLimit: builder.source.limits.lineLength)
    var mapping: Mapping?
    while !builder.isDone {
      do throws(CSVReader.Failure) {
        guard try reader.nextRecord() else { break }
        if let mapping {
          readRow(reader, mapping, into: &builder)
        } else {
          mapping = readHeader(reader, into: &builder)
          if mapping == nil { return }
        }
      } catch {
        builder.mistake(error.position, error.message)
        // Without a header, every row after it would be blamed for nothing.
        if mapping == nil { return }
      }
    }
    if mapping == nil && !builder.isDone {
      builder.mistake(
        Position(line: 1, column: 1), "the file is empty: its first line has to name the columns")
    }
  }

  private static func readHeader(_ reader: CSVReader, into builder: inout TableBuilder) -> Mapping? {
    let names = reader.cells.map { String(decoding: trimmed(reader.bytes(of: $0)), as: UTF8.self) }
    let line = Position(line: reader.recordLine, column: 1)
    func place(_ name: String) -> Int? {
      let places = names.indices.filter { names[$0] == name }
      if places.count > 1 {
        builder.mistake(reader.cells[places[1]].position, "the header names `\(name)` twice: which one is meant?")
      } else if places.isEmpty {
        let known = names.prefix(20).map { quoted($0.utf8) }.joined(separator: ", ")
        builder.mistake(line, "the header has no column `\(name)`; it has \(known)")
      }
      return places.first
    }
    let key = builder.source.keyColumn.map { place($0) } ?? 0
    var columns = builder.source.columns.map { place($0.at ?? $0.name) }
    if builder.hasMistakes { return nil }
    guard let key else { return nil }
    for field in ProvenanceField.allCases where builder.provenance.places[field] == nil {
      guard let hidden = names.indices.first(where: { $0 != key && field.names.contains(names[$0]) }) else { continue }
      builder.addHidden(field)
      columns.append(hidden)
    }
    return Mapping(key: key, columns: columns.compactMap { $0 }, cellCount: names.count)
  }

  private static func readRow(_ reader: CSVReader, _ mapping: Mapping, into builder: inout TableBuilder) {
    let cells = reader.cells
    guard cells.count == mapping.cellCount else {
      builder.mistake(
        Position(line: reader.recordLine, column: 1),
        "the row has \(cells.count) cells, the header has \(mapping.cellCount): quote a cell that contains the delimiter"
      )
      return
    }
    let types = builder.columns
    var row: [Scalar] = []
    for (column, cellIndex) in mapping.columns.enumerated() {
      let cell = cells[cellIndex]
      switch CellParser.parse(reader.bytes(of: cell), isQuoted: cell.isQuoted, as: types[column].type) {
      case .success(let value): row.append(value)
      case .failure(let failure):
        builder.mistake(cell.position, "column `\(types[column].name)`: \(failure.message)")
        return
      }
    }
    let key = cells[mapping.key]
    builder.add(key: trimmed(reader.bytes(of: key)), at: key.position, row: reader.recordLine, cells: row)
  }
}
