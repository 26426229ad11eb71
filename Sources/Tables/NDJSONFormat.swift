import Events

/// One JSON object a line: the key and the columns are found by JSON Pointers. Blank lines are skipped.
enum NDJSONFormat {
  private struct Mapping {
    var key: [String]
    var columns: [[String]]
    /// How many of the columns are declared; those after them are hidden, and anything but text or a number is null.
    var declaredCount: Int
  }

  static func defaultKey(_ kind: TableKeyKind) -> String { kind == .address ? "/address" : "/key" }

  static func read(_ bytes: [UInt8], into builder: inout TableBuilder) {
    guard let mapping = mapping(&builder) else { return }
    var reader = LineReader(bytes)
    while let line = reader.nextLine() {
      if builder.isDone { return }
      if line.bytes.count > builder.source.limits.lineLength {
        builder.mistake(
          line.position(line.bytes.startIndex),
          "the line has \(line.bytes.count) bytes, more than the limit of \(builder.source.limits.lineLength)")
        continue
      }
      if trimmed(line.bytes).isEmpty { continue }
      readLine(line, mapping, into: &builder)
    }
  }

  /// Nil where a pointer is none, which the declaration's check has told already.
  private static func mapping(_ builder: inout TableBuilder) -> Mapping? {
    let source = builder.source
    guard let key = referenceTokens(source.keyColumn ?? defaultKey(source.key)) else { return nil }
    var columns: [[String]] = []
    for column in source.columns {
      guard let tokens = referenceTokens(column.at ?? "/" + column.name) else { return nil }
      columns.append(tokens)
    }
    for field in ProvenanceField.allCases where builder.provenance.places[field] == nil {
      builder.addHidden(field)
      columns.append([field.names[0]])
    }
    return Mapping(key: key, columns: columns, declaredCount: source.columns.count)
  }

  private static func readLine(_ line: LineReader.Line, _ mapping: Mapping, into builder: inout TableBuilder) {
    func position(_ offset: Int) -> Position { line.position(line.bytes.startIndex + offset) }
    let root: JSONNode
    do throws(JSONReader.Failure) {
      root = try JSONReader.read(line.bytes)
    } catch {
      builder.mistake(position(error.offset), error.message)
      return
    }
    guard case .object = root.value else {
      builder.mistake(position(root.offset), "each line is one JSON object; this one is \(root.kind)")
      return
    }
    var cells: [Scalar] = []
    for (column, tokens) in mapping.columns.enumerated() {
      let node = root.at(tokens)
      if column >= mapping.declaredCount {
        cells.append(hiddenCell(node))
        continue
      }
      switch cell(node, as: builder.columns[column].type) {
      case .success(let value): cells.append(value)
      case .failure(let failure):
        builder.mistake(
          position(node?.offset ?? 0), "column `\(builder.columns[column].name)`: \(failure.message)")
        return
      }
    }
    guard let node = root.at(mapping.key), let key = key(node, builder.source.key) else {
      let found = root.at(mapping.key).map { "it is \($0.kind)" } ?? "the object has none"
      builder.mistake(
        position(root.at(mapping.key)?.offset ?? root.offset),
        "the key at `/\(mapping.key.joined(separator: "/"))` has to be a text: \(found)")
      return
    }
    // The opening quote stands before the key's first byte.
    builder.add(key: Array(key.utf8)[...], at: position(node.offset + 1), row: line.number, cells: cells)
  }

  /// A text; for text keys a whole number too, as it is written (account numbers are).
  private static func key(_ node: JSONNode, _ kind: TableKeyKind) -> String? {
    switch node.value {
    case .string(let text): text
    case .number(let text) where kind == .string && text.utf8.allSatisfy { (0x30...0x39).contains($0) }: text
    case .null, .bool, .number, .array, .object: nil
    }
  }

  private static func hiddenCell(_ node: JSONNode?) -> Scalar {
    switch node?.value {
    case .string(let text), .number(let text): .string(text)
    case .null?, .bool, .array, .object, nil: .null
    }
  }

  private static func cell(_ node: JSONNode?, as type: FieldType) -> Result<Scalar, CellParser.Failure> {
    guard let node else { return .success(.null) }
    switch (node.value, type) {
    case (.null, _):
      return .success(.null)
    case (.bool(let flag), .bool):
      return .success(.bool(flag))
    case (.string(let text), .string), (.string(let text), .address), (.string(let text), .ip),
      (.string(let text), .decimal), (.string(let text), .timestamp(.rfc3339)):
      return CellParser.parse(text, as: type)
    case (.number(let text), .int), (.number(let text), .double), (.number(let text), .decimal):
      return CellParser.parse(text, as: type)
    case (.number(let text), .timestamp(let unit)) where unit != .rfc3339:
      return CellParser.parse(text, as: type)
    default:
      return .failure(CellParser.Failure(message: "\(node.kind) stands where the column's type wants another value"))
    }
  }
}
