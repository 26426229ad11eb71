internal import Events

/// The first mercy: a number that was written, or a parameter, is promoted where a double or a decimal stands opposite.
/// Nothing else is converted.
enum Promotion {
  static func promote(_ operation: Operation, _ a: Node, _ b: Node) -> (Node, Node) {
    (promoted(a, opposite: b.type, operation), promoted(b, opposite: a.type, operation))
  }

  static func promoted(_ node: Node, opposite: ValueType, _ operation: Operation = .equal) -> Node {
    guard node.isLiteral, let value = node.constant else { return node }
    switch (value, opposite) {
    case (.list(let elements), .list(let type)):
      let nodes = elements.map { Node(.constant($0), ValueType($0), like: node, isLiteral: true) }
      let list = Value.list(nodes.map { promoted($0, opposite: type).constant ?? .null })
      return Node(.constant(list), ValueType(list), like: node, isLiteral: true, form: node.form)
    case (.int(let number), .double):
      guard let exact = Double(exactly: number) else { return node }
      return Node(.constant(.double(exact)), .double, like: node, isLiteral: true)
    case (.int, .decimal) where operation == .multiply: return node
    case (.int(let number), .decimal):
      return Node(.constant(.decimal(Int128(number), scale: 0)), .decimal(scale: 0), like: node, isLiteral: true)
    case (.double(let number), .decimal):
      guard let decimal = decimal(number) else { return node }
      return Node(
        .constant(.decimal(decimal.value, scale: decimal.scale)), .decimal(scale: decimal.scale), like: node,
        isLiteral: true)
    default: return node
    }
  }

  /// The decimal that was written: the shortest one that reads as this double.
  private static func decimal(_ number: Double) -> (value: Int128, scale: Int)? {
    var text = "\(number)"
    guard let parsed = text.withUTF8({ DecimalText($0) }), !parsed.isTruncated else { return nil }
    let scale = max(0, -parsed.exponent)
    guard scale <= 38, let scaled = parsed.scaled(scale), scaled.isExact else { return nil }
    return (scaled.value, scale)
  }

  /// What to write instead.
  static func hint(_ operation: Operation, _ types: [ValueType]) -> String? {
    guard types.count == 2 else { return nil }
    if operation == .isIn, case .list(let element) = types[1] { return hint(.equal, [types[0], element]) }
    switch (types[0], types[1]) {
    case (.int, .double), (.double, .int), (.uint, .double), (.double, .uint), (.decimal, .double), (.double, .decimal):
      return "convert one side: double(...)"
    case (.decimal, .decimal) where operation == .divide: return "write double(a) / double(b)"
    case (.int, .string), (.string, .int), (.double, .string), (.string, .double), (.decimal, .string),
      (.string, .decimal):
      return "convert one side: string(...) or int(...)"
    case (.timestamp, .string), (.string, .timestamp): return "write timestamp('2026-01-01T00:00:00Z')"
    case (.duration, _), (_, .duration): return "write duration('24h')"
    default: return nil
    }
  }
}

/// The valid word nearest to a mistyped one.
enum NearestWord {
  static func find(_ word: String, among words: [String]) -> String? {
    let near = words.map { (word: $0, distance: distance(Array(word.lowercased().utf8), Array($0.lowercased().utf8))) }
      .min { ($0.distance, $0.word) < ($1.distance, $1.word) }
    guard let near, near.distance <= max(1, word.count / 3) else { return nil }
    return near.word
  }

  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for i in left.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in right.indices {
        let best = min(row[j + 1] + 1, row[j] + 1, diagonal + (left[i] == right[j] ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = best
      }
    }
    return row[right.count]
  }
}
