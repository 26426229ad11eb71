internal import Configuration
internal import Events
internal import Tables

/// Reads one field of a source.
struct FieldReader {
  private let context: FileContext
  private let section: SectionReader
  private var bag: DiagnosticBag { context.bag }

  init(_ context: FileContext, _ section: SectionReader) {
    self.context = context
    self.section = section
  }

  func read(_ name: LocatedText) -> FieldModel {
    var field = FieldModel(name: name, section: section)
    field.type = section.text("type").flatMap { text in
      context.read(text) { text throws(ScalarReader.Problem) in try FieldTypeText.parse(text) }
    }
    field.origin = origin(&field)
    field.absence = absence(field.type)
    field.entity = entity()
    checkMetadataType(&field)
    return field
  }

  private func origin(_ field: inout FieldModel) -> Field.Origin? {
    if section.has("at"), section.has("value") {
      bag.error(
        section.keyRange("value"), "`at` and `value` exclude each other", hint: "a field is read, or it is computed")
      return nil
    }
    if let node = section.node("value") {
      field.value = context.raw(node, "value", "an expression")
      return .derived
    }
    guard section.has("at") else {
      bag.error(
        field.name.range, "the field `\(field.name.text)` needs `at` or `value`",
        hint: "`at: /\(field.name.text)` says where it stands in the record")
      return nil
    }
    return section.text("at").flatMap { text in
      context.read(text) { text throws(ScalarReader.Problem) in try FieldPlaceText.parse(text) }
    }
  }

  private func absence(_ type: FieldType?) -> Field.Absence? {
    let isOptional = section.has("optional") ? section.flag("optional") : false
    guard let node = section.node("default") else { return isOptional.map { $0 ? .optional : .required } }
    if isOptional == true {
      bag.error(
        section.keyRange("default"), "`optional` and `default` exclude each other",
        hint: "a field with a default is never missing")
      return nil
    }
    guard let type, let value = value(node, type) else { return nil }
    return .defaultValue(value)
  }

  private func value(_ node: YAMLNode, _ type: FieldType) -> Scalar? {
    guard case .list(let element) = type else {
      guard let text = context.text(node, "default") else { return nil }
      do throws(CellText.Problem) {
        return try CellText.scalar(text.text, as: type)
      } catch {
        bag.error(text.range, "`default` is not of the field's type: \(error.message)")
        return nil
      }
    }
    guard case .sequence(let sequence) = node else {
      if !node.isRefused { bag.error(node.range, "`default` is a list, as the field is, not \(node.kindName)") }
      return nil
    }
    let values = sequence.elements.compactMap { value($0, element) }
    return values.count == sequence.elements.count ? .list(values) : nil
  }

  private func entity() -> String? {
    guard let entity = section.text("entity") else { return nil }
    guard WordChecks.isID(entity.text) else {
      bag.error(entity.range, "`\(entity.text)` is no kind of thing", hint: "one word, such as wallet, card, account")
      return nil
    }
    return entity.text
  }

  /// A key or header is text, and text is no list. The other parts of the record have a type of their own.
  private func checkMetadataType(_ field: inout FieldModel) {
    guard let type = field.type, let origin = field.origin else { return }
    let message: String
    var hint: String?
    switch origin {
    case .key where FieldTypeText.isList(type), .header where FieldTypeText.isList(type):
      message = "a key or header is text, and no list is read from it"
      hint = "declare it as `string`, and split it in a field of its own: `value: \(field.name.text).split(',')`"
    case .topic where type != .string: message = Self.otherPart("string")
    case .partition where type != .int, .offset where type != .int: message = Self.otherPart("int")
    case .timestamp:
      if case .timestamp = type { return }
      message = Self.otherPart("timestamp_ms")
    default: return
    }
    bag.error(section.node("type")?.range ?? field.name.range, message, hint: hint)
    field.type = nil
  }

  private static func otherPart(_ type: String) -> String { "this part of a record is of the type \(type)" }
}
