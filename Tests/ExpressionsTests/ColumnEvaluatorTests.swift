import Events
import TestSupport
import Testing

@testable import Expressions

/// Columns and rows agree on every expression: on values, and on where there is none.
@Suite struct ColumnEvaluatorTests {
  @Test(arguments: [UInt64](1...6))
  func randomConditionsGiveTheSameByColumnAndByRow(_ seed: UInt64) throws {
    var maker = ExpressionMaker(random: SeededRandom(seed))
    var compiled = 0
    for _ in 0..<300 {
      let source = maker.bool(3)
      guard let program = try? Program.compile(source, in: SampleFrame.environment) else { continue }
      compiled += 1
      compare(program, &maker.random)
    }
    #expect(compiled > 130, "most of the random expressions are of the right types: \(compiled)")
  }

  @Test(arguments: [UInt64](11...16))
  func randomValuesGiveTheSameByColumnAndByRow(_ seed: UInt64) throws {
    var maker = ExpressionMaker(random: SeededRandom(seed))
    var types: Set<String> = []
    for _ in 0..<400 {
      let source = maker.any(2)
      guard let program = try? Program.compile(source, in: SampleFrame.environment), program.type != nil else {
        continue
      }
      types.insert(program.typeName)
      compare(program, &maker.random)
    }
    #expect(types.isSuperset(of: ["bool", "int", "uint", "double", "string", "timestamp", "duration", "list(int)"]))
  }

  @Test(
    arguments: SampleFrame.types.map(\.name) + [
      "i + j", "x * y - 1", "double(m)", "raw + b'\\xfe'", "b'\\xff'", "b ? m : n",
    ])
  func columnsOfEveryTypeAgree(_ source: String) throws {
    var random = SeededRandom(8)
    for _ in 0..<5 { compare(try Program.compile(source, in: SampleFrame.environment), &random) }
  }

  /// Times that CEL has and 64 bits do not, and money that only fits its own scale.
  @Test(arguments: [
    "ts > timestamp('0001-01-01T00:00:00Z')", "ts < timestamp('9999-01-01T00:00:00Z')",
    "ts + duration('2400000h') > ts", "ts - duration('2400000h') < at", "gap + age < duration('3000000h')",
    "at - ts < duration('0s')", "(b ? m : n) > 1.5", "double(b ? m : n) > 1.5", "(b ? ts + age : at) == ts",
    "m + n > 0", "m * 100 >= n", "-m < n",
  ])
  func whatColumnsCannotHoldIsComparedAllTheSame(_ source: String) throws {
    var random = SeededRandom(9)
    for _ in 0..<10 { compare(try Program.compile(source, in: SampleFrame.environment), &random) }
  }

  private func compare(_ program: Program, _ random: inout SeededRandom) {
    let rows = 24
    let sample = SampleFrame(rows: rows, &random)
    let selection = Selection(capacity: rows)
    for row in 0..<rows where Int.random(in: 0..<4, using: &random) > 0 { selection.append(Int32(row)) }
    let evaluator = program.evaluator(capacity: rows)
    let column = evaluator.evaluate(sample.frame, rows: selection)
    var truths: [Int] = []
    for row in selection.indices {
      var hits: [TableHit] = []
      let byRow = try? program.value(sample.frame, row: row, hits: &hits).get()
      let expected = byRow.flatMap { held($0, column.type) }
      let found = column.state(row) == .value ? cell(column, row) : nil
      let areSame = expected.flatMap { a in found.map { b in same(a, b) } } ?? (expected == nil && found == nil)
      #expect(areSame, "\(program.text), row \(row): \(String(describing: byRow)), \(String(describing: found))")
      if case .bool(true)? = byRow { truths.append(row) }
    }
    guard program.type == .bool else { return }
    let kept = Selection(capacity: rows)
    let errors = evaluator.filter(sample.frame, rows: selection, into: kept)
    #expect(kept.indices == truths, "\(program.text)")
    #expect(errors == selection.indices.filter { column.scalar($0) == nil }.count)
  }

  /// The value as a column of the type would hold it; nil where it can't.
  private func held(_ value: Value, _ type: ColumnType) -> Value? {
    if case .bytes = value { return value }
    guard let scalar = value.scalar, let cell = ConstantCell(scalar, type: type) else { return nil }
    return cell.column.scalar(0).map { Value($0) }
  }

  private func cell(_ column: Column, _ row: Int) -> Value? {
    if column.type == .bytes { return .bytes(Array(column.views[row].buffer)) }
    return column.scalar(row).map { Value($0) }
  }

  private func same(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.double(let x), .double(let y)): x == y || x.isNaN && y.isNaN
    case (.list(let x), .list(let y)): x.count == y.count && zip(x, y).allSatisfy { same($0, $1) }
    default: Equality.areEqual(a, b)
    }
  }
}
