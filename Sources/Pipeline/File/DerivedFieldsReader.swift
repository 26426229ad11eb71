internal import Configuration
internal import Events
internal import Expressions

/// Reads the fields that are computed from others, and puts them into an order in which each finds what it reads.
struct DerivedFieldsReader {
  private let context: FileContext

  init(_ context: FileContext) { self.context = context }

  func read(_ fields: [FieldModel], _ environment: Environment) -> [DerivedFieldPlan] {
    var programs: [Int: Program] = [:]
    for (slot, field) in fields.enumerated() {
      guard let value = field.value, let program = program(value, field, environment) else { continue }
      programs[slot] = program
    }
    return order(programs, fields).compactMap { slot in
      programs[slot].map { DerivedFieldPlan(slot: slot, program: $0) }
    }
  }

  private func program(_ value: LocatedText, _ field: FieldModel, _ environment: Environment) -> Program? {
    let place = "field \(field.name.text), value"
    guard let program = context.expressions.program(value, place: place, in: environment), let type = field.type else {
      return nil
    }
    if let promoted = program.promoted(to: type.columnType) {
      if let inForm = promoted.inForm(type.textForm) { return inForm }
      context.expressions.error(value, "the field is declared as \(FieldTypeText.name(type)), and this text is none")
      return nil
    }
    let declared = FieldTypeText.name(type)
    context.expressions.error(
      value, "the field is declared as \(declared), and this is of type \(program.typeName)",
      hint: Self.hint(type, program))
    return nil
  }

  private static func hint(_ type: FieldType, _ program: Program) -> String? {
    switch (type, program.type) {
    case (.double, .int), (.double, .decimal), (.double, .uint): "write double(...)"
    case (.int, .double), (.int, .uint): "write int(...)"
    case (.string, .some): "write string(...)"
    case (.decimal, .decimal(let scale)): "declare it as `type: decimal(\(scale))`"
    default: nil
    }
  }

  /// Slots in an order in which each comes after those it reads; a circle is told.
  private func order(_ programs: [Int: Program], _ fields: [FieldModel]) -> [Int] {
    let slots = programs.keys.sorted()
    var waitsFor: [Int: [Int]] = [:]
    var readers: [Int: [Int]] = [:]
    for slot in slots {
      let needs = (programs[slot]?.slots ?? []).filter { programs[$0] != nil }.sorted()
      waitsFor[slot] = needs
      for need in needs { readers[need, default: []].append(slot) }
    }
    var open = waitsFor.mapValues(\.count)
    var queue = slots.filter { open[$0] == 0 }
    var next = 0
    while next < queue.count {
      for reader in readers[queue[next]] ?? [] {
        open[reader, default: 0] -= 1
        if open[reader] == 0 { queue.append(reader) }
      }
      next += 1
    }
    if let stuck = slots.first(where: { (open[$0] ?? 0) > 0 }) { tellCircle(from: stuck, waitsFor, open, fields) }
    return queue
  }

  /// Whoever is left waits for another that is left, so following them comes back to where one has been.
  private func tellCircle(from start: Int, _ waitsFor: [Int: [Int]], _ open: [Int: Int], _ fields: [FieldModel]) {
    var path: [Int] = []
    var slot = start
    while !path.contains(slot) {
      path.append(slot)
      guard let next = waitsFor[slot]?.first(where: { (open[$0] ?? 0) > 0 }) else { return }
      slot = next
    }
    let circle = Array(path[(path.firstIndex(of: slot) ?? 0)...])
    // It is told where its first field stands in the file.
    let first = circle.indices.min { circle[$0] < circle[$1] } ?? 0
    let names = (circle[first...] + circle[..<first] + [circle[first]]).map { "`\(fields[$0].name.text)`" }
    guard let value = fields[circle[first]].value else { return }
    context.expressions.error(
      value, "these fields are computed from each other: \(names.joined(separator: " from "))",
      hint: "one of them must be read from the record")
  }
}

extension FieldTypeText {
  /// A type as an operator writes it.
  static func name(_ type: FieldType) -> String {
    switch type {
    case .string: "string"
    case .int: "int"
    case .double: "double"
    case .bool: "bool"
    case .decimal(let scale): "decimal(\(scale))"
    case .timestamp(let unit): unit.rawValue
    case .address: "address"
    case .ip: "ip"
    case .list(let element): "list(\(name(element)))"
    }
  }
}
