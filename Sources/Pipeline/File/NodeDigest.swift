internal import Configuration
internal import Events

/// A digest of a part of a file: of its keys and values in their order, not of comments and layout.
enum NodeDigest {
  /// SHA-256 in hex digits.
  static func hex(_ node: YAMLNode) -> String {
    var bytes: [UInt8] = []
    write(node, to: &bytes)
    return SHA256.hex(bytes)
  }

  /// Each value with its kind and length before it, so that no two trees give the same bytes.
  private static func write(_ node: YAMLNode, to bytes: inout [UInt8]) {
    switch node {
    case .scalar(let scalar): write(node.isNull ? "null" : "text", scalar.text, to: &bytes)
    case .sequence(let sequence):
      bytes += Array("list \(sequence.elements.count)\n".utf8)
      for element in sequence.elements { write(element, to: &bytes) }
    case .mapping(let mapping):
      bytes += Array("map \(mapping.entries.count)\n".utf8)
      for entry in mapping.entries {
        write("key", entry.key.text, to: &bytes)
        write(entry.value, to: &bytes)
      }
    }
  }

  private static func write(_ kind: String, _ text: String, to bytes: inout [UInt8]) {
    bytes += Array("\(kind) \(text.utf8.count) \(text)\n".utf8)
  }
}
