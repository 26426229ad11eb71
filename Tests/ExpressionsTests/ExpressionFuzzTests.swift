import Events
import Foundation
import TestSupport
import Testing

@testable import Expressions

/// Random and mutated sources: lexer, parser, checker and evaluation never trap; what can't be used is refused with a place.
@Suite struct ExpressionFuzzTests {
  private static let alphabet = Array(
    "()[]{}'\".,?:!&|<>=+-*/%ux0123e\\`abin_ \n\t\u{e9}\u{1f6a8}$@#~^;".utf8)

  @Test func randomTextNeverTraps() {
    var random = SeededRandom(1)
    for _ in 0..<4_000 {
      let count = Int.random(in: 0..<40, using: &random)
      let bytes = (0..<count).map { _ in
        Bool.random(using: &random) ? random.pick(Self.alphabet) : UInt8.random(in: 0...255, using: &random)
      }
      check(String(decoding: bytes, as: UTF8.self), nil)
    }
  }

  @Test func mutatedExpressionsNeverTrap() {
    var maker = ExpressionMaker(random: SeededRandom(9))
    let sample = SampleFrame(rows: 2, &maker.random)
    for _ in 0..<3_000 {
      let source = maker.any(3)
      check(mutated(source, &maker.random), sample)
    }
  }

