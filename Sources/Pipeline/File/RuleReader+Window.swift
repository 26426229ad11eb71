internal import Configuration
internal import Detection
internal import Expressions
internal import Foundation

extension RuleReader {
  /// Most `let`s of a rule.
  static let letLimit = 64

  /// A window as far as it could be read.
  struct Window {
    /// nil: something is wrong, and told.
    var plan: WindowPlan?
    /// For `condition`, `severity` and `message`.
    var environment: Environment
  }

  func readWindow(_ by: Key, _ environment: Environment) -> Window {
    let span = readSpan()
    checkParts()
    var names = environment
    names.scope = .names
    names.names = by.names.compactMap { name in environment.fields.first { $0.name == name } }
    let lets = readLets(&names, by)
    let conditions = context.expressions.conditions(
      section.expressions("condition"), place: "\(title), condition", in: names)
    guard let span, let lets else { return Window(plan: nil, environment: names) }
    let firstLet = source?.fields.count ?? 0
    let plan = WindowPlan(
      span: span, aggregates: lets.aggregates, firstAggregateSlot: firstLet + lets.plans.count, lets: lets.plans,
      firstLetSlot: firstLet, conditions: conditions)
    return Window(plan: plan, environment: names)
  }

  /// What a window rule must have.
  private func checkParts() {
    let spans = ["over", "per"].filter { section.has($0) }
    let cause = (spans + ["let", "condition", "zone"]).first { section.has($0) }
    let place = cause.map { section.keyRange($0) } ?? section.range
    if spans.isEmpty {
      bag.error(
        place, "`\(cause ?? "let")` is about many events: the rule needs a window", hint: "give it `over` or `per`")
    }
    if !section.has("by") {
      bag.error(place, "a window rule needs `by`", hint: "whose events stand together: `by: FIELD`")
    }
    if !section.has("condition") {
      bag.error(place, "a window rule needs `condition`", hint: "when it is an alert, such as `condition: n >= 3`")
    }
    if !section.has("let") {
      bag.error(
        place, "a window rule needs `let`", hint: "what is computed over its events, such as `let: { n: count() }`")
    }
  }

  // MARK: Span

  private func readSpan() -> WindowSpan? {
    if section.has("over"), section.has("per") {
      bag.error(section.keyRange("per"), "`over` and `per` exclude each other", hint: "take one of them away")
      return nil
    }
    let zone = readZone()
    if section.has("over") {
      if section.has("zone") { tellZone() }
      return section.duration("over").map { .trailing($0) }
    }
    guard let per = section.text("per") else { return nil }
    if let unit = Self.calendar[per.text] {
      if section.has("zone"), zone == nil { return nil }
      return .calendar(unit, zone: zone ?? "UTC")
    }
    if section.has("zone") { tellZone() }
    guard let length = context.read(per, { text throws(ScalarReader.Problem) in try ScalarReader.duration(text) })
    else { return nil }
    guard (PipelineDeclaration.second...(366 * PipelineDeclaration.day)).contains(length) else {
      bag.error(per.range, "`per` lies between 1s and 366d; here it is \(ScalarReader.durationText(length))")
      return nil
    }
    return .tumbling(length)
  }

  private static let calendar: [String: CalendarUnit] = ["1d": .day, "1w": .week, "1mo": .month]

  private func tellZone() {
    bag.error(section.keyRange("zone"), "`zone` goes with `per: 1d`, `per: 1w` or `per: 1mo`")
  }

  private func readZone() -> String? {
    guard let zone = section.text("zone") else { return nil }
    guard TimeZone(identifier: zone.text) != nil else {
      let nearest = NearestName.find(zone.text, among: TimeZone.knownTimeZoneIdentifiers)
      bag.error(
        zone.range, "there is no time zone `\(zone.text)`",
        hint: nearest.map { "did you mean `\($0)`?" } ?? "a name of the tz database, such as Europe/Berlin")
      return nil
    }
    return zone.text
  }

  // MARK: Let

  private struct Lets {
    var plans: [LetPlan] = []
    var aggregates: [AggregateCall] = []
  }

  /// Reads the `let`s and adds their names; nil: one of them is wrong.
  private func readLets(_ names: inout Environment, _ by: Key) -> Lets? {
    guard let node = section.node("let"), let entries = context.map(node, "let") else { return nil }
    if entries.isEmpty { bag.error(node.range, "`let` names nothing", hint: "such as { n: count() }") }
    guard entries.count <= Self.letLimit else {
      bag.error(entries[Self.letLimit].name.range, "a rule has at most \(Self.letLimit) `let`s")
      names.isIncomplete = true
      return nil
    }
    let firstLet = source?.fields.count ?? 0
    let firstAggregate = firstLet + entries.count
    var lets = Lets()
    for (place, entry) in entries.enumerated() {
      let program = letProgram(entry, names, firstAggregate + lets.aggregates.count)
      guard isLetName(entry.name, by, names), let program, let type = program.program.type else {
        names.unusable.insert(entry.name.text)
        continue
      }
      lets.aggregates += program.aggregates
      lets.plans.append(LetPlan(name: entry.name.text, program: program.program))
      var variable = Environment.Variable(
        name: entry.name.text, type: type, slot: firstLet + place, isOptional: true, form: program.program.form)
      variable.isIntegerRatio = program.isIntegerRatio
      names.names.append(variable)
    }
    return lets.plans.count == entries.count && !entries.isEmpty ? lets : nil
  }

  private func letProgram(
    _ entry: (name: LocatedText, value: YAMLNode), _ names: Environment, _ firstAggregate: Int
  ) -> LetProgram? {
    guard let text = context.raw(entry.value, entry.name.text, "an expression") else { return nil }
    return context.expressions.letProgram(
      text, place: "\(title), let \(entry.name.text)", in: names, firstAggregateSlot: firstAggregate)
  }

  private func isLetName(_ name: LocatedText, _ by: Key, _ names: Environment) -> Bool {
    guard context.isName(name, of: "a `let`") else { return false }
    if by.names.contains(name.text) {
      bag.error(name.range, "`\(name.text)` is a name of `by` already")
      return false
    }
    if names.tables.contains(where: { $0.name == name.text }) {
      bag.error(name.range, "`\(name.text)` is a table", hint: "expressions could not tell them apart")
      return false
    }
    return true
  }
}
