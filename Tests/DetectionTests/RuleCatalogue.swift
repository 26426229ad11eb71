import Events
import TestSupport

@testable import Detection

/// What random rules are made of: each expression with a function that says the same, slowly.
enum RuleCatalogue {
  // MARK: Values of one event

  typealias Field = @Sendable (TestEvent) -> Scalar?
  typealias Filter = (text: String, takes: @Sendable (TestEvent) -> Bool)

  private static let fields: [(text: String, read: Field)] = [
    ("n", { $0.scalar(3) }), ("x", { $0.scalar(4) }), ("m", { $0.scalar(5) }), ("s", { $0.scalar(6) }),
    ("w", { $0.scalar(7) }), ("b", { $0.scalar(8) }),
  ]

  private static let filters: [Filter] = [
    ("b", { $0.b == true }), ("n > 3", { ($0.n ?? .min) > 3 }), ("x < 2.0", { ($0.x ?? .infinity) < 2 }),
    ("has(s) && s != ''", { $0.s != nil && $0.s != "" }), ("j == 1", { $0.j == 1 }),
  ]

  // MARK: Aggregates

  static func randomLet(_ random: inout SeededRandom) -> LetSpec {
    let filter: Filter? = random.once(in: 3) ? random.pick(filters) : nil
    let (kind, field) = (random.int(0...9), random.pick(fields))
    if kind == 0 { return count(filter) }
    if kind == 1 { return shares(random.pick(filters)) }
    if kind == 2 { return distinct(field, filter) }
    if kind <= 5 {
      return random.once(in: 2)
        ? sum(fields[Int(random.int(0...2))], filter) : average(fields[Int(random.int(0...2))], filter)
    }
    return pick(random.pick(["min", "max", "earliest", "latest"]), field, filter)
  }

  private static func call(_ function: String, _ field: String?, _ filter: Filter?) -> String {
    "\(function)(\([field, filter?.text].compactMap { $0 }.joined(separator: ", ")))"
  }

  static func count(_ filter: Filter? = nil) -> LetSpec {
    LetSpec(text: call("count", nil, filter)) { window in
      .int(Int64(window.filter { filter?.takes($0.event) ?? true }.count))
    }
  }

  /// A `let` of two aggregates.
  private static func shares(_ filter: Filter) -> LetSpec {
    LetSpec(text: "double(\(call("count", nil, filter))) / double(count())") { window in
      .double(Double(window.filter { filter.takes($0.event) }.count) / Double(window.count))
    }
  }

  /// The values that an aggregate takes in, with their events.
  private static func taken(_ window: [WindowEvent], _ field: Field, _ filter: Filter?) -> [(WindowEvent, Scalar)] {
    window.compactMap { event in
      guard filter?.takes(event.event) ?? true, let value = field(event.event) else { return nil }
      return (event, value)
    }
  }

  static func distinct(_ field: (text: String, read: Field), _ filter: Filter?) -> LetSpec {
    LetSpec(text: call("count_distinct", field.text, filter)) { window in
      .int(Int64(Set(taken(window, field.read, filter).map(\.1)).count))
    }
  }

  private static func sum(_ field: (text: String, read: Field), _ filter: Filter?) -> LetSpec {
    LetSpec(text: call("sum", field.text, filter)) { window in
      let values = taken(window, field.read, filter)
      switch field.text {
      case "n": return .int(values.reduce(0) { $0 + int($1.1) })
      case "m": return .decimal(values.reduce(0) { $0 + decimal($1.1) }, scale: 2)
      default: return .double(doubleSum(values))
      }
    }
  }

  private static func average(_ field: (text: String, read: Field), _ filter: Filter?) -> LetSpec {
    LetSpec(text: call("avg", field.text, filter)) { window in
      let values = taken(window, field.read, filter)
      guard !values.isEmpty else { return nil }
      let count = Double(values.count)
      switch field.text {
      case "n": return .double(Double(values.reduce(0) { $0 + int($1.1) }) / count)
      case "m": return .double(Double(values.reduce(0) { $0 + decimal($1.1) }) / count / 100)
      default: return .double(doubleSum(values) / count)
      }
    }
  }

