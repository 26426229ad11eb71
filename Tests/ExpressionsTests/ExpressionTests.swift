import Events
import TestSupport
import Testing

@testable import Expressions

@Suite struct ExpressionTests {
  private let event = Environment(
    fields: [
      .init(name: "usd", type: .double, slot: 0), .init(name: "amount", type: .decimal(scale: 2), slot: 1),
      .init(name: "from", type: .string, slot: 2), .init(name: "type", type: .string, slot: 3),
      .init(name: "namespace", type: .string, slot: 4), .init(name: "n", type: .int, slot: 5),
      .init(name: "m", type: .int, slot: 6),
    ], params: ["limit": .double(10_000)],
    tables: [
      TableDeclaration(name: "sanctions", columns: [TableColumn(name: "program", type: .string)], hasElse: false)
    ])

  private func message(_ source: String, _ environment: Environment) -> String {
    do {
      _ = try Program.compile(source, in: environment)
      return ""
    } catch {
      return error.diagnostics.map { $0.message + ($0.hint.map { " | " + $0 } ?? "") }.joined(separator: "; ")
    }
  }

  @Test(arguments: [
    "usd > 25000", "amount > 10.50", "amount + 1 > 3", "usd >= 0.8 * params.limit && usd < params.limit",
    "type == 'a' && event.type == 'a'", "namespace == 'x'", "from in sanctions", "sanctions[from].program == 'X'",
    "[1, 2].exists(i, i > n)", "amount * 2 > 1", "double(amount) / usd > 0.5", "duration('30d') == duration('720h')",
    "duration('1w') == duration('168h')", "event.n + 1 > 2", "type(n) == int || true",
  ])
  func whatIsRightCompiles(_ source: String) { #expect(message(source, event) == "") }

  @Test(arguments: [
    ("usd > n", ""), ("usd == n", "there is no `double == int` | convert one side: double(...)"),
    ("amount > usd", "there is no `decimal(2) > double` | convert one side: double(...)"),
    ("usdd > 1", "there is no `usdd` | did you mean `usd`?"),
    ("event.usdd > 1", "the event has no field `usdd` | did you mean `event.usd`?"),
    ("from == 3", "there is no `string == int` | convert one side: string(...) or int(...)"),
    ("usd >", "the expression ends where a value is expected"),
    ("usd = 3", "`=` has no meaning here | equality is `==`"),
    ("params.limt > 1", "there is no parameter `limt` | did you mean `params.limit`?"),
    ("sanctions[from].progam == ''", "the table `sanctions` has no column `progam` | did you mean `program`?"),
    (
      "usdx > 1 && fromm == 'a'", "there is no `usdx` | did you mean `usd`?; there is no `fromm` | did you mean `from`?"
    ),
    ("from.matches('(')", "not a pattern of RE2: missing ): ("),
    ("stddev(usd) > 1", "`stddev` is not supported by this version"),
    ("sum(usd) > 1", "`sum` is an aggregate | give it a name under `let`, and use that name here"),
    ("contains(from, 'a')", "`contains` is not called in this way | write `from.contains('a')`"),
    ("lowerAscii(event.from) == 'a'", "`lowerAscii` is not called in this way | write `event.from.lowerAscii()`"),
    ("exists([1], i, i > n)", "`exists` is not called in this way | write `(...).exists(i, ...)`"),
    ("n.string() == '1'", "`string` is not called in this way | write `string(n)`"),
    ("n > 1 and m > 1", "`and` is no operator | and is `&&`"), ("n > 1 OR m > 1", "`OR` is no operator | or is `||`"),
    ("not n > 1", "`not` is no operator | not is `!`"), ("not (n > 1)", "there is no function `not` | not is `!`"),
    ("n > 1 && not from.contains('a')", "`not` is no operator | not is `!`"),
    ("from in nope", "there is no `nope` | there are the tables: sanctions"),
    ("from in sanction", "there is no `sanction` | did you mean `sanctions`?"),
    ("nope[from].program == 'X'", "there is no `nope` | there are the tables: sanctions"),
    ("amount in ['a']", "there is no `in(decimal(2), list(string))` | convert one side: string(...) or int(...)"),
    ("amount in [1, usd]", "there is no `decimal(2) == double` | convert one side: double(...)"),
    ("usd in [n, m]", "there is no `in(double, list(int))` | convert one side: double(...)"),
    ("Foo{a: 1}", "a message literal is not supported"), ("", "the expression is empty"),
  ])
  func whatIsWrongSaysSo(_ source: String, _ expected: String) { #expect(message(source, event) == expected) }

  /// As at `==`: literals and parameters, in a list too.
  @Test func numbersInListsArePromoted() throws {
    var environment = event
    environment.params["levels"] = .list([.int(1), .int(2)])
    let values: [Scalar] = [.double(2), .decimal(200, scale: 2)]
    let cells = try zip(environment.fields, values).map { try #require(ConstantCell($1, type: $0.type)) }
    let frame = Frame(count: 1, columns: cells.map(\.column))
    for (source, expected) in [
      ("usd in [1, 2]", true), ("amount in [1, 2]", true), ("amount in [1, 2.0]", true), ("amount in [1.5, 3]", false),
      ("usd in [1, 2.5]", false), ("usd in params.levels", true), ("amount in params.levels", true),
      ("2 in [usd, 7.5]", true), ("2 in [amount]", true), ("2.0 in [amount, 7]", true), ("!(amount in [])", true),
    ] {
      var hits: [TableHit] = []
      let value = try Program.compile(source, in: environment).value(frame, row: 0, hits: &hits).get()
      #expect(value.scalar == .bool(expected), "\(source)")
    }
  }

  @Test func aBareFieldAmongNamesIsHelped() {
    var names = event
    names.scope = .names
    names.names = [.init(name: "total", type: .double, slot: 7)]
    #expect(message("total > 1 && event.usd > 1", names) == "")
    #expect(
      message("usd > 1", names) == "`usd` belongs to one event | write `event.usd`, `max(usd)` or `latest(usd)`")
  }

  @Test func integerRatiosAreWarnedOf() throws {
    #expect(try Program.compile("n / m > 0", in: event).warnings.count == 1)
    #expect(try Program.compile("double(n) / double(m) > 0.5", in: event).warnings.isEmpty)
  }

  @Test(arguments: [
    ("count(n > 2) / count()", 1, true), ("count() > 0 ? count(n > 2) / count() : 0", 1, true),
    ("100 * count(n > 2) / count()", 1, true), ("count(n > 2) / count() * 100", 1, true),
    ("double(count(n > 2) / count())", 1, false), ("rate * 2", 0, true), ("-rate", 0, true),
    ("double(count(n > 2)) / double(count())", 0, false), ("count() / 60 * 60", 0, false),
    ("count() - 7 / 2", 0, false),
  ])
  func integerRatiosInLetsAreWarnedOf(_ source: String, _ count: Int, _ isRatio: Bool) throws {
    var names = event
    names.scope = .names
    var rate = Environment.Variable(name: "rate", type: .int, slot: 7)
    rate.isIntegerRatio = true
    names.names = [rate]
    let compiled = try LetProgram.compile(source, in: names, firstAggregateSlot: 8)
    #expect(compiled.program.warnings.count == count && compiled.isIntegerRatio == isRatio)
  }

  @Test(arguments: [
    ("rate > 0.7", 1), ("0.7 < rate", 1), ("rate * 2 > 0.5", 1), ("rate > params.share", 1), ("rate > 1", 0),
    ("n > 0.7", 0), ("rate >= 2.0", 0),
  ])
  func ratiosThatAreComparedWithFractionsAreWarnedOf(_ source: String, _ count: Int) throws {
    var names = event
    names.scope = .names
    names.names = [.init(name: "rate", type: .int, slot: 7), .init(name: "n", type: .int, slot: 8)]
    names.names[0].isIntegerRatio = true
    names.params["share"] = .double(0.5)
    #expect(try Program.compile(source, in: names).warnings.count == count)
  }

  @Test func integerRatiosInMessagesAreWarnedOf() throws {
    let template = try Template.compile("{n} of {m}: {n / m}, {double(n) / double(m)}", in: event)
    #expect(template.warnings.map(\.offset) == [13])
  }

  @Test func aggregatesAreTakenOutOfLets() throws {
    var names = event
    names.scope = .names
    names.names = [.init(name: "all", type: .int, slot: 7)]
    let ratio = try LetProgram.compile("double(count(n > 2)) / double(all)", in: names, firstAggregateSlot: 8)
    #expect(ratio.aggregates.map(\.text) == ["count(n > 2)"] && ratio.program.type == .double)
    #expect(ratio.program.slots == [7, 8])
    let total = try LetProgram.compile("sum(amount, from in sanctions)", in: names, firstAggregateSlot: 8)
    #expect(total.program.type == .decimal(scale: 2) && total.aggregates[0].filter?.text == "from in sanctions")
    #expect(throws: ExpressionError.self) { try LetProgram.compile("sum(from)", in: names, firstAggregateSlot: 8) }
    #expect(throws: ExpressionError.self) {
      try LetProgram.compile("percentile(usd, 0.9)", in: names, firstAggregateSlot: 8)
    }
  }

  @Test func conjunctsAndComparisonsKeepTheirText() throws {
    let program = try Program.compile("(usd + 1.0) * 2.0 > 3.0 && (n > 2 || m > 3) && from != 'a'", in: event)
    #expect(program.conjuncts.map(\.text) == ["(usd + 1.0) * 2.0 > 3.0", "n > 2 || m > 3", "from != 'a'"])
    let comparison = try #require(program.conjuncts[0].comparison)
    #expect(comparison.left.text == "(usd + 1.0) * 2.0" && comparison.operator == ">" && comparison.right.text == "3.0")
    // A part of a part: its text is cut from the part's own.
    let last = try #require(program.conjuncts[2].comparison)
    #expect(last.left.text == "from" && last.operator == "!=" && last.right.text == "'a'")
  }

  @Test func templatesShowValuesAndSurviveMissingOnes() throws {
    var random = SeededRandom(1)
    let sample = SampleFrame(rows: 1, &random)
    for (slot, value) in [(2, Scalar.double(27_300)), (0, .int(3)), (7, .decimal(1_250, scale: 2))] {
      let column = sample.frame.columns[slot]
      let cell = try #require(ConstantCell(value, type: column.type))
      withExtendedLifetime(cell) { cell.write(to: column, row: 0) }
    }
    sample.frame.columns[3].states[0] = CellState.absent.rawValue
    let template = try Template.compile("{i} of {{x}}: {x}, {m}, {y}, {'{' + '}'}", in: SampleFrame.environment)
    #expect(template.render(sample.frame, row: 0) == "3 of {x}: 27300, 12.50, ?, {}")
    #expect(throws: ExpressionError.self) { try Template.compile("{i", in: SampleFrame.environment) }
    #expect(throws: ExpressionError.self) { try Template.compile("{nope}", in: SampleFrame.environment) }
  }

  @Test func depthAndSizeAreBounded() {
    #expect(message(String(repeating: "(", count: 5_000) + "1" + String(repeating: ")", count: 5_000), event) != "")
    #expect(message(String(repeating: "!", count: 5_000) + "true", event) != "")
    #expect(message((0..<3_000).map { "n == \($0)" }.joined(separator: " || "), event) == "")
    #expect(message(String(repeating: "1 + ", count: 20_000) + "1", event) != "")
  }
}
