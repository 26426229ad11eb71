/// Reads a section by its declaration. Mistakes go to the bag, all of them; what could not be read is nil.
public struct SectionReader {
  /// What may stand in the section.
  public let declaration: SectionDeclaration
  /// Where the section begins.
  public let range: SourceRange
  /// Where mistakes go.
  public let bag: DiagnosticBag
  private let entries: [(key: YAMLNode.Scalar, value: YAMLNode)]
  private let environment: EnvironmentText

  /// Checks the section's shape: every key is one of the declaration's, required ones are there.
  ///
  /// - Parameter node: the section; an empty value is an empty section.
  public init(_ node: YAMLNode, _ declaration: SectionDeclaration, bag: DiagnosticBag, environment: EnvironmentText) {
    self.declaration = declaration
    self.bag = bag
    self.environment = environment
    range = node.range
    guard case .mapping(let mapping) = node else {
      entries = []
      if node.isNull {
        checkRequired()
      } else if !node.isRefused {
        bag.error(node.range, "`\(declaration.name)` is a section (keys and values), not \(node.kindName)")
      }
      return
    }
    entries = mapping.entries
    checkKeys()
    checkRequired()
  }

  private func checkKeys() {
    let names = declaration.settings.filter { $0.availability == .now }.map(\.name)
    for entry in entries {
      guard let setting = declaration.setting(entry.key.text) else {
        let nearest = NearestName.find(entry.key.text, among: names).map { "did you mean `\($0)`? " } ?? ""
        bag.error(
          entry.key.range, "`\(declaration.name)` has no setting `\(entry.key.text)`",
          hint: nearest + "valid are: \(names.joined(separator: ", "))")
        continue
      }
      if setting.availability == .later {
        bag.error(entry.key.range, "`\(setting.name)` is not supported by this version")
      }
    }
  }

  private func checkRequired() {
    for setting in declaration.settings
    where setting.isRequired && !entries.contains(where: { $0.key.text == setting.name }) {
      bag.error(
        range, "`\(declaration.name)` needs `\(setting.name)`",
        hint: setting.text + (setting.example.map { ", for example `\(setting.name): \($0)`" } ?? ""))
    }
  }

  /// The keys that stand here, in the file's order.
  public var keys: [LocatedText] { entries.map { LocatedText(text: $0.key.text, range: $0.key.range) } }

  /// Whether the file sets this name, be it to nothing.
  public func has(_ name: String) -> Bool { entries.contains { $0.key.text == name } }

  /// Where the setting's key stands; where the section begins if it is not set.
  public func keyRange(_ name: String) -> SourceRange { entries.first { $0.key.text == name }?.key.range ?? range }

  /// The setting's value as it stands.
  public func node(_ name: String) -> YAMLNode? {
    precondition(declaration.setting(name) != nil, "`\(declaration.name)` declares no `\(name)`")
    return entries.first { $0.key.text == name }?.value
  }

  private func kind(_ name: String) -> SettingDeclaration.Kind {
    guard let setting = declaration.setting(name) else { preconditionFailure("no setting \(name)") }
    return setting.kind
  }

  /// A value with the environment's variables put in.
  public func text(_ name: String) -> LocatedText? {
    guard let node = node(name) else { return nil }
    return text(node, name)
  }

  private func text(_ node: YAMLNode, _ name: String) -> LocatedText? {
    if node.isRefused { return nil }
    guard case .scalar(let scalar) = node, !node.isNull else {
      bag.error(node.range, "`\(name)` is a value, not \(node.kindName)")
      return nil
    }
    return read(scalar.range) { () throws(ScalarReader.Problem) in
      LocatedText(text: try environment.substitute(scalar.text), range: scalar.range)
    }
  }

  private func read<T>(_ range: SourceRange, _ body: () throws(ScalarReader.Problem) -> T) -> T? {
    do throws(ScalarReader.Problem) {
      return try body()
    } catch {
      bag.error(range, error.message, hint: error.hint)
      return nil
    }
  }

  /// The value as text, with the environment's variables put in; nil where it is not set.
  public func string(_ name: String) -> String? { text(name)?.text }

  /// The value of an integer setting; nil where it is not set or wrong.
  public func integer(_ name: String) -> Int64? {
    guard case .integer(let bounds) = kind(name) else { preconditionFailure("`\(name)` is no integer") }
    guard let text = text(name) else { return nil }
    guard let value = Int64(text.text) else {
      bag.error(text.range, "`\(name)` is a whole number, not `\(text.text)`")
      return nil
    }
    return bounded(value, bounds, text, name) { String($0) }
  }

  /// The value of a number setting; nil where it is not set or wrong.
  public func number(_ name: String) -> Double? {
    guard case .number(let bounds) = kind(name) else { preconditionFailure("`\(name)` is no number") }
    guard let text = text(name) else { return nil }
    guard text.text.allSatisfy({ "0123456789+-.eE".contains($0) }), let value = Double(text.text), value.isFinite
    else {
      bag.error(text.range, "`\(name)` is a number, not `\(text.text)`")
      return nil
    }
    return bounded(value, bounds, text, name) { "\($0)" }
  }

  /// The value of a flag; nil where it is not set or wrong.
  public func flag(_ name: String) -> Bool? {
    guard case .flag = kind(name) else { preconditionFailure("`\(name)` is no flag") }
    guard let text = text(name) else { return nil }
    return read(text.range) { () throws(ScalarReader.Problem) in try ScalarReader.flag(text.text) }
  }

