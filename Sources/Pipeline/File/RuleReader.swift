internal import Configuration
internal import Detection
internal import Events
internal import Expressions
internal import Foundation

/// A rule that can be run, and what alerts say of it.
struct RuleModel {
  var plan: RulePlan
  var description: RuleDescription
  var identity: StateIdentity
  /// `mode: off` is checked and left out.
  var isOn: Bool
}

/// Reads one rule.
struct RuleReader {
  /// Most rules of a file.
  static let ruleLimit = 1_024
  /// Most parts of a key.
  static let keyLimit = 8
  /// Most fields that evidence shows.
  static let evidenceFieldLimit = 16

  let context: FileContext
  let section: SectionReader
  /// The rule as it stands in the file.
  let node: YAMLNode
  let source: SourceModel?
  let id: LocatedText?
  /// About one event.
  let environment: Environment
  var bag: DiagnosticBag { context.bag }
  var title: String { "rule \(id?.text ?? "at line \(section.range.line)")" }

  /// - Parameter source: nil where it is not clear which one is meant: expressions are not checked then.
  init(_ section: SectionReader, node: YAMLNode, id: LocatedText?, source: SourceModel?, _ context: FileContext) {
    self.section = section
    self.node = node
    self.id = id
    self.source = source
    self.context = context
    var environment = source?.environment ?? Environment()
    if Self.hasLaterKeys(section) || source == nil { environment.isIncomplete = true }
    self.environment = environment
  }

  private static func hasLaterKeys(_ section: SectionReader) -> Bool {
    section.keys.contains { section.declaration.setting($0.text)?.availability == .later }
  }

  /// nil: something is wrong, and told.
  func read() -> RuleModel? {
    let errors = bag.errorCount
    let isOn = context.choice(section, "mode", later: ["shadow", "signal"]) != "off"
    let isLater = section.keys.contains { RuleDeclaration.laterKinds.contains($0.text) }
    // A rule of another kind may mean something else by it.
    let by = isLater ? Key(isUnknown: true) : readBy()
    var environment = environment
    if by.isUnknown { environment.isIncomplete = true }
    let filters = context.expressions.conditions(
      section.expressions("where"), place: "\(title), where", in: environment)
    let exceptions = readExceptions(environment)
    guard !isLater else {
      // The rest can't be understood.
      _ = describe(entity: "")
      return nil
    }
    let isWindow = ["over", "per", "zone", "let", "condition"].contains { section.has($0) }
    let window = isWindow ? readWindow(by, environment) : nil
    if !isWindow { checkEventRule(by) }
    let saying = window?.environment ?? environment
    let severities = readSeverities(saying)
    let description = describe(entity: entity(by))
    let message = readMessage(saying, description.title)
    let limit = section.has("evidence") ? section.integer("evidence").map(Int.init) : 10
    let pending = duration("for", default: 0)
    let keepFiring = duration("keep_firing_for", default: 0)
    let updateEvery = duration("update_every", default: RuleDeclaration.updateEvery)
    guard bag.errorCount == errors, let id, let source, let message, let limit else { return nil }
    var plan = RulePlan(
      id: id.text, filters: filters, exceptions: exceptions, keySlots: by.slots,
      kind: window?.plan.map { .window($0) } ?? .event, severities: severities, message: message, pending: pending,
      keepFiring: keepFiring, updateEvery: updateEvery, evidenceLimit: limit)
    plan.evidenceSlots = evidenceSlots(plan, source)
    let asking = filters + plan.windowPrograms + severities.compactMap(\.condition)
    plan.addMemberships(of: source.derived(readBy: asking).map(\.program))
    let identity = StateIdentityReader(source, environment).identity(of: plan)
    plan.identity = identity.digest
    return RuleModel(plan: plan, description: description, identity: identity, isOn: isOn)
  }

  private func duration(_ name: String, default value: Int64) -> Int64 {
    section.has(name) ? section.duration(name) ?? value : value
  }

  // MARK: The event rule

  private func checkEventRule(_ by: Key) {
    if !section.has("where") {
      bag.error(
        section.range, "\(title) says neither `where` nor a window", hint: "an event rule needs `where: EXPRESSION`")
    }
    if section.has("for") {
      bag.error(
        section.keyRange("for"), "`for` goes with a window: one event holds for no time",
        hint: "give the rule `over` or `per`")
    }
    for setting in ["keep_firing_for", "update_every"] where section.has(setting) && !section.has("by") {
      bag.error(
        section.keyRange(setting), "`\(setting)` needs `by`",
        hint: "without it each event is an alert of its own, which nothing keeps open")
    }
  }

  // MARK: Exceptions