  @Test(.enabled(if: ConformanceTests.file != nil, "the conformance file is not here"))
  func mutatedTestsOfTheSpecificationNeverTrap() throws {
    var random = SeededRandom(10)
    let text = try String(contentsOf: #require(ConformanceTests.file), encoding: .utf8)
    for line in text.split(separator: "\n") {
      let test = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let source = try #require(test?["expr"] as? String)
      for _ in 0..<3 { check(mutated(source, &random), nil) }
    }
  }

  private func mutated(_ source: String, _ random: inout SeededRandom) -> String {
    var bytes = Array(source.utf8)
    for _ in 0...Int.random(in: 0..<3, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(random.pick(Self.alphabet), at: place)
      case 3: bytes.removeSubrange(place...)
      case 4: bytes.insert(contentsOf: bytes[place...], at: Int.random(in: 0...place, using: &random))
      default:
        bytes.replaceSubrange(place..<(place + 1), with: random.pick(["9223372036854775807", "-", "1e308", "m"]).utf8)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Compiles, and evaluates what compiles; whatever is said about it stands within the source.
  private func check(_ source: String, _ sample: SampleFrame?) {
    var environment = SampleFrame.environment
    for scope in [Environment.Scope.event, .names] {
      environment.scope = scope
      do throws(ExpressionError) {
        let program = try Program.compile(source, in: environment)
        var hits: [TableHit] = []
        if let sample { _ = program.value(sample.frame, row: 0, hits: &hits) }
        for part in program.conjuncts { #expect(source.contains(part.text)) }
      } catch {
        #expect(!error.diagnostics.isEmpty)
        for diagnostic in error.diagnostics {
          #expect(diagnostic.offset >= 0 && diagnostic.offset <= source.utf8.count, "\(source)")
          #expect(diagnostic.offset + diagnostic.length <= source.utf8.count + 1, "\(source): \(diagnostic)")
          #expect(!diagnostic.message.isEmpty)
        }
      }
    }
    _ = try? Template.compile(source, in: environment)
    _ = try? LetProgram.compile(source, in: environment, firstAggregateSlot: 50)
  }

  // MARK: Depth and size

  private func compiles(_ source: String) -> Bool {
    (try? Program.compile(source, in: SampleFrame.environment)) != nil
  }

  @Test(arguments: [100, 1_000, 20_000, 100_000])
  func deepNestingIsRefused(_ depth: Int) {
    func nested(_ open: String, _ inner: String, _ close: String) -> String {
      String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
    }
    #expect(!compiles(nested("(", "1", ")")))
    #expect(!compiles(nested("[", "1", "]")))
    #expect(!compiles(nested("{1: ", "1", "}")))
    #expect(!compiles(nested("!", "true", "")))
    #expect(!compiles(nested("-", "i", "")))
    #expect(!compiles(nested("size(", "'a'", ")")))
    #expect(!compiles(nested("b ? true : ", "b", "")))
    #expect(!compiles(nested("is[", "0", "]")))
    #expect(!compiles(nested("(", "", "")))
  }

  /// The deepest trees that are let through can be evaluated: long chains within each other.
  @Test func theDeepestExpressionsAreEvaluated() throws {
    let chain = "i" + String(repeating: " + 0", count: 500)
    let long = try Program.compile(chain + " >= 0 || true", in: SampleFrame.environment)
    var random = SeededRandom(3)
    let sample = SampleFrame(rows: 4, &random)
    var hits: [TableHit] = []
    #expect(throws: Never.self) { _ = try long.value(sample.frame, row: 0, hits: &hits).get() }
    let all = Selection(capacity: 4)
    all.selectAll(4)
    #expect(long.evaluator(capacity: 4).filter(sample.frame, rows: all, into: Selection(capacity: 4)) == 0)
    var deep = chain
    for _ in 0..<20 { deep = "(" + deep + ")" + String(repeating: " + 0", count: 400) }
    #expect(!compiles(deep))
    var wide = "i"
    for _ in 0..<90 { wide = "(" + wide + " + 1)" }
    #expect(compiles(wide))
  }

  @Test func longChainsOfConditionsAreFine() {
    #expect(compiles((0..<3_000).map { "i == \($0)" }.joined(separator: " || ")))
    #expect(!compiles((0..<20_000).map { "i == \($0)" }.joined(separator: " || ")))
  }
}

/// Numbers and times at the edge of what fits: an error value, never a trap and never a wrapped result.
@Suite struct ExtremeValueTests {
  private func value(_ source: String) -> String {
    do throws(ExpressionError) {
      let program = try Program.compile(source, in: SampleFrame.environment)
      var random = SeededRandom(1)
      var hits: [TableHit] = []
      switch program.value(SampleFrame(rows: 1, &random).frame, row: 0, hits: &hits) {
      case .success(let value): return value.scalar?.text ?? value.typeName
      case .failure(let error): return "error: \(error)"
      }
    } catch {
      return "refused: \(error)"
    }
  }

  @Test(arguments: [
    ("-9223372036854775808 / -1", "error: the result does not fit"),
    ("-9223372036854775808 % -1", "error: the result does not fit"),
    ("-(-9223372036854775808)", "error: the result does not fit"), ("1 / 0", "error: division by zero"),
    ("9223372036854775807 + 1", "error: the result does not fit"), ("0u - 1u", "error: the result does not fit"),
    ("math.abs(-9223372036854775807 - 1)", "error: the result does not fit"),
    ("int(9223372036854775807.0)", "error: the result does not fit"), ("int(1e300)", "error: the result does not fit"),
    ("int(0.0 / 0.0)", "error: the result does not fit"), ("uint(-0.5)", "error: the result does not fit"),
    ("uint(1.8446744073709552e19)", "error: the result does not fit"), ("uint(-0.0)", "0"),
    ("math.bitShiftLeft(1, 64)", "0"), ("math.bitShiftRight(-1, 63)", "1"),
    ("math.bitShiftLeft(1, 9223372036854775807)", "0"),
    ("math.bitShiftLeft(1, -1)", "error: a shift by a negative distance"),
    ("1e400", "refused: the number is larger than a double can be"),
    ("9223372036854775808", "refused: the number does not fit 64 bits with a sign"),
    ("18446744073709551616u", "refused: the number does not fit 64 bits"),
    ("0x", "refused: the number does not fit 64 bits"),
    ("'abc'.substring(-1)", "error: the text has no such part"),
    ("'abc'.substring(2, 1)", "error: the text has no such part"),
    ("'abc'.charAt(-9223372036854775808)", "error: the text has no such place"),
    ("'aaa'.replace('a', 'b', -9223372036854775808)", "bbb"), ("'aaa'.replace('a', 'b', 2)", "bba"),
    ("'a,b,c'.split(',', -9223372036854775808)", "[a, b, c]"), ("'a,b,c'.split(',', 2)", "[a, b,c]"),
    ("'abc'.indexOf('c', 9223372036854775807)", "error: the text has no such place"),
    ("[1][9223372036854775807]", "error: the list has no such place"), ("[1][-1]", "error: the list has no such place"),
    ("duration('99999999999999999999999999999w')", "error: `99999999999999999999999999999w` is no duration"),
    ("duration('0.9999999999999999999999999s')", "0.999999999s"),
    ("duration('9999999999999h')", "error: the duration is longer than 10,000 years"),
    ("duration('9999999999999999999h')", "error: the result does not fit"),
    ("-duration('87660000h') - duration('87660000h')", "error: the duration is longer than 10,000 years"),
    ("string(timestamp('1570-01-01T00:00:00Z'))", "1570-01-01T00:00:00Z"),
    ("string(timestamp('1500-06-01T00:00:00.5Z'))", "1500-06-01T00:00:00.5Z"),
    ("string(timestamp('2300-01-01T00:00:00Z'))", "2300-01-01T00:00:00Z"),
    ("string(timestamp('9999-12-31T23:59:59.999999999Z'))", "9999-12-31T23:59:59.999999999Z"),
    ("string(timestamp('0001-01-01T00:00:00Z'))", "0001-01-01T00:00:00Z"),
    ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "error: the time lies outside the years 1 to 9999"),
    ("timestamp('+123-01-01T00:00:00Z')", "error: `+123-01-01T00:00:00Z` is no RFC 3339 time"),
    ("timestamp(9223372036854775807)", "error: the time lies outside the years 1 to 9999"),
    ("timestamp('2026-01-01T00:00:00Z').getHours('+1:30')", "error: there is no time zone `+1:30`"),
    ("'a'.matches('(a{1000}){1000}')", "refused: not a pattern of RE2: bad repetition argument: (a{1000}){1000}"),
    ("params.most * params.most * params.most * params.most", "10000.00000000"),
  ])
  func whatDoesNotFitIsAnError(_ source: String, _ expected: String) {
    let found = value(source)
    #expect(
      found == expected || expected.hasPrefix("refused: not a pattern") && found.hasPrefix("refused: not a pattern"))
  }

  @Test func everyTimeReadsBackAsItIsShown() throws {
    var random = SeededRandom(2)
    let first: Int128 = -62_135_596_800 * 1_000_000_000
    let last: Int128 = 253_402_300_799 * 1_000_000_000
    for _ in 0..<5_000 {
      let time = Int128.random(in: first...last, using: &random)
      #expect(try TimeParts.parse(TimeParts.text(time)) == time)
    }
  }

  @Test func durationsReadBackAsTheyAreShown() throws {
    var random = SeededRandom(4)
    for _ in 0..<2_000 {
      let time = Int128.random(in: -315_576_000_000_000_000_000...315_576_000_000_000_000_000, using: &random)
      #expect(try DurationText.parse(DurationText.text(time)) == time)
    }
  }

  /// Each step makes the text many times longer: it ends in an error, not in all the memory there is.
  @Test func whatGrowsWithoutBoundIsAnError() {
    let replacing = "'aaaaaaaaaa'" + String(repeating: ".replace('', 'bbbbbbbbbb')", count: 60)
    #expect(value(replacing) == "error: the result is too large")
    var doubling = "'0123456789'"
    for _ in 0..<40 { doubling = "[\(doubling)].map(k, k + k)[0]" }
    #expect(value(doubling) == "error: the result is too large")
    let joined =
      "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(k, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(l, 'abcdefgh').join()"
      + String(repeating: ".replace('', 'abcdefghij')", count: 4) + ").join()"
      + String(repeating: ".replace('', 'abcdefghij')", count: 9)
    #expect(value(joined) == "error: the result is too large")
    #expect(
      value(
        "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, "
          + "[1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, a + b > 0))))))")
        == "error: the expression takes too many steps")
  }
}
