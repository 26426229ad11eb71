import Detection
import Events
import Expressions
import Testing

@testable import Pipeline

/// Rules: kinds, keys, windows, names, severities, exceptions.
@Suite struct FileRuleTests {
  private func mistakes(_ rule: String) -> [String] {
    FileSupport.mistakes(FileSupport.file(tables: FileSupport.tables, rules: "- id: a\n  " + rule))
  }

  private func rule(_ text: String) throws -> (plan: PipelinePlan, rule: RulePlan) {
    let plan = try FileSupport.plan(FileSupport.file(rules: "- id: a\n  " + text))
    return (plan, try #require(plan.rules.first))
  }

  private func window(_ text: String) throws -> WindowPlan {
    guard case .window(let window) = try rule(text).rule.kind else { throw Missing() }
    return window
  }

  private struct Missing: Error {}

  @Test func rulesHaveDefaults() throws {
    let (plan, rule) = try rule("where: usd > 100")
    #expect(rule.keySlots == [] && rule.severities.map(\.severity) == [.medium] && rule.pending == 0)
    #expect(rule.keepFiring == 0 && rule.updateEvery == 300_000_000_000 && rule.evidenceLimit == 10)
    let description = plan.descriptions[0]
    #expect(description.title == "a" && description.entity == "event" && description.action == .none)
    #expect(description.window == nil && description.risk == nil && description.version.count == 7 + 64)
  }

  /// Fields, then lets, then aggregates in the order in which the lets name them.
  @Test func slotsOfLetsAndAggregates() throws {
    let (plan, rule) = try rule(
      """
      by: from
        over: 1h
        let:
          n: count()
          mean: double(sum(n)) / double(count(n > 1))
          twice: n * 2
          span: latest(ts) - earliest(ts)
        condition: [twice > 3, "mean > 1.5 && event.usd > 1.0"]
      """)
    guard case .window(let window) = rule.kind else { throw Missing() }
    let fields = plan.schema.fields.count
    #expect(window.firstLetSlot == fields && window.firstAggregateSlot == fields + 4)
    #expect(window.lets.map(\.name) == ["n", "mean", "twice", "span"])
    #expect(
      window.aggregates.map(\.text) == ["count()", "sum(n)", "count(n > 1)", "latest(ts)", "earliest(ts)"])
    #expect(window.lets[0].program.slots == [fields + 4])
    #expect(window.lets[1].program.slots == [fields + 5, fields + 6])
    #expect(window.lets[2].program.slots == [fields])
    #expect(window.lets[3].program.slots == [fields + 7, fields + 8])
    #expect(window.aggregates[1].argument?.slots == [try #require(plan.schema.slot(of: "n"))])
    #expect(window.conditions.count == 2)
    #expect(window.conditions[1].slots == [fields + 1, try #require(plan.schema.slot(of: "usd"))])
  }

  @Test(arguments: [
    ("over: 24h", WindowSpan.trailing(86_400_000_000_000)), ("per: 1h", .tumbling(3_600_000_000_000)),
    ("per: 1d", .calendar(.day, zone: "UTC")),
    ("per: 1w\n  zone: Europe/Berlin", .calendar(.week, zone: "Europe/Berlin")),
    ("per: 1mo", .calendar(.month, zone: "UTC")), ("per: 24h", .tumbling(86_400_000_000_000)),
    ("per: 7d", .tumbling(604_800_000_000_000)),
  ])
  func spans(_ text: String, _ span: WindowSpan) throws {
    #expect(try window("by: from\n  \(text)\n  let: { k: count() }\n  condition: k > 1").span == span)
  }

  @Test(arguments: [
    ("over: 1h\n  per: 1h", ["`over` and `per` exclude each other"]),
    ("over: 1ms", ["`over` lies between 1s and 3660d; here it is 1ms"]),
    ("per: 2y", ["`2y` is no duration"]), ("per: 500d", ["`per` lies between 1s and 366d; here it is 500d"]),
    ("per: 1d\n  zone: Europe/Berlim", ["there is no time zone `Europe/Berlim`"]),
    ("per: 1h\n  zone: Europe/Berlin", ["`zone` goes with `per: 1d`, `per: 1w` or `per: 1mo`"]),
    ("over: 1h\n  zone: Europe/Berlin", ["`zone` goes with `per: 1d`, `per: 1w` or `per: 1mo`"]),
  ])
  func wrongSpans(_ text: String, _ expected: [String]) {
    #expect(mistakes("by: from\n  \(text)\n  let: { k: count() }\n  condition: k > 1") == expected)
  }

