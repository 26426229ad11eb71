internal import Configuration
internal import Detection
internal import Events
internal import Expressions

/// Finds out what a rule's state depends on, from the rule and from the declarations of all that it reads.
struct StateIdentityReader {
  private let source: SourceModel
  private let environment: Environment

  init(_ source: SourceModel, _ environment: Environment) {
    self.source = source
    self.environment = environment
  }

  func identity(of plan: RulePlan) -> StateIdentity {
    var parts = [
      StateIdentity.Part("source", "json \(source.topic?.text ?? "")"),
      StateIdentity.Part("time", "\(source.timeField ?? "") out_of_order \(source.outOfOrder)"),
    ]
    if !plan.filters.isEmpty {
      parts.append(StateIdentity.Part("where", plan.filters.map(text).joined(separator: "\n")))
    }
    if !plan.exceptions.isEmpty {
      let exceptions = plan.exceptions.map { text($0.condition) + ($0.until.map { " until \($0)" } ?? "") }
      parts.append(StateIdentity.Part("except", exceptions.joined(separator: "\n")))
    }
    if !plan.keySlots.isEmpty {
      parts.append(StateIdentity.Part("by", plan.keySlots.map { source.fields[$0].name.text }.joined(separator: " ")))
    }
    if case .window(let window) = plan.kind {
      parts.append(StateIdentity.Part("window", text(window.span)))
      parts += window.lets.map { StateIdentity.Part("let \($0.name)", text($0.program)) }
      // The event that causes the alert is no part of the state.
      parts.append(StateIdentity.Part("evidence", "\(max(0, plan.evidenceLimit - 1))"))
    }
    return StateIdentity(id: plan.id, parts: parts + read(plan))
  }

  // MARK: What is read

  /// Fields, parameters and tables, in order of their names.
  private func read(_ plan: RulePlan) -> [StateIdentity.Part] {
    var programs = plan.filters + plan.exceptions.map(\.condition)
    if case .window(let window) = plan.kind {
      programs += window.aggregates.flatMap { [$0.argument, $0.filter].compactMap { $0 } } + window.lets.map(\.program)
    }
    var slots = Set(plan.keySlots)
    if let time = source.timeField.flatMap(source.slot) { slots.insert(time) }
    for program in programs { slots.formUnion(fields(program)) }
    for derived in source.derived(readBy: programs, and: slots) {
      programs.append(derived.program)
      slots.formUnion(fields(derived.program))
    }
    let parameters = programs.reduce(into: Set<String>()) { $0.formUnion($1.parameters) }
    let tables = programs.reduce(into: Set<Int>()) { $0.formUnion($1.tables) }
    let parts =
      slots.map { field($0) }
      + parameters.map { StateIdentity.Part("params.\($0)", environment.params[$0].map(Self.text) ?? "") }
      + tables.map { StateIdentity.Part("table \(environment.tables[$0].name)", asked($0, by: plan)) }
    return parts.sorted { $0.name < $1.name }
  }

  /// How a table is read: with the types of what aggregates take in from it, which stand in no field.
  private func asked(_ table: Int, by plan: RulePlan) -> String {
    guard case .window(let window) = plan.kind else { return "asked" }
    let types = window.aggregates.compactMap(\.argument).filter { $0.tables.contains(table) }.map(\.typeName)
    return (["asked"] + types).joined(separator: " ")
  }

  /// Slots of the fields that a program reads; beyond them stand `let`s and aggregates.
  private func fields(_ program: Program) -> Set<Int> { program.slots.filter { $0 < source.fields.count } }

  private func field(_ slot: Int) -> StateIdentity.Part {
    let field = source.fields[slot]
    var text = field.type.map { FieldTypeText.name($0) } ?? ""
    switch field.origin {
    case .pointer(let tokens)?: text += " at " + tokens.map { "\($0.utf8.count) \($0)" }.joined(separator: "/")
    case .key?: text += " at $key"
    case .header(let name)?: text += " at $headers/\(name)"
    case .topic?: text += " at $topic"
    case .partition?: text += " at $partition"
    case .offset?: text += " at $offset"
    case .timestamp?: text += " at $timestamp"
    case .derived?: text += " value " + (source.derived.first { $0.slot == slot }.map { self.text($0.program) } ?? "")
    case nil: break
    }
    switch field.absence {
    case .optional?: text += " optional"
    case .defaultValue(let value)?: text += " default \(Self.text(value))"
    case .required?, nil: break
    }
    return StateIdentity.Part("field \(field.name.text)", text)
  }

  // MARK: Texts

  private func text(_ program: Program) -> String {
    // Each word with its length: a text may hold blanks.
    program.words.map { $0.contains(" ") ? "\($0.utf8.count):\($0)" : $0 }.joined(separator: " ")
  }

  private func text(_ span: WindowSpan) -> String {
    switch span {
    case .trailing(let span, let granule): "over \(span) granule \(granule)"
    case .tumbling(let length): "per \(length)"
    case .calendar(let unit, let zone): "per \(unit.rawValue) zone \(zone)"
    }
  }

  /// A value with its type.
  static func text(_ value: Scalar) -> String {
    switch value {
    case .null: "null"
    case .string(let text): "string \(text.utf8.count):\(text)"
    case .int(let number): "int \(number)"
    case .uint(let number): "uint \(number)"
    case .double(let number): "double \(number)"
    case .bool(let flag): "bool \(flag)"
    case .decimal(let unscaled, let scale): "decimal \(unscaled) \(scale)"
    case .timestamp(let time): "timestamp \(time)"
    case .duration(let length): "duration \(length)"
    case .list(let elements): "list \(elements.count) [" + elements.map { text($0) }.joined(separator: ", ") + "]"
    }
  }
}
