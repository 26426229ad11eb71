import Events
import Testing

@testable import Expressions

/// In a file, an argument with which an expression can never have a value is a mistake, told where it stands.
@Suite struct ConstantErrorTests {
  private static let environment = {
    var environment = Environment(
      fields: [
        .init(name: "ts", type: .timestamp, slot: 0), .init(name: "s", type: .string, slot: 1),
        .init(name: "n", type: .int, slot: 2), .init(name: "is", type: .list(.int), slot: 3),
      ], params: ["levels": .list([.int(1), .int(2)]), "zone": .string("Mars/Base"), "none": .int(0)])
    environment.refusesConstantErrors = true
    return environment
  }()

  /// `^` stands before the place.
  @Test(arguments: [
    (
      "ts - ts > duration(^'5 minutes')",
      "`5 minutes` is no duration | such as duration('5m'); the units are ns, us, ms, s, m, h, d, w"
    ),
    (
      "ts > timestamp(^'2026-13-01T00:00:00Z')",
      "`2026-13-01T00:00:00Z` is no RFC 3339 time | such as timestamp('2026-01-01T00:00:00Z')"
    ),
    ("ts.getHours(^'Europe/Berln') > 20", "there is no time zone `Europe/Berln` | did you mean `Europe/Berlin`?"),
    (
      "ts.getHours(^params.zone) > 20",
      "there is no time zone `Mars/Base` | a name of the tz database, such as 'Europe/Berlin', or '+02:00'"
    ),
    ("n > int(^'abc')", "`abc` is no int"), ("double(n) > double(^'1,5')", "`1,5` is no double"),
    ("bool(^'yes')", "`yes` is no bool"), ("n / ^0 > 1", "a division by zero has no value"),
    ("n % ^params.none == 1", "a division by zero has no value"), ("1u / ^0u == 1u", "a division by zero has no value"),
    ("n > ^9223372036854775807 + 1", "this never has a value: the result does not fit"),
    ("n > ^int(1e300)", "this never has a value: the result does not fit"),
    ("s.substring(^-1) == 'a'", "a place in a text is 0 or more"),
    ("s.substring(4, ^2) == 'a'", "this part of a text ends before it begins"),
    ("s.charAt(^-1) == 'a'", "a place in a text is 0 or more"),
    ("math.bitShiftLeft(n, ^-1) > 1", "a shift by a negative distance has no value"),
    ("is[^-1] > 1", "a place in a list is 0 or more"),
    ("n > ^params.levels[7]", "this never has a value: the list has no such place"),
    // Also where it would not be reached.
    ("n > 3 || ts > timestamp(^'today')", "`today` is no RFC 3339 time | such as timestamp('2026-01-01T00:00:00Z')"),
  ])
  func whatCanNeverHaveAValueIsRefused(_ marked: String, _ message: String) {
    let source = marked.replacing("^", with: "")
    let offset = marked.utf8.prefix { $0 != UInt8(ascii: "^") }.count
    do throws(ExpressionError) {
      _ = try Program.compile(source, in: Self.environment)
      Issue.record("\(source) compiles")
    } catch {
      #expect(error.diagnostics.map { $0.message + ($0.hint.map { " | \($0)" } ?? "") } == [message])
      #expect(error.diagnostics.map(\.offset) == [offset])
    }
  }

  @Test(arguments: [
    "duration('5m') < duration('1d')", "ts.getHours('+02:00') > 20", "ts.getHours('Europe/Berlin') > 20",
    "ts.getHours(s) > 20", "n / 2 > 0", "1.0 / 0.0 > 1.0", "s.replace('a', 'b', -1) == 'b'", "int('12') == n",
    "s.substring(2, 4) == 'a'", "params.levels[1] > n", "is[0] > 1", "s.split(',', -1)[0] == 'a'",
  ])
  func whatCanHaveOneIsRight(_ source: String) throws {
    #expect(throws: Never.self) { try Program.compile(source, in: Self.environment) }
  }

  /// Whoever asks what CEL says hears it.
  @Test func elsewhereItIsAnErrorValue() throws {
    var environment = Self.environment
    environment.refusesConstantErrors = false
    for source in ["int('abc') == n", "n / 0 == 1", "ts.getHours('Europe/Berln') > 20", "is[-1] > 1"] {
      #expect(throws: Never.self) { try Program.compile(source, in: environment) }
    }
  }
}