  @Test(arguments: [
    ("by: from", ["rule a says neither `where` nor a window"]),
    ("where: n > 1\n  for: 5m", ["`for` goes with a window: one event holds for no time"]),
    ("where: n > 1\n  keep_firing_for: 5m", ["`keep_firing_for` needs `by`"]),
    ("where: n > 1\n  update_every: 5m", ["`update_every` needs `by`"]),
    ("over: 1h\n  let: { k: count() }\n  condition: k > 1", ["a window rule needs `by`"]),
    ("by: from\n  over: 1h\n  let: { k: count() }", ["a window rule needs `condition`"]),
    ("by: from\n  over: 1h\n  condition: event.n > 1", ["a window rule needs `let`"]),
    ("by: from\n  let: { k: count() }\n  condition: k > 1", ["`let` is about many events: the rule needs a window"]),
    ("where: n", ["a condition is a bool, and this is of type int"]),
    ("where: []", ["`where` is an expression or a list of expressions, not a list"]),
    ("where: n > 1\n  by: []", ["`by` names no field"]),
    ("where: n > 1\n  by: [from, from]", ["`from` stands twice in `by`"]),
    ("where: n > 1\n  by: fromm", ["there is no field `fromm`"]),
    ("where: n > 1\n  risk: 101", ["`risk` lies between 0 and 100; here it is 101"]),
    ("where: n > 1\n  evidence: 101", ["`evidence` lies between 0 and 100; here it is 101"]),
    ("where: n > 1\n  severity: hihg", ["`hihg` is no severity"]),
    ("where: n > 1\n  severity: {}", ["the ladder has no step"]),
    ("where: n > 1\n  severity: { high: n }", ["a condition is a bool, and this is of type int"]),
    ("where: n > 1\n  message: \"{nn}\"", ["there is no `nn`"]),
    ("where: n > 1\n  message: \"{n\"", ["this `{` has no `}`"]),
    ("where: n > 1\n  action: blok", ["`action` can't be `blok`"]),
    ("where: n > 1\n  whre: n > 1", ["`rule` has no setting `whre`"]),
    ("where: n > 1\n  source: other", ["there is no source `other`"]),
    ("where: sum(usd) > 1.0", ["`sum` is an aggregate"]),
  ])
  func wrongRules(_ rule: String, _ expected: [String]) { #expect(mistakes(rule) == expected) }

  @Test(arguments: [
    ("k: count(), usd: sum(usd)", "usd > 1.0", []), ("k: count()", "usd > 1.0", ["`usd` belongs to one event"]),
    ("k: count()", "from == 'a' && k > 1", []),
    ("from: count()", "k > 1", ["`from` is a name of `by` already", "there is no `k`"]),
    ("rates: count()", "rates > 1", ["`rates` is a table"]),
    ("k: count(), b: kk + 1", "b > 1 && k > 1", ["there is no `kk`"]),
    ("b: k + 1, k: count()", "b > 1", ["there is no `k`"]),
    ("k: sum(asset)", "k > 1", ["there is no `sum` of a string"]),
    ("k: ~", "k > 1", ["`k` is an expression, not nothing"]),
    (
      "params: count()", "1 > 0", ["a `let` can't be called `params`: `params` has a meaning of its own in expressions"]
    ),
  ])
  func names(_ lets: String, _ condition: String, _ expected: [String]) {
    #expect(mistakes("by: from\n  over: 1h\n  let: { \(lets) }\n  condition: \(condition)") == expected)
  }

  @Test func everyExpressionOfAnEventRuleIsAboutTheEvent() throws {
    let (plan, rule) = try rule(
      "where: usd > 1\n  by: from\n  severity: { high: usd > 100, low: \"true\" }\n  message: \"{from}: {usd} {event.asset}\""
    )
    #expect(rule.severities.map(\.severity) == [.high, .low])
    #expect(rule.severities[1].condition == nil)
    // The key, then what has an entity, then what is read.
    #expect(rule.evidenceSlots.map { plan.schema.fields[$0].name } == ["from", "to", "usd", "asset"])
    #expect(plan.descriptions[0].entity == "wallet")
  }

  @Test func evidenceHasABound() throws {
    let extra = (0..<30).map { "\n      f\($0): { at: /f\($0), type: int }" }.joined()
    let rule = "- id: a\n  where: \((0..<30).map { "f\($0) > 0" }.joined(separator: " && "))\n  by: from"
    let plan = try FileSupport.plan(FileSupport.file(fields: FileSupport.fields + extra, rules: rule))
    #expect(plan.rules[0].evidenceSlots.count == 16)
    #expect(Set(plan.rules[0].evidenceSlots).count == 16)
  }

  @Test func exceptions() throws {
    let (_, rule) = try rule(
      """
      where: n > 1
        except:
          - { where: "from == 'a'", reason: hot wallet, until: 2027-06-30, ticket: FC-118 }
          - { where: [n > 5, usd > 1.0], reason: other, until: "2027-06-30T12:00:00+02:00" }
          - { where: n > 9, reason: always }
      """)
    // 2027-07-01T00:00:00Z, and 2027-06-30T10:00:00Z.
    #expect(rule.exceptions.map(\.until) == [1_814_400_000_000_000_000, 1_814_349_600_000_000_000, nil])
    #expect(rule.exceptions.map(\.ticket) == ["FC-118", nil, nil])
    #expect(rule.exceptions[1].condition.conjuncts.count == 2)
    #expect(mistakes("where: n > 1\n  except: [{ where: n > 2 }]") == ["`exception` needs `reason`"])
    #expect(
      mistakes("where: n > 1\n  except: [{ where: n > 2, reason: x, until: 2027-13-01 }]")
        == ["`2027-13-01` is neither a date nor a time"])
  }

