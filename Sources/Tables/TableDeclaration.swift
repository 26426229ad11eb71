import Events

/// What can be wrong with a declaration before its file is touched, and the `else` row that it declares.
struct TableDeclaration {
  private(set) var messages: [String] = []
  /// A cell per declared column; nil where the table declares no row.
  private(set) var elseRow: [Scalar]?
  private let source: TableSource

  init(_ source: TableSource) {
    self.source = source
    checkColumns()
    checkPlaces()
    checkNumbers()
    readElse()
  }

  private mutating func checkColumns() {
    var seen: Set<String> = []
    for column in source.columns {
      if !seen.insert(column.name).inserted { messages.append("the column `\(column.name)` is declared twice") }
      if case .list = column.type { messages.append("the column `\(column.name)` cannot be a list") }
    }
  }

  private mutating func checkPlaces() {
    switch source.format {
    case .text:
      if let first = source.columns.first {
        messages.append("a text list has keys only, so no column `\(first.name)`: use format csv or ndjson")
      }
      if source.keyColumn != nil { messages.append("a text list has keys only: remove the key's column") }
    case .csv:
      break
    case .ndjson:
      let pointers = [source.keyColumn].compactMap { $0 } + source.columns.compactMap(\.at)
      for pointer in pointers where referenceTokens(pointer) == nil || pointer.isEmpty {
        messages.append("`\(pointer)` is not a JSON Pointer: write `/name` or `/outer/inner`")
      }
    case .ofacSDN:
      if source.key != .address { messages.append("ofac-sdn is keyed by address: write `key: address`") }
      if source.keyColumn != nil {
        messages.append("ofac-sdn knows where its addresses stand: remove the key's column")
      }
      let known = OFACFormat.Field.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
      for column in source.columns where OFACFormat.Field(rawValue: column.at ?? column.name) == nil {
        messages.append("ofac-sdn has no `\(column.at ?? column.name)`; it has \(known)")
      }
    }
  }

  private mutating func checkNumbers() {
    if let share = source.maxShrink, !(0...1).contains(share) {
      messages.append("max_shrink is a share from 0 to 1, not \(share)")
    }
  }

  private mutating func readElse() {
    guard let texts = source.else else { return }
    for name in texts.keys.sorted() where !source.columns.contains(where: { $0.name == name }) {
      messages.append("`else` names the column `\(name)`, which is not declared")
    }
    var row: [Scalar] = []
    for column in source.columns {
      guard let text = texts[column.name] else {
        row.append(.null)
        continue
      }
      switch CellParser.parse(text, as: column.type) {
      case .success(let value): row.append(value)
      case .failure(let failure):
        row.append(.null)
        messages.append("`else`, column `\(column.name)`: \(failure.message)")
      }
    }
    elseRow = row
  }
}
