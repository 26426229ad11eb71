internal import Configuration

extension PipelineFile {
  /// The names of the environment's variables that a file reads, but for those that only `librdkafka` reads.
  static func variables(_ bytes: [UInt8]) -> Set<String> {
    guard let file = file(bytes) else { return [] }
    var names: Set<String> = []
    for entry in file.entries where entry.key.text != PropertiesReader.section { collect(entry.value, &names) }
    return names
  }

  private static func collect(_ node: YAMLNode, _ names: inout Set<String>) {
    switch node {
    case .scalar(let scalar): names.formUnion(EnvironmentText.names(in: scalar.text))
    case .sequence(let sequence): for element in sequence.elements { collect(element, &names) }
    case .mapping(let mapping): for entry in mapping.entries { collect(entry.value, &names) }
    }
  }

  /// A file without what stands under `librdkafka`, where secrets may be. nil: it can't be taken out, because it does not begin
  /// a line.
  static func withoutProperties(_ bytes: [UInt8]) -> [UInt8]? {
    guard let file = file(bytes),
      let key = file.entries.first(where: { $0.key.text == PropertiesReader.section })?.key.range
    else {
      return bytes
    }
    guard key.column == 1 else { return nil }
    let next = file.entries.map(\.key.range.offset).filter { $0 > key.offset }.min()
    let rest = next.map { bytes[$0...] } ?? []
    let kept = Array(bytes[..<key.offset]) + Array("\(PropertiesReader.section): {}\n".utf8) + Array(rest)
    // All else is as it was.
    guard let after = self.file(kept), digest(after) == digest(file) else { return nil }
    return kept
  }

  /// nil: it is no pipeline file.
  private static func file(_ bytes: [UInt8]) -> YAMLNode.Mapping? {
    let bag = DiagnosticBag(file: "", source: nil)
    guard case .mapping(let file)? = YAMLParser.parse(bytes, bag: bag) else { return nil }
    return file
  }

  private static func digest(_ file: YAMLNode.Mapping) -> String {
    var file = file
    file.entries.removeAll { $0.key.text == PropertiesReader.section }
    return NodeDigest.hex(.mapping(file))
  }
}
