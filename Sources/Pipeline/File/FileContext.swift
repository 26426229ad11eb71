internal import Configuration
internal import Expressions

/// What all parts of the reader share: the bag of mistakes, the environment's variables, the expressions.
struct FileContext {
  let bag: DiagnosticBag
  let variables: EnvironmentText
  let expressions: ExpressionReader
  /// The directory that relative paths start from, with a slash at its end, or empty.
  let directory: String

  /// A part of the file that this version can't read: what it would have named is not known.
  let isIncomplete: Bool

  /// Reads a value with one of the readers that throw what is wrong.
  func read<T>(_ text: LocatedText, _ body: (String) throws(ScalarReader.Problem) -> T) -> T? {
    do throws(ScalarReader.Problem) {
      return try body(text.text)
    } catch {
      bag.error(text.range, error.message, hint: error.hint)
      return nil
    }
  }

  /// A scalar with the environment's variables put in; nil, which is told, where it is none.
  func text(_ node: YAMLNode, _ name: String) -> LocatedText? {
    guard case .scalar(let scalar) = node, !node.isNull else {
      if !node.isRefused { bag.error(node.range, "`\(name)` is a value, not \(node.kindName)") }
      return nil
    }
    if scalar.isRefused { return nil }
    let located = LocatedText(text: scalar.text, range: scalar.range)
    return read(located) { text throws(ScalarReader.Problem) in try variables.substitute(text) }
      .map { LocatedText(text: $0, range: scalar.range) }
  }

  /// One expression or text of a setting that has a shape of its own, as it stands.
  func raw(_ node: YAMLNode, _ name: String, _ what: String) -> LocatedText? {
    guard case .scalar(let scalar) = node, !node.isNull else {
      if !node.isRefused { bag.error(node.range, "`\(name)` is \(what), not \(node.kindName)") }
      return nil
    }
    return scalar.isRefused ? nil : LocatedText(text: scalar.text, range: scalar.range)
  }

  /// The entries of a setting that is a map; nil, which is told, where it is none.
  func map(_ node: YAMLNode, _ name: String) -> [(name: LocatedText, value: YAMLNode)]? {
    guard case .mapping(let mapping) = node else {
      if !node.isRefused { bag.error(node.range, "`\(name)` is a map of names, not \(node.kindName)") }
      return nil
    }
    return mapping.entries.map { (LocatedText(text: $0.key.text, range: $0.key.range), $0.value) }
  }

  /// A choice, with the words that a later version will know refused by name.
  func choice(_ section: SectionReader, _ name: String, later: [String]) -> String? {
    if let node = section.node(name), case .scalar(let scalar) = node, later.contains(scalar.text) {
      notSupported("\(name): \(scalar.text)", scalar.range)
      return nil
    }
    return section.choice(name)
  }

  func notSupported(_ what: String, _ range: SourceRange) {
    bag.error(range, "`\(what)` is not supported by this version")
  }

  /// Whether a name can be read by expressions; else it is told.
  func isName(_ name: LocatedText, of what: String) -> Bool {
    guard WordChecks.isIdentifier(name.text) else {
      bag.error(
        name.range, "`\(name.text)` is no name for \(what)",
        hint: name.text.contains { "() ".contains($0) }
          ? "within { } a comma ends a value: put the expression before it in quotes"
          : "a name has letters, digits and `_`, and begins with no digit")
      return false
    }
    if let reason = WordChecks.taken(name.text) {
      bag.error(name.range, "\(what) can't be called `\(name.text)`: \(reason)")
      return false
    }
    return true
  }

  /// A topic's name; nil, which is told, where Kafka would not take it.
  func topic(_ section: SectionReader) -> LocatedText? {
    guard let topic = section.text("topic") else { return nil }
    guard WordChecks.isTopic(topic.text) else {
      bag.error(
        topic.range, "`\(topic.text)` is no topic's name",
        hint: "a topic's name has letters, digits, `.`, `_` and `-`, at most 249 of them")
      return nil
    }
    return topic
  }
}