  /// Each granule in offset order, then the granules from the newest to the oldest.
  private static func doubleSum(_ values: [(WindowEvent, Scalar)]) -> Double {
    var total = 0.0
    for granule in Set(values.map(\.0.granule)).sorted().reversed() {
      var part = 0.0
      for (event, value) in values where event.granule == granule { part += double(value) }
      total += part
    }
    return total
  }

  private static func pick(_ function: String, _ field: (text: String, read: Field), _ filter: Filter?) -> LetSpec {
    LetSpec(text: call(function, field.text, filter)) { window in
      let values = taken(window, field.read, filter)
      switch function {
      case "min": return values.map(\.1).min { isLess($0, $1) }
      case "max": return values.map(\.1).max { isLess($0, $1) }
      case "earliest": return values.min { moment($0) < moment($1) }?.1
      default: return values.max { moment($0) < moment($1) }?.1
      }
    }
  }

  private static func moment(_ value: (WindowEvent, Scalar)) -> (Int64, Int64) {
    (value.0.event.time, value.0.event.offset)
  }

  private static func isLess(_ left: Scalar, _ right: Scalar) -> Bool {
    switch (left, right) {
    case (.string(let a), .string(let b)): Array(a.utf8).lexicographicallyPrecedes(Array(b.utf8))
    case (.bool(let a), .bool(let b)): !a && b
    case (.double(let a), .double(let b)): a < b
    case (.timestamp(let a), .timestamp(let b)): a < b
    case (.decimal, .decimal): decimal(left) < decimal(right)
    default: int(left) < int(right)
    }
  }

  private static func int(_ value: Scalar) -> Int64 {
    if case .int(let number) = value { return number }
    return 0
  }
  private static func double(_ value: Scalar) -> Double {
    if case .double(let number) = value { return number }
    return 0
  }
  private static func decimal(_ value: Scalar) -> Int128 {
    if case .decimal(let number, _) = value { return number }
    return 0
  }

  // MARK: Conditions

  /// `name operator threshold` over the `let` at a place; of a type that it fits.
  static func comparison(
    _ place: Int, _ symbol: String, _ threshold: Scalar, of text: String
  ) -> ConditionSpec {
    let name = RuleSpec.letName(place)
    let literal: String
    switch threshold {
    case .double(let number): literal = "\(number)"
    case .bool(let flag): literal = "\(flag)"
    case .string(let text): literal = "'\(text)'"
    case .timestamp(let time): literal = "timestamp('\(TimestampText.text(time))')"
    default: literal = threshold.text
    }
    return ConditionSpec(
      text: "\(name) \(symbol) \(literal)",
      holds: { values, _ in values[place].map { compare($0, symbol, threshold) } },
      observations: { values, _ in
        [
          Observation(
            text: "\(name) \(symbol) \(literal)", metric: name, observed: values[place], operator: symbol,
            threshold: threshold, of: text)
        ]
      })
  }

  private static func compare(_ left: Scalar, _ symbol: String, _ right: Scalar) -> Bool {
    switch symbol {
    case ">=": !isLess(left, right)
    case "<": isLess(left, right)
    case ">": isLess(right, left)
    case "==": !isLess(left, right) && !isLess(right, left)
    default: isLess(left, right) || isLess(right, left)
    }
  }

  /// A condition about the `let` at a place that is true now and then; `sample` is a value of it.
  static func randomCondition(_ place: Int, _ spec: LetSpec, _ random: inout SeededRandom) -> ConditionSpec {
    let threshold: Scalar
    switch spec.value(sampleWindow(&random)) ?? .bool(true) {
    case .int: threshold = .int(random.int(0...6))
    case .double: threshold = .double(Double(random.int(0...60)) / 10)
    case .decimal: threshold = .decimal(Int128(random.int(0...9) * 1_000 + 25), scale: 2)
    case .string: threshold = .string(random.pick(["a", "b", "z1"]))
    case .timestamp: threshold = .timestamp(random.int(0...99) * 1_000_000_000)
    default: threshold = .bool(true)
    }
    let symbols = threshold == .bool(true) ? ["==", "!="] : [">=", "<", ">", "==", "!="]
    return comparison(place, random.pick(symbols), threshold, of: spec.text)
  }