  /// Nanoseconds.
  public func duration(_ name: String) -> Int64? {
    guard case .duration(let bounds) = kind(name) else { preconditionFailure("`\(name)` is no duration") }
    guard let text = text(name) else { return nil }
    let value = read(text.range) { () throws(ScalarReader.Problem) in try ScalarReader.duration(text.text) }
    return value.flatMap { bounded($0, bounds, text, name, ScalarReader.durationText) }
  }

  /// Bytes, of a size setting; nil where it is not set or wrong.
  public func bytes(_ name: String) -> Int64? {
    guard case .bytes(let bounds) = kind(name) else { preconditionFailure("`\(name)` is no size") }
    guard let text = text(name) else { return nil }
    let value = read(text.range) { () throws(ScalarReader.Problem) in try ScalarReader.bytes(text.text) }
    return value.flatMap { bounded($0, bounds, text, name, ScalarReader.bytesText) }
  }

  private func bounded<T: Comparable>(
    _ value: T, _ bounds: ClosedRange<T>, _ text: LocatedText, _ name: String, _ show: (T) -> String
  ) -> T? {
    if bounds.contains(value) { return value }
    bag.error(
      text.range,
      "`\(name)` lies between \(show(bounds.lowerBound)) and \(show(bounds.upperBound)); here it is \(show(value))")
    return nil
  }

  /// The word of a choice setting; nil where it is not set or none of the words.
  public func choice(_ name: String) -> String? {
    guard case .choice(let words) = kind(name) else { preconditionFailure("`\(name)` is no choice") }
    guard let text = text(name) else { return nil }
    if words.contains(text.text) { return text.text }
    let nearest = NearestName.find(text.text, among: words).map { "did you mean `\($0)`? " } ?? ""
    bag.error(
      text.range, "`\(name)` can't be `\(text.text)`", hint: nearest + "valid are: \(words.joined(separator: ", "))")
    return nil
  }

  /// Expressions as they stand: one, or a list of which all must hold.
  public func expressions(_ name: String) -> [LocatedText] {
    guard case .expressions = kind(name) else { preconditionFailure("`\(name)` is no expression") }
    return node(name).map { Self.expressions($0, name, bag) } ?? []
  }

  /// Expressions of a node that is no setting of a declared section; `name` is for the messages.
  public static func expressions(_ node: YAMLNode, _ name: String, _ bag: DiagnosticBag) -> [LocatedText] {
    switch node {
    case .scalar where node.isRefused: return []
    case .scalar(let scalar) where !node.isNull: return [LocatedText(text: scalar.text, range: scalar.range)]
    case .sequence(let sequence) where !sequence.elements.isEmpty:
      return sequence.elements.flatMap { expressions($0, name, bag) }
    default:
      bag.error(node.range, "`\(name)` is an expression or a list of expressions, not \(node.kindName)")
      return []
    }
  }

  /// The words of a list setting, with the environment's variables put in; empty where it is not set.
  public func texts(_ name: String) -> [LocatedText] {
    guard let node = node(name), !node.isRefused else { return [] }
    guard case .sequence(let sequence) = node else {
      bag.error(
        node.range, "`\(name)` is a list, not \(node.kindName)", hint: "write [a, b]")
      return []
    }
    return sequence.elements.compactMap { text($0, name) }
  }

  /// The reader of a section setting; nil where it is not set.
  public func section(_ name: String) -> SectionReader? {
    guard case .section(let declaration) = kind(name) else { preconditionFailure("`\(name)` is no section") }
    return node(name).map { SectionReader($0, declaration, bag: bag, environment: environment) }
  }

  /// The sections of a map, with the names they stand under.
  public func sections(_ name: String) -> [(name: LocatedText, section: SectionReader)] {
    guard case .sections(let declaration) = kind(name) else { preconditionFailure("`\(name)` is no map of sections") }
    return map(node(name), name).map { entry in
      (entry.name, SectionReader(entry.value, declaration, bag: bag, environment: environment))
    }
  }

  /// The readers of a list of sections, in the file's order; empty where it is not set.
  public func sectionList(_ name: String) -> [SectionReader] {
    guard case .sectionList(let declaration) = kind(name) else {
      preconditionFailure("`\(name)` is no list of sections")
    }
    guard let node = node(name), !node.isRefused else { return [] }
    guard case .sequence(let sequence) = node else {
      bag.error(node.range, "`\(name)` is a list, not \(node.kindName)")
      return []
    }
    return sequence.elements.map { SectionReader($0, declaration, bag: bag, environment: environment) }
  }

  /// The nodes of a map.
  public func entries(_ name: String) -> [(name: LocatedText, value: YAMLNode)] { map(node(name), name) }

  /// The values of a map, with the environment's variables put in.
  public func texts(map name: String) -> [(name: LocatedText, value: LocatedText)] {
    map(node(name), name).compactMap { entry in text(entry.value, entry.name.text).map { (entry.name, $0) } }
  }

  private func map(_ node: YAMLNode?, _ name: String) -> [(name: LocatedText, value: YAMLNode)] {
    guard let node, !node.isNull, !node.isRefused else { return [] }
    guard case .mapping(let mapping) = node else {
      bag.error(node.range, "`\(name)` is a map of names, not \(node.kindName)")
      return []
    }
    return mapping.entries.map { (LocatedText(text: $0.key.text, range: $0.key.range), $0.value) }
  }
}
