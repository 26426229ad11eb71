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
}
