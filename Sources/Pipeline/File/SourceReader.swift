internal import Configuration
internal import Events
internal import Expressions

/// A field as the file declares it; what is nil is wrong, and told.
struct FieldModel {
  var name: LocatedText
  var type: FieldType?
  var origin: Field.Origin?
  var absence: Field.Absence?
  var entity: String?
  /// The expression of a derived field.
  var value: LocatedText?
  var section: SectionReader

  var field: Field? {
    guard let type, let origin, let absence else { return nil }
    return Field(name: name.text, type: type, origin: origin, absence: absence, entity: entity)
  }
}

/// A source as the file declares it; what is nil is wrong, and told.
struct SourceModel {
  var name: LocatedText
  var topic: LocatedText?
  var key: LocatedText?
  var givesKey: Bool
  var timeField: String?
  var outOfOrder: Int64
  var idle: Int64
  var fields: [FieldModel]
  /// What the file calls a field but can't be a field's name.
  var misnamed: Set<String>
  var derived: [DerivedFieldPlan] = []
  /// For expressions about one event.
  var environment = Environment()

  func slot(of name: String) -> Int? { fields.firstIndex { $0.name.text == name } }

  /// The derived fields that these programs read, and those that they are made of in turn, in the file's order.
  func derived(readBy programs: [Program], and slots: Set<Int> = []) -> [DerivedFieldPlan] {
    var read = programs.reduce(into: slots) { $0.formUnion($1.slots) }
    var waiting = Array(read)
    while let slot = waiting.popLast() {
      guard let program = derived.first(where: { $0.slot == slot })?.program else { continue }
      for next in program.slots where read.insert(next).inserted { waiting.append(next) }
    }
    return derived.filter { read.contains($0.slot) }
  }

  /// Says that there is no such field, unless the file has one that can't be called so.
  func tellUnknown(_ name: LocatedText, _ bag: DiagnosticBag) {
    if misnamed.contains(name.text) { return }
    let nearest = NearestName.find(name.text, among: fields.map(\.name.text)).map { "did you mean `\($0)`?" }
    bag.error(name.range, "there is no field `\(name.text)`", hint: nearest)
  }

  var schema: Schema? {
    let fields = fields.compactMap(\.field)
    guard fields.count == self.fields.count, let timeField, let slot = slot(of: timeField) else { return nil }
    return Schema(fields: fields, timeField: slot)
  }
}

/// Reads one source.
struct SourceReader {
  /// Most fields of a source.
  static let fieldLimit = 1_024
  /// Formats of the language that this version does not read.
  private static let laterFormats = ["avro", "protobuf", "json_schema", "debezium", "csv", "text", "msgpack", "cbor"]

  let context: FileContext
  let section: SectionReader
  private var bag: DiagnosticBag { context.bag }

  init(_ section: SectionReader, _ context: FileContext) {
    self.section = section
    self.context = context
  }

  func read(_ name: LocatedText, params: ParamsReader, tables: [TableModel]) -> SourceModel {
    if !WordChecks.isID(name.text) {
      bag.error(name.range, "`\(name.text)` is no name for a source", hint: "letters, digits, `.`, `_`, `-`")
    }
    _ = context.choice(section, "format", later: Self.laterFormats)
    var misnamed: Set<String> = []
    var fields = readFields(&misnamed)
    checkPlaces(&fields)
    let time = section.section("time")
    var source = SourceModel(
      name: name, topic: context.topic(section), key: section.text("key"), givesKey: section.has("key"),
      timeField: nil, outOfOrder: time?.duration("out_of_order") ?? SourceDeclaration.outOfOrder,
      idle: time?.duration("idle") ?? SourceDeclaration.idle, fields: fields, misnamed: misnamed)
    source.environment = environment(fields, misnamed, params, tables)
    checkTime(time, &source)
    checkKey(&source)
    checkClashes(fields, tables)
    source.derived = DerivedFieldsReader(context).read(fields, source.environment)
    return source
  }

  private func readFields(_ misnamed: inout Set<String>) -> [FieldModel] {
    let sections = section.sections("fields")
    if section.has("fields"), sections.isEmpty, let node = section.node("fields") {
      if case .mapping = node {
        bag.error(node.range, "`fields` is empty: a source needs fields")
      } else if node.isNull {
        bag.error(node.range, "`fields` is a map of names, not nothing")
      }
    }
    if sections.count > Self.fieldLimit {
      bag.error(sections[Self.fieldLimit].name.range, "a source has at most \(Self.fieldLimit) fields")
    }
    var fields: [FieldModel] = []
    for entry in sections.prefix(Self.fieldLimit) {
      let field = FieldReader(context, entry.section).read(entry.name)
      if context.isName(entry.name, of: "a field") {
        fields.append(field)
      } else {
        misnamed.insert(entry.name.text)
      }
    }
    return fields
  }

  /// The decoder takes a value to one place.
  private func checkPlaces(_ fields: inout [FieldModel]) {
    var seen: [[String]: String] = [:]
    for (slot, field) in fields.enumerated() {
      guard case .pointer(let tokens)? = field.origin else { continue }
      guard let other = seen[tokens] else {
        seen[tokens] = field.name.text
        continue
      }
      fields[slot].origin = nil
      bag.error(
        field.section.node("at")?.range ?? field.name.range, "the field `\(other)` stands at the same place",
        hint: "for a second name write `value: \(other)` instead of `at`")
    }
  }

  private func environment(
    _ fields: [FieldModel], _ misnamed: Set<String>, _ params: ParamsReader, _ tables: [TableModel]
  ) -> Environment {
    var environment = Environment(
      fields: fields.enumerated().compactMap { slot, field in
        field.type.map {
          Environment.Variable(
            name: field.name.text, type: $0.columnType, slot: slot, isOptional: field.absence == .optional,
            form: $0.textForm)
        }
      }, params: params.values, tables: tables.compactMap(\.declaration))
    environment.unusable = Set(fields.filter { $0.type == nil }.map(\.name.text))
      .union(tables.filter { $0.declaration == nil }.map(\.name.text))
      .union(misnamed)
      .union(params.unusable.map { "params.\($0)" })
    environment.isIncomplete = context.isIncomplete
    environment.refusesConstantErrors = true
    return environment
  }

  private func checkTime(_ time: SectionReader?, _ source: inout SourceModel) {
    guard let name = time?.text("field") else { return }
    guard let slot = source.slot(of: name.text) else {
      source.tellUnknown(name, bag)
      return
    }
    source.timeField = name.text
    let field = source.fields[slot]
    if let type = field.type {
      guard case .timestamp = type else {
        bag.error(name.range, "the time field `\(name.text)` is of no timestamp type")
        return
      }
    }
    if field.value != nil {
      bag.error(
        name.range, "the time field `\(name.text)` is computed", hint: "it must be read from the record: give it `at`")
    } else if let absence = field.absence, absence != .required {
      bag.error(
        name.range, "the time field `\(name.text)` may be missing",
        hint: "an event without a time is a dead letter: take `optional` and `default` away")
    }
  }

  private func checkKey(_ source: inout SourceModel) {
    guard let key = source.key else { return }
    if source.slot(of: key.text) == nil {
      source.tellUnknown(key, bag)
      source.key = nil
    }
  }

  /// A field hides a table of its name.
  private func checkClashes(_ fields: [FieldModel], _ tables: [TableModel]) {
    for field in fields where tables.contains(where: { $0.name.text == field.name.text }) {
      bag.error(
        field.name.range, "`\(field.name.text)` is a field and a table", hint: "expressions could not tell them apart")
    }
  }
}
