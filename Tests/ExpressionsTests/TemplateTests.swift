import Events
import TestSupport
import Testing

@testable import Expressions

@Suite struct TemplateTests {
  private let sample: SampleFrame

  init() throws {
    var random = SeededRandom(1)
    sample = SampleFrame(rows: 1, &random)
    let values: [(name: String, value: Scalar?)] = [
      ("i", .int(3)), ("x", .double(27_300)), ("s", .string("a\"b")), ("m", .decimal(1_250, scale: 2)), ("y", nil),
      ("ts", .timestamp(1_000_000_000_000_000_000)), ("age", .duration(90_000_000_000)), ("b", .bool(true)),
      ("is", .list([.int(1), .int(2)])),
    ]
    for (name, value) in values {
      let slot = try #require(SampleFrame.types.firstIndex { $0.name == name })
      let column = sample.frame.columns[slot]
      column.states[0] = CellState.absent.rawValue
      guard let value else { continue }
      let cell = try #require(ConstantCell(value, type: column.type))
      kept.append(cell)
      cell.write(to: column, row: 0)
    }
  }

  private var kept: [ConstantCell] = []

  @Test(arguments: [
    ("", ""), ("plain", "plain"), ("{i}", "3"), ("{i} of {x}: {m}", "3 of 27300: 12.50"), ("{{i}}", "{i}"),
    ("{{{i}}}", "{3}"), ("a }} b {{ c", "a } b { c"), ("{ i + 1 }", "4"), ("{y}", "?"), ("{i / 0}", "?"),
    ("{b ? 'yes' : 'no'}", "yes"), ("{'}'}", "}"), ("{'{'}", "{"), ("{\"}\"}", "}"), ("{'it\\'s }'}", "it's }"),
    ("{r'\\'}", "\\"), ("{'''a'b'''}", "a'b"), ("{ {'k': i}['k'] }", "3"),
    ("{ts}", "2001-09-09T01:46:40Z"), ("{age}", "90s"), ("{is}", "[1, 2]"), ("{s}", "a\"b"),
    ("\u{e9} {i} \u{1f6a8}", "\u{e9} 3 \u{1f6a8}"), ("{ {'a': 1} }", "?"), ("{i}{i}{i}", "333"),
    ("{i // } a comment\n}", "3"),
  ])
  func sentencesShowValues(_ source: String, _ expected: String) throws {
    #expect(try Template.compile(source, in: SampleFrame.environment).render(sample.frame, row: 0) == expected)
  }

  @Test(arguments: [
    ("{i", 0, "this `{` has no `}`"), ("ab {i + {", 3, "this `{` has no `}`"), ("a } b", 2, "this `}` has no `{`"),
    ("{}", 1, "the expression is empty"), ("\u{e9}{nope}", 3, "there is no `nope`"),
    ("{i +}", 3, "the expression ends where a value is expected"), ("{{'k': i}['k']}", 8, "this `}` has no `{`"),
    ("{'a}", 0, "this `{` has no `}`"),
  ])
  func mistakesStandWhereTheyAre(_ source: String, _ offset: Int, _ message: String) {
    do throws(ExpressionError) {
      _ = try Template.compile(source, in: SampleFrame.environment)
      Issue.record("\(source) compiles")
    } catch {
      #expect(error.diagnostics.first?.message == message, "\(source)")
      #expect(error.diagnostics.first?.offset == offset, "\(source)")
    }
  }

  @Test func allMistakesAreToldAtOnce() {
    #expect(throws: ExpressionError.self) { try Template.compile("{nope} {i} {none} }", in: SampleFrame.environment) }
    do throws(ExpressionError) {
      _ = try Template.compile("{nope} {i} {none} }", in: SampleFrame.environment)
    } catch {
      #expect(error.diagnostics.map(\.offset) == [1, 12, 18])
    }
  }

  @Test func warningsStandWhereTheyAre() throws {
    let template = try Template.compile("ratio {i / j > 1}", in: SampleFrame.environment)
    #expect(template.warnings.map(\.offset) == [7])
  }

  @Test func whatIsRenderedIsBounded() throws {
    let long = String(repeating: "\u{1f6a8}", count: 3_000)
    let text = try Template.compile("x\(long)", in: SampleFrame.environment).render(sample.frame, row: 0)
    #expect(text.utf8.count <= Template.renderedLimit && text.utf8.count > Template.renderedLimit - 8)
    #expect(text.hasPrefix("x\u{1f6a8}") && !text.contains("\u{fffd}"))
  }
}
