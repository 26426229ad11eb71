import Events
import Testing

@testable import Expressions

/// Columns and rows agree on every expression: on values, and on where there is none.
@Suite struct ColumnEvaluatorTests {
  @Test func randomExpressionsGiveTheSameByColumnAndByRow() throws {
    var random = SeededRandom(7)
    var compiled = 0
    for _ in 0..<1_500 {
      let source = ExpressionMaker.bool(&random, 3)
      guard let program = try? Program.compile(source, in: SampleFrame.environment) else { continue }
      compiled += 1
      compare(program, &random)
    }
    #expect(compiled > 1_000, "most of the random expressions are of the right types: \(compiled)")
  }

  @Test(arguments: ["i + j", "x * y - 1", "double(m)", "s", "listed[s].rate", "b ? x : y", "m", "s + t", "i / j", "ts"])
  func valuesOfEveryTypeAgree(_ source: String) throws {
    var random = SeededRandom(8)
    compare(try Program.compile(source, in: SampleFrame.environment), &random)
  }

  private func compare(_ program: Program, _ random: inout SeededRandom) {
    let rows = 40
    let sample = SampleFrame(rows: rows, &random)
    let selection = Selection(capacity: rows)
    for row in 0..<rows where Int.random(in: 0..<4, using: &random) > 0 { selection.append(Int32(row)) }
    let evaluator = program.evaluator(capacity: rows)
    let column = evaluator.evaluate(sample.frame, rows: selection)
    var truths: [Int] = []
    for row in selection.indices {
      var hits: [TableHit] = []
      let byRow = try? program.value(sample.frame, row: row, hits: &hits).get()
      let byColumn = column.scalar(row).map { Value($0) }
      let areSame = byRow.flatMap { a in byColumn.map { b in same(a, b) } } ?? (byRow == nil && byColumn == nil)
      #expect(areSame, "\(program.text), row \(row): \(String(describing: byRow)), \(String(describing: byColumn))")
      if case .bool(true)? = byRow { truths.append(row) }
    }
    guard program.type == .bool else { return }
    let kept = Selection(capacity: rows)
    let errors = evaluator.filter(sample.frame, rows: selection, into: kept)
    #expect(kept.indices == truths, "\(program.text)")
    #expect(errors == selection.indices.filter { column.scalar($0) == nil }.count)
  }

  private func same(_ a: Value, _ b: Value) -> Bool {
    if case .double(let x) = a, case .double(let y) = b { return x == y || x.isNaN && y.isNaN }
    return Equality.areEqual(a, b)
  }
}

/// Random expressions that are mostly of the right types.
enum ExpressionMaker {
  static func bool(_ random: inout SeededRandom, _ depth: Int) -> String {
    let choice = Int.random(in: 0..<(depth > 0 ? 14 : 7), using: &random)
    switch choice {
    case 0: return "b"
    case 1: return "has(event.\(pick(["s", "i", "x", "m"], &random)))"
    case 2: return "\(string(&random)) \(pick(["==", "!=", "<", ">="], &random)) \(string(&random))"
    case 3: return "\(pick(["s", "t"], &random)) in \(pick(["listed", "['a', 'bb']", "params.words"], &random))"
    case 4: return "s.\(pick(["contains", "startsWith", "endsWith"], &random))(\(pick(["'a'", "t", "''"], &random)))"
    case 5: return "s.matches('^a.?\(pick(["c", "b", "$"], &random))')"
    case 6: return "ts > timestamp('2001-09-09T01:46:40Z')"
    case 7: return "\(int(&random, depth - 1)) \(order(&random)) \(int(&random, depth - 1))"
    case 8: return "\(double(&random, depth - 1)) \(order(&random)) \(double(&random, depth - 1))"
    case 9: return "m \(order(&random)) \(pick(["1", "2.50", "0.001", "m"], &random))"
    case 10: return "!(\(bool(&random, depth - 1)))"
    case 11: return "(\(bool(&random, depth - 1)) && \(bool(&random, depth - 1)))"
    case 12: return "(\(bool(&random, depth - 1)) || \(bool(&random, depth - 1)))"
    default: return "(\(bool(&random, depth - 1)) ? \(bool(&random, depth - 1)) : \(bool(&random, depth - 1)))"
    }
  }

  private static func int(_ random: inout SeededRandom, _ depth: Int) -> String {
    if depth <= 0 || Bool.random(using: &random) {
      return pick(["i", "j", "1", "0", "-7", "size(s)", "int(x)"], &random)
    }
    return "(\(int(&random, depth - 1)) \(pick(["+", "-", "*", "/", "%"], &random)) \(int(&random, depth - 1)))"
  }

  private static func double(_ random: inout SeededRandom, _ depth: Int) -> String {
    if depth <= 0 || Bool.random(using: &random) {
      return pick(["x", "y", "2.5", "params.limit", "listed[s].rate", "double(i)", "double(m)", "3"], &random)
    }
    return "(\(double(&random, depth - 1)) \(pick(["+", "-", "*", "/"], &random)) \(double(&random, depth - 1)))"
  }

  private static func string(_ random: inout SeededRandom) -> String {
    pick(["s", "t", "'ab'", "s + t", "string(i)"], &random)
  }
  private static func order(_ random: inout SeededRandom) -> String {
    pick(["==", "!=", "<", "<=", ">", ">="], &random)
  }
  private static func pick(_ words: [String], _ random: inout SeededRandom) -> String {
    words.randomElement(using: &random) ?? ""
  }
}