  private func readExceptions(_ environment: Environment) -> [ExceptionPlan] {
    section.sectionList("except").enumerated().compactMap { number, exception in
      let condition = context.expressions.conjunction(
        exception.expressions("where"), place: "\(title), exception \(number + 1)", in: environment)
      let reason = exception.string("reason")
      let until = exception.text("until").flatMap { text in
        context.read(text) { text throws(ScalarReader.Problem) in try EndOfException.nanoseconds(text) }
      }
      let ticket = exception.string("ticket")
      guard let condition, let reason else { return nil }
      return ExceptionPlan(condition: condition, reason: reason, ticket: ticket, until: until)
    }
  }

  // MARK: Telling

  private func readSeverities(_ environment: Environment) -> [SeverityStep] {
    guard let node = section.node("severity") else { return [SeverityStep(.medium)] }
    guard case .mapping(let ladder) = node else {
      return context.text(node, "severity").flatMap { severity($0) }.map { [SeverityStep($0)] } ?? []
    }
    if ladder.entries.isEmpty { bag.error(node.range, "the ladder has no step", hint: "such as { high: \"n >= 6\" }") }
    let steps = ladder.entries.compactMap { entry -> SeverityStep? in
      let severity = severity(LocatedText(text: entry.key.text, range: entry.key.range))
      let texts = SectionReader.expressions(entry.value, entry.key.text, bag)
      let condition = context.expressions.conjunction(
        texts, place: "\(title), severity \(entry.key.text)", in: environment)
      guard let severity, let condition else { return nil }
      return SeverityStep(severity, when: condition.text == "true" ? nil : condition)
    }
    return steps.sorted { $0.severity > $1.severity }
  }

  private func severity(_ text: LocatedText) -> Severity? {
    if let severity = Severity(name: text.text) { return severity }
    let names = Severity.allCases.map(\.name)
    let nearest = NearestName.find(text.text, among: names).map { "did you mean `\($0)`? " } ?? ""
    bag.error(
      text.range, "`\(text.text)` is no severity", hint: nearest + "valid are: \(names.joined(separator: ", "))")
    return nil
  }

  private func readMessage(_ environment: Environment, _ title: String) -> Template? {
    guard let node = section.node("message") else {
      let plain = title.replacing("{", with: "{{").replacing("}", with: "}}")
      return try? Template.compile(plain, in: environment)
    }
    guard let text = context.raw(node, "message", "a text") else { return nil }
    return context.expressions.template(text, place: "\(self.title), message", in: environment)
  }

  private func entity(_ by: Key) -> String {
    guard let slot = by.slots.first, let field = source?.fields[slot] else { return "event" }
    return field.entity ?? field.name.text
  }

  private func describe(entity: String) -> RuleDescription {
    RuleDescription(
      id: id?.text ?? "", version: "sha256:" + NodeDigest.hex(node),
      title: section.string("title") ?? id?.text ?? "", description: section.string("description"),
      crimes: section.texts("crime").map(\.text), tags: section.texts("tags").map(\.text),
      references: section.texts("references").map(\.text), runbook: section.string("runbook"),
      owner: section.string("owner"), risk: section.integer("risk").map(Int.init),
      action: section.has("action")
        ? section.choice("action").flatMap(RuleDescription.Action.init(rawValue:)) ?? .none : .none,
      window: ["over", "per"].first { section.has($0) }.flatMap { name in
        section.node(name).flatMap { if case .scalar(let scalar) = $0 { "\(name): \(scalar.text)" } else { nil } }
      }, entity: entity)
  }

  /// The key, then what has an entity, then what the rule reads.
  private func evidenceSlots(_ plan: RulePlan, _ source: SourceModel) -> [Int] {
    let programs =
      plan.filters + plan.windowPrograms + plan.severities.compactMap(\.condition) + plan.message.programs
    var slots = plan.keySlots + source.fields.indices.filter { source.fields[$0].entity != nil }
    slots += programs.flatMap { $0.slots.sorted() }.filter { $0 < source.fields.count }
    var seen: Set<Int> = []
    return Array(slots.filter { seen.insert($0).inserted }.prefix(Self.evidenceFieldLimit))
  }
}

/// When an exception ends.
enum EndOfException {
  /// The first moment at which it is no longer in force: the day after a date, or the time itself.
  static func nanoseconds(_ text: String) throws(ScalarReader.Problem) -> Int64 {
    let problem = ScalarReader.Problem(
      message: "`\(text)` is neither a date nor a time", hint: "2027-06-30, or 2027-06-30T12:00:00Z")
    let isDate = text.utf8.count == 10
    var bytes = Array((isDate ? text + "T00:00:00Z" : text).utf8)
    do throws(TimestampText.Problem) {
      let time = try bytes.withUnsafeMutableBufferPointer { buffer throws(TimestampText.Problem) in
        try TimestampText.nanoseconds(UnsafeBufferPointer(buffer))
      }
      let (end, overflow) = time.addingReportingOverflow(isDate ? PipelineDeclaration.day : 0)
      if overflow { throw .outOfRange }
      return end
    } catch {
      throw error == .malformed
        ? problem : ScalarReader.Problem(message: "`\(text)` is outside the years 1677 to 2262", hint: nil)
    }
  }
}
