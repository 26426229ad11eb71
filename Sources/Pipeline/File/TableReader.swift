internal import Configuration
internal import Events
internal import Expressions
internal import Tables

/// A table as the file declares it; what is nil is wrong, and told.
struct TableModel {
  var name: LocatedText
  var source: TableSource?
  /// Where the list's file is named, and that of its overflow.
  var place: SourceRange
  var overflowPlace: SourceRange?

  var declaration: Expressions.TableDeclaration? {
    source.map {
      Expressions.TableDeclaration(
        name: $0.name, columns: $0.columns.map { TableColumn(name: $0.name, type: $0.type) }, hasElse: $0.else != nil,
        key: $0.key.textForm)
    }
  }
}

/// Reads one table.
struct TableReader {
  /// Most tables of a file.
  static let tableLimit = 256
  private static let laterKeys = ["cidr", "prefix", "domain"]
  private static let laterFormats = ["json", "debezium", "avro", "parquet", "xml", "stix", "misp"]
  private static let laterPlaces = ["http", "postgres", "kafka"]

  private let context: FileContext
  private let section: SectionReader
  private let name: LocatedText
  private var bag: DiagnosticBag { context.bag }

  init(_ name: LocatedText, _ section: SectionReader, _ context: FileContext) {
    self.name = name
    self.section = section
    self.context = context
  }

  func read() -> TableModel {
    let isNamed = context.isName(name, of: "a table")
    let key = readKey()
    let load = section.section("load").map { readLoad($0) }
    let columns = readColumns(load?.format)
    let elseRow = readElse(columns ?? [], areKnown: columns != nil)
    let kind = section.has("kind") ? section.choice("kind").flatMap(TableKind.init(rawValue:)) : .watchlist
    guard isNamed, let key, let load, let path = load.path, let format = load.format, let columns, let elseRow, let kind
    else { return TableModel(name: name, place: name.range) }
    let source = TableSource(
      name: name.text, path: path, format: format, key: key.kind, keyColumn: key.place, columns: columns,
      else: elseRow.row, kind: kind, maxShrink: load.maxShrink, overflowPath: load.overflow,
      delimiter: load.delimiter)
    let problems = load.isRight ? source.problems : []
    for problem in problems { bag.error(name.range, "the table `\(name.text)`: \(problem)") }
    return TableModel(
      name: name, source: problems.isEmpty && load.isRight ? source : nil, place: load.place ?? name.range,
      overflowPlace: load.overflowPlace)
  }

  // MARK: Key

  private func readKey() -> (kind: TableKeyKind, place: String?)? {
    guard let node = section.node("key") else { return nil }
    if case .mapping = node {
      let key = SectionReader(node, TableSectionDeclaration.key, bag: bag, environment: context.variables)
      guard let kind = key.text("type").flatMap({ keyKind($0) }) else { return nil }
      if key.has("at") {
        guard let place = key.text("at") else { return nil }
        return (kind, place.text)
      }
      return (kind, nil)
    }
    return context.text(node, "key").flatMap { keyKind($0) }.map { ($0, nil) }
  }

  private func keyKind(_ text: LocatedText) -> TableKeyKind? {
    if let kind = TableKeyKind(rawValue: text.text) { return kind }
    if Self.laterKeys.contains(text.text) {
      context.notSupported("key: \(text.text)", text.range)
    } else {
      let words = TableKeyKind.allCases.map(\.rawValue)
      let nearest = NearestName.find(text.text, among: words).map { "did you mean `\($0)`? " } ?? ""
      bag.error(
        text.range, "`key` can't be `\(text.text)`", hint: nearest + "valid are: \(words.joined(separator: ", "))")
    }
    return nil
  }

  // MARK: Load

  private struct Load {
    var path: String?
    var place: SourceRange?
    var format: TableFormat?
    var maxShrink: Double?
    var overflow: String?
    var overflowPlace: SourceRange?
    var delimiter = UInt8(ascii: ",")
    var isRight = true
  }

  private func readLoad(_ section: SectionReader) -> Load {
    var load = Load()
    let isLater = Self.laterPlaces.contains { section.has($0) }
    if !isLater {
      for setting in ["file", "format"] where !section.has(setting) {
        bag.error(section.range, "`load` needs `\(setting)`")
      }
    }
    let file = section.text("file")
    load.path = file.flatMap { path($0) }
    load.place = file?.range
    load.format = context.choice(section, "format", later: Self.laterFormats).flatMap(TableFormat.init(rawValue:))
    if section.has("max_shrink") {
      load.maxShrink = section.text("max_shrink").flatMap { share($0) }
      if load.maxShrink == nil { load.isRight = false }
    }
    if section.has("overflow") {
      let overflow = section.text("overflow")
      load.overflow = overflow.flatMap { path($0) }
      load.overflowPlace = overflow?.range
      if load.overflow == nil { load.isRight = false }
      if let format = load.format, format != .ofacSDN {
        bag.error(section.keyRange("overflow"), "`overflow` goes with `format: ofac-sdn`")
        load.isRight = false
      }
    }
    readDelimiter(section, &load)
    return load
  }

