internal import Configuration

extension RuleReader {
  /// What `by` says.
  struct Key {
    var slots: [Int] = []
    var names: [String] = []
    /// It is there, but what names it gives is not known.
    var isUnknown = false
  }

  func readBy() -> Key {
    guard let node = section.node("by") else { return Key() }
    guard let parts = keyParts(node) else { return Key(isUnknown: true) }
    guard let source else { return Key(isUnknown: true) }
    if parts.count > Self.keyLimit {
      bag.error(parts[Self.keyLimit].range, "a key has at most \(Self.keyLimit) parts")
      return Key(isUnknown: true)
    }
    var key = Key()
    for part in parts {
      guard let slot = source.slot(of: part.text) else {
        unknownPart(part, source)
        key.isUnknown = true
        continue
      }
      if key.names.contains(part.text) {
        bag.error(part.range, "`\(part.text)` stands twice in `by`")
      } else if let type = source.fields[slot].type, FieldTypeText.isList(type) {
        bag.error(part.range, "the list `\(part.text)` can't be part of a key")
      } else {
        key.slots.append(slot)
        key.names.append(part.text)
      }
    }
    return key
  }

  /// The fields that `by` names; nil, which is told, where it is anything else.
  private func keyParts(_ node: YAMLNode) -> [LocatedText]? {
    switch node {
    case .mapping:
      context.notSupported("by` with names and expressions of its own, `by: {NAME: ...}", node.range)
      return nil
    case .scalar:
      return context.text(node, "by").map { [$0] }
    case .sequence(let sequence):
      if sequence.elements.isEmpty { bag.error(node.range, "`by` names no field") }
      let parts = sequence.elements.compactMap { context.text($0, "by") }
      return parts.count == sequence.elements.count && !parts.isEmpty ? parts : nil
    }
  }

  private func unknownPart(_ part: LocatedText, _ source: SourceModel) {
    if WordChecks.isIdentifier(part.text) || source.misnamed.contains(part.text) {
      source.tellUnknown(part, bag)
    } else {
      bag.error(
        part.range, "`by` with an expression is not supported by this version",
        hint: "give the source a field with `value: \(part.text)`, and name that")
    }
  }
}