  /// Any window with a value for everything, so that a `let`'s type shows.
  private static func sampleWindow(_ random: inout SeededRandom) -> [WindowEvent] {
    (0..<Int64(40)).map { index in
      var event = TestEvent(offset: index, time: index)
      event.j = 1
      event.n = 5
      event.x = 1
      event.m = 100
      event.s = "a"
      event.w = 0
      event.b = true
      return WindowEvent(event: event, granule: 0)
    }
  }

  /// Both hold; two lines of the explanation.
  static func both(_ left: ConditionSpec, _ right: ConditionSpec) -> ConditionSpec {
    ConditionSpec(
      text: "\(left.text) && \(right.text)",
      holds: { values, event in
        let sides = (left.holds(values, event), right.holds(values, event))
        if sides.0 == false || sides.1 == false { return false }
        return sides.0 == true && sides.1 == true ? true : nil
      },
      observations: { left.observations($0, $1) + right.observations($0, $1) })
  }

  /// A condition about the event that just came, by its field `n`.
  static func eventCondition(_ symbol: String, _ threshold: Int64, name: String) -> ConditionSpec {
    ConditionSpec(
      text: "\(name) \(symbol) \(threshold)",
      holds: { _, event in event.n.map { compare(.int($0), symbol, .int(threshold)) } },
      observations: { _, event in
        [
          Observation(
            text: "\(name) \(symbol) \(threshold)", metric: name, observed: event.n.map { .int($0) }, operator: symbol,
            threshold: .int(threshold))
        ]
      })
  }

  /// A field that is a bool by itself.
  static let flag = ConditionSpec(
    text: "b", holds: { _, event in event.b }, observations: { _, _ in [Observation(text: "b")] })

  // MARK: Rules

  static func randomRule(_ span: WindowSpan?, unit: Int64, start: Int64, _ random: inout SeededRandom) -> RuleSpec {
    var rule: RuleSpec
    if let span {
      var lets = [random.once(in: 2) ? count() : randomLet(&random)]
      for _ in 0..<random.int(0...2) { lets.append(randomLet(&random)) }
      var conditions = [randomCondition(0, lets[0], &random)]
      if random.once(in: 3) {
        let place = Int(random.int(0...Int64(lets.count - 1)))
        conditions[0] = both(conditions[0], randomCondition(place, lets[place], &random))
      }
      if random.once(in: 4) { conditions.append(eventCondition(">", 0, name: "event.n")) }
      rule = RuleSpec(kind: .window(span, lets: lets, conditions: conditions))
      if random.once(in: 2) {
        rule.severities = [(.critical, randomCondition(0, lets[0], &random)), (.low, nil)]
      }
      if random.once(in: 6) { rule.severities = [(.high, eventCondition(">", 5, name: "event.n"))] }
    } else {
      rule = RuleSpec(kind: .event)
      rule.filters = [eventCondition(">", random.int(0...6), name: "n")]
      if random.once(in: 3) { rule.keySlots = [] }
      if random.once(in: 2) { rule.severities = [(.high, eventCondition(">", 7, name: "n")), (.low, nil)] }
    }
    if random.once(in: 3) { rule.filters.append(flag) }
    if rule.keySlots.count == 1, random.once(in: 4) { rule.keySlots = [1, 2] }
    if random.once(in: 3) {
      rule.exception = (eventCondition("==", 4, name: "n"), random.once(in: 2) ? nil : start + 100 * unit)
    }
    if random.once(in: 3) { rule.pending = random.int(0...6) * unit }
    if random.once(in: 2) { rule.keepFiring = random.int(0...12) * unit }
    rule.updateEvery = random.int(0...8) * unit
    rule.evidenceLimit = Int(random.int(0...5))
    return rule
  }
}