  private func path(_ text: LocatedText) -> String? {
    guard !text.text.isEmpty, !text.text.utf8.contains(0) else {
      bag.error(text.range, "this is no file's name")
      return nil
    }
    return text.text.hasPrefix("/") ? text.text : context.directory + text.text
  }

  private func share(_ text: LocatedText) -> Double? {
    let isPercent = text.text.hasSuffix("%")
    let number = Double(isPercent ? String(text.text.dropLast()) : text.text)
    guard let number, case let share = isPercent ? number / 100 : number, (0...1).contains(share) else {
      bag.error(text.range, "`max_shrink` is a share, not `\(text.text)`", hint: "from 0% to 100%, such as 10% or 0.1")
      return nil
    }
    return share
  }

  private func readDelimiter(_ section: SectionReader, _ load: inout Load) {
    guard section.has("delimiter") else { return }
    guard let text = section.text("delimiter") else {
      load.isRight = false
      return
    }
    let bytes = Array((text.text == "tab" ? "\t" : text.text).utf8)
    let isRight = bytes.count == 1 && bytes[0] < 0x80 && ![0, 0x0A, 0x0D, UInt8(ascii: "\"")].contains(bytes[0])
    if isRight { load.delimiter = bytes[0] }
    if !isRight { bag.error(text.range, "`delimiter` is one ASCII character, or `tab`") }
    let isCSV = load.format == nil || load.format == .csv
    if !isCSV { bag.error(section.keyRange("delimiter"), "`delimiter` goes with `format: csv`") }
    if !isRight || !isCSV { load.isRight = false }
  }

  // MARK: Columns

  /// nil: one of them is wrong.
  private func readColumns(_ format: TableFormat?) -> [TableSourceColumn]? {
    guard let node = section.node("columns") else { return [] }
    guard let entries = context.map(node, "columns") else { return nil }
    let columns = entries.compactMap { entry in column(entry.name, entry.value, format) }
    return columns.count == entries.count ? columns : nil
  }

  private func column(_ name: LocatedText, _ node: YAMLNode, _ format: TableFormat?) -> TableSourceColumn? {
    guard context.isName(name, of: "a column") else { return nil }
    var place: LocatedText?
    let typeText: LocatedText?
    if case .mapping = node {
      let section = SectionReader(node, TableSectionDeclaration.column, bag: bag, environment: context.variables)
      place = section.text("at")
      if section.has("at"), place == nil { return nil }
      typeText = section.text("type")
    } else {
      typeText = context.text(node, name.text)
    }
    let isPlaced = checkPlace(place ?? name, format)
    guard let typeText, let type = columnType(typeText), isPlaced else { return nil }
    return TableSourceColumn(name: name.text, at: place?.text, type: type)
  }

  private func columnType(_ text: LocatedText) -> FieldType? {
    if text.text == "timestamp" { return .timestamp(.rfc3339) }
    guard
      let type = context.read(text, { text throws(ScalarReader.Problem) in try FieldTypeText.parse(text) })
    else { return nil }
    if case .list = type {
      bag.error(text.range, "a table's column can't be a list")
      return nil
    }
    return type
  }

  private func checkPlace(_ place: LocatedText, _ format: TableFormat?) -> Bool {
    guard let names = format?.columnNames, !names.contains(place.text) else { return true }
    let nearest = NearestName.find(place.text, among: names).map { "did you mean `\($0)`? " } ?? ""
    bag.error(
      place.range, "a list of this format has no `\(place.text)`",
      hint: nearest + "it has: \(names.joined(separator: ", "))")
    return false
  }

  // MARK: Else

  private struct ElseRow {
    var row: [String: String]?
  }

  /// nil: it is wrong.
  private func readElse(_ columns: [TableSourceColumn], areKnown: Bool) -> ElseRow? {
    guard let node = section.node("else") else { return ElseRow() }
    guard let entries = context.map(node, "else") else { return nil }
    var row: [String: String] = [:]
    var isRight = true
    for entry in entries {
      let column = columns.first { $0.name == entry.name.text }
      if column == nil, areKnown {
        let nearest = NearestName.find(entry.name.text, among: columns.map(\.name)).map { "did you mean `\($0)`?" }
        bag.error(entry.name.range, "the table has no column `\(entry.name.text)`", hint: nearest)
        isRight = false
      }
      if entry.value.isNull { continue }
      guard let text = context.text(entry.value, entry.name.text), isOf(column?.type, text) else {
        isRight = false
        continue
      }
      row[entry.name.text] = text.text
    }
    return isRight ? ElseRow(row: row) : nil
  }

  private func isOf(_ type: FieldType?, _ text: LocatedText) -> Bool {
    guard let type else { return true }
    do throws(CellText.Problem) {
      _ = try CellText.scalar(text.text, as: type)
      return true
    } catch {
      bag.error(text.range, "this is not of the column's type: \(error.message)")
      return false
    }
  }
}
