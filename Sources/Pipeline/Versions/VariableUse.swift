internal import Configuration

extension PipelineFile {
  /// The names of the environment's variables that a file reads, but for those that only `librdkafka` reads.
  static func variables(_ bytes: [UInt8]) -> Set<String> {
    let bag = DiagnosticBag(file: "", source: nil)
    guard case .mapping(let file)? = YAMLParser.parse(bytes, bag: bag) else { return [] }
    var names: Set<String> = []
    for entry in file.entries where entry.key.text != "librdkafka" { collect(entry.value, &names) }
    return names
  }

  private static func collect(_ node: YAMLNode, _ names: inout Set<String>) {
    switch node {
    case .scalar(let scalar): names.formUnion(EnvironmentText.names(in: scalar.text))
    case .sequence(let sequence): for element in sequence.elements { collect(element, &names) }
    case .mapping(let mapping): for entry in mapping.entries { collect(entry.value, &names) }
    }
  }

  /// A file without the values under `librdkafka`, where secrets may stand: each is an empty text instead. nil: they can't be
  /// taken out.
  static func withoutProperties(_ bytes: [UInt8]) -> [UInt8]? {
    guard let properties = properties(bytes) else { return nil }
    var values: [YAMLNode.Scalar] = []
    if let node = properties.node { collect(node, &values) }
    var result = bytes
    for value in values.sorted(by: { $0.range.offset > $1.range.offset }) {
      let (start, end) = (value.range.offset, value.range.offset + value.range.length)
      guard start >= 0, end <= result.count, start < end else { return nil }
      // A text of several lines ends with its last one.
      let isLine = result[end - 1] == UInt8(ascii: "\n")
      result.replaceSubrange(start..<end, with: Array(isLine ? "\"\"\n".utf8 : "\"\"".utf8))
    }
    // All else is as it was.
    guard values.isEmpty || self.properties(result)?.rest == properties.rest else { return nil }
    return result
  }

  /// What stands under `librdkafka`, and a digest of all else; nil: it is no pipeline file.
  private static func properties(_ bytes: [UInt8]) -> (node: YAMLNode?, rest: String)? {
    let bag = DiagnosticBag(file: "", source: nil)
    guard case .mapping(var file)? = YAMLParser.parse(bytes, bag: bag), !bag.hasErrors else { return nil }
    let node = file["librdkafka"]
    file.entries.removeAll { $0.key.text == "librdkafka" }
    return (node, NodeDigest.hex(.mapping(file)))
  }

  private static func collect(_ node: YAMLNode, _ values: inout [YAMLNode.Scalar]) {
    switch node {
    case .scalar(let scalar): values.append(scalar)
    case .sequence(let sequence): for element in sequence.elements { collect(element, &values) }
    case .mapping(let mapping): for entry in mapping.entries { collect(entry.value, &values) }
    }
  }
}
