internal import Configuration

/// Tells what is declared and never used.
struct UseChecks {
  private let context: FileContext
  /// The words that stand anywhere but in the declarations of params and tables.
  private var words: Set<String> = []

  init(_ root: YAMLNode, _ context: FileContext) {
    self.context = context
    guard case .mapping(let file) = root else { return }
    for entry in file.entries where !["params", "tables"].contains(entry.key.text) { collect(entry.value) }
  }

  func warn(params: [LocatedText], tables: [LocatedText]) {
    for name in params where !words.contains("params.\(name.text)") {
      context.bag.warning(name.range, "nothing reads the parameter `\(name.text)`")
    }
    for name in tables where !words.contains(name.text) {
      context.bag.warning(name.range, "nothing asks the table `\(name.text)`")
    }
  }

  private mutating func collect(_ node: YAMLNode) {
    switch node {
    case .scalar(let scalar): collect(scalar.text)
    case .sequence(let sequence): for element in sequence.elements { collect(element) }
    case .mapping(let mapping): for entry in mapping.entries { collect(entry.value) }
    }
  }

  /// Names, and `params.x` as one.
  private mutating func collect(_ text: String) {
    let isPart: (UInt8) -> Bool = {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F || $0 == 0x2E
    }
    for run in text.utf8.split(whereSeparator: { !isPart($0) }) {
      let parts = run.split(separator: UInt8(ascii: ".")).map { String(decoding: $0, as: UTF8.self) }
      words.formUnion(parts)
      if parts.count > 1, parts[0] == "params" { words.insert("params.\(parts[1])") }
    }
  }
}
