import Events
import Expressions

@testable import Detection

/// A named value of a window, as text for the detector and as a function for the reference model.
struct LetSpec: Sendable {
  var text: String
  /// Of the window's events in order of arrival, each with the number of its granule.
  var value: @Sendable ([WindowEvent]) -> Scalar?
}

/// An event in a window of the reference model.
struct WindowEvent {
  var event: TestEvent
  var granule: Int128
}

/// A condition, as text and as a function of the `let`s and the event. A name `$` stands for the `let` it is about.
struct ConditionSpec: Sendable {
  var text: String
  var holds: @Sendable ([Scalar?], TestEvent) -> Bool?
  /// What the explanation says of it: one part for each `&&`.
  var observations: @Sendable ([Scalar?], TestEvent) -> [Observation]
}

/// A rule in both shapes.
struct RuleSpec {
  enum Kind {
    case event
    case window(WindowSpan, lets: [LetSpec], conditions: [ConditionSpec])
  }

  var id = "r"
  var identity: [UInt8]?
  var kind: Kind
  var keySlots: [Int] = [1]
  var filters: [ConditionSpec] = []
  var exception: (condition: ConditionSpec, until: Int64?)?
  /// Gravest first; the last always holds.
  var severities: [(severity: Severity, condition: ConditionSpec?)] = [(.medium, nil)]
  var pending: Int64 = 0
  var keepFiring: Int64 = 0
  var updateEvery: Int64 = 0
  var evidenceLimit = 4
  var evidenceSlots = [3, 6]

  static func letName(_ place: Int) -> String { "a\(place)" }

  /// The message: each name with its value.
  private var messageText: String {
    switch kind {
    case .event: "{k} {n}"
    case .window(_, let lets, _):
      lets.indices.map { "\(Self.letName($0)) {\(Self.letName($0))}" }.joined(separator: ", ")
    }
  }

  /// The message as the reference model says it.
  func message(_ values: [Scalar?], _ event: TestEvent) -> String {
    switch kind {
    case .event: "\(event.k ?? "?") \(event.n.map(String.init) ?? "?")"
    case .window:
      values.enumerated().map { "\(Self.letName($0.offset)) \($0.element?.readableText ?? "?")" }.joined(
        separator: ", ")
    }
  }

  private static func environment(_ schema: Schema) -> Environment {
    Environment(
      fields: schema.fields.enumerated().map {
        Environment.Variable(
          name: $1.name, type: $1.type.columnType, slot: $0, isOptional: $1.absence == .optional)
      })
  }

  /// What the pipeline file's reader makes of the rule. Its slots are those of `TestEvent.schema`; in another schema, the
  /// fields of these names are meant.
  func plan(in schema: Schema = TestEvent.schema) throws -> RulePlan {
    let fields = Self.environment(schema)
    let moved = { (slot: Int) in schema.slot(of: TestEvent.schema.fields[slot].name) ?? -1 }
    let keySlots = self.keySlots.map(moved)
    var names = fields
    var kind = RulePlan.Kind.event
    if case .window(let span, let lets, let conditions) = self.kind {
      names.scope = .names
      names.names = keySlots.map { fields.fields[$0] }
      let firstLetSlot = fields.fields.count
      let firstAggregateSlot = firstLetSlot + lets.count
      var aggregates: [AggregateCall] = []
      var plans: [LetPlan] = []
      for (place, spec) in lets.enumerated() {
        let compiled = try LetProgram.compile(
          spec.text, in: names, firstAggregateSlot: firstAggregateSlot + aggregates.count)
        aggregates += compiled.aggregates
        plans.append(LetPlan(name: Self.letName(place), program: compiled.program))
        guard let type = compiled.program.type else { throw Unusable(text: spec.text) }
        names.names.append(
          Environment.Variable(name: Self.letName(place), type: type, slot: firstLetSlot + place, isOptional: true))
      }
      let environment = names
      kind = .window(
        WindowPlan(
          span: span, aggregates: aggregates, firstAggregateSlot: firstAggregateSlot, lets: plans,
          firstLetSlot: firstLetSlot, conditions: try conditions.map { try Program.compile($0.text, in: environment) }))
    }
    let environment = names
    return RulePlan(
      id: id, filters: try filters.map { try Program.compile($0.text, in: fields) },
      exceptions: try exception.map {
        [
          ExceptionPlan(
            condition: try Program.compile($0.condition.text, in: fields), reason: "test", until: $0.until)
        ]
      } ?? [],
      keySlots: keySlots, kind: kind,
      severities: try severities.map { step in
        SeverityStep(step.severity, when: try step.condition.map { try Program.compile($0.text, in: environment) })
      },
      message: try Template.compile(messageText, in: environment), pending: pending, keepFiring: keepFiring,
      updateEvery: updateEvery, evidenceLimit: evidenceLimit, evidenceSlots: evidenceSlots.map(moved),
      identity: identity)
  }

  struct Unusable: Error { var text: String }
}