  @Test func listsOfConditionsMayHoldComments() throws {
    let (_, rule) = try rule(
      "where: n > 1\n  severity:\n    high: [\"n > 5 // many\", n < 100]")
    #expect(rule.severities[0].condition?.conjuncts.count == 2)
  }

  @Test func rulesThatAreOffAreCheckedAndLeftOut() throws {
    let rules = "- { id: a, where: n > 1, mode: off }\n- { id: b, where: n > 1 }"
    let plan = try FileSupport.plan(FileSupport.file(rules: rules))
    #expect(plan.rules.map(\.id) == ["b"] && plan.descriptions.map(\.id) == ["b"])
    #expect(
      FileSupport.mistakes(FileSupport.file(rules: rules.replacing("n > 1, mode", with: "nn > 1, mode"))).count == 1)
  }

  @Test func idsAreWordsAndStandOnce() {
    #expect(
      FileSupport.mistakes(FileSupport.file(rules: "- { id: a b, where: n > 1 }")) == ["`a b` is no rule's id"])
    let twice = FileSupport.mistakes(FileSupport.file(rules: "- { id: a, where: n > 1 }\n- { id: a, where: n > 2 }"))
    #expect(twice.count == 1 && twice[0].hasPrefix("the rule `a` stands twice; the first time on line"))
    #expect(FileSupport.mistakes(FileSupport.file(rules: "- { where: n > 1 }")) == ["`rule` needs `id`"])
    #expect(FileSupport.mistakes(FileSupport.file(rules: "[]")).count == 1)
  }

  /// A rule's version follows what it says, not how it is laid out.
  @Test func versions() throws {
    func version(_ rule: String) throws -> String {
      try FileSupport.plan(FileSupport.file(rules: rule)).descriptions[0].version
    }
    let first = try version("- { id: a, where: n > 1 }")
    #expect(try version("- id: a # a comment\n  where: \"n > 1\"") == first)
    #expect(try version("- { id: a, where: n > 2 }") != first)
    #expect(try version("- { id: a, where: n > 1, title: x }") != first)
  }

  @Test func aRatioOfTwoIntsIsAWarningOfTheCheck() throws {
    let rules =
      "- id: a\n  by: from\n  over: 1h\n  let: { rate: \"count(n > 1) / count()\" }\n  condition: rate > 0.7\n"
      + "  message: \"{event.n / event.n}\""
    let (plan, messages) = FileSupport.read(FileSupport.file(rules: rules))
    #expect(plan != nil && messages.count == 3 && messages.allSatisfy { $0.hasPrefix("warning: ") })
    #expect(messages[1].contains("`rate` is a whole number"), "\(messages)")
  }

  @Test func warningsOfExpressionsAreWarningsOfTheCheck() {
    let rule = "- id: a\n  by: from\n  over: 1h\n  let: { k: count(), b: count(n > 1) }\n  condition: b / k > 0"
    let (plan, messages) = FileSupport.read(FileSupport.file(rules: rule))
    #expect(plan != nil)
    #expect(messages.count == 1 && messages[0].hasPrefix("warning: both sides of this `/` are ints"))
  }

  @Test func expressionsAreExplained() throws {
    let plan = try FileSupport.plan(
      FileSupport.file(
        rules: "- id: a\n  by: from\n  over: 1h\n  where: n > 1\n  let: { k: count() }\n  condition: [k > 1, k < 9]"))
    #expect(
      plan.expressions.map(\.place) == [
        "field usd, value", "rule a, where", "rule a, let k", "rule a, condition 1", "rule a, condition 2",
      ])
    #expect(plan.expressions.map(\.type) == ["double", "bool", "int", "bool", "bool"])
    #expect(plan.expressions.map(\.text) == ["double(amount) * 2.0", "n > 1", "count()", "k > 1", "k < 9"])
    #expect(plan.expressions.map(\.line).sorted() == plan.expressions.map(\.line))
  }
}
