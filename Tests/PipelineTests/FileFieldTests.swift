import Events
import Expressions
import TestSupport
import Testing

@testable import Pipeline

/// Sources, fields, derived fields.
@Suite struct FileFieldTests {
  private func with(_ field: String) -> String { FileSupport.file(fields: FileSupport.fields + "\n      \(field)") }

  @Test(arguments: [
    ("string", FieldType.string), ("int", .int), ("double", .double), ("bool", .bool),
    ("decimal(0)", .decimal(scale: 0)),
    ("decimal(38)", .decimal(scale: 38)), ("timestamp_s", .timestamp(.seconds)),
    ("timestamp_us", .timestamp(.microseconds)),
    ("timestamp_ns", .timestamp(.nanoseconds)), ("timestamp_rfc3339", .timestamp(.rfc3339)), ("address", .address),
    ("ip", .ip), ("list(string)", .list(.string)), ("list(decimal(2))", .list(.decimal(scale: 2))),
  ])
  func types(_ text: String, _ type: FieldType) throws {
    let plan = try FileSupport.plan(with("x: { at: /x, type: \(text) }"))
    #expect(plan.schema.fields.last?.type == type)
    #expect(FieldTypeText.name(type) == text)
  }

  @Test(arguments: [
    ("strin", "did you mean `string`?"), ("decimal(39)", "0 to 38"), ("decimal(-1)", "0 to 38"),
    ("decimal", "decimal(2)"),
    ("timestamp", "say the unit"), ("list(list(int))", "can't be lists"), ("list(x)", "valid are"),
    ("list", "list(string)"),
    ("decimal(2", "valid are"),
  ])
  func wrongTypes(_ text: String, _ hint: String) {
    let messages = FileSupport.read(with("x: { at: /x, type: \"\(text)\" }")).messages
    #expect(messages.count == 1 && messages[0].contains("is no type") && messages[0].contains(hint), "\(messages)")
  }

  @Test(arguments: [
    ("/a/b", Field.Origin.pointer(["a", "b"])), ("/a~1b/~0", .pointer(["a/b", "~"])), ("/", .pointer([""])),
    ("/a/0", .pointer(["a", "0"])), ("$key", .key), ("$headers/h", .header("h")),
  ])
  func places(_ text: String, _ origin: Field.Origin) throws {
    let plan = try FileSupport.plan(with("x: { at: \(text), type: string }"))
    #expect(plan.schema.fields.last?.origin == origin)
  }

  @Test(arguments: [
    ("a.b", "`a.b` is no JSON Pointer"), ("/a~2", "`~` stands alone"), ("$keys", "`$keys` is no part of a record"),
    ("$headers/", "is no part of a record"), ("\"\"", "is no JSON Pointer"), ("\"/a\\0\"", "a zero byte"),
    ("/asset", "the field `asset` stands at the same place"),
  ])
  func wrongPlaces(_ text: String, _ message: String) {
    let mistakes = FileSupport.mistakes(with("x: { at: \(text), type: string }"))
    #expect(mistakes.count == 1 && mistakes[0].contains(message), "\(mistakes)")
  }

  @Test(arguments: [
    ("at: $offset, type: int", true), ("at: $offset, type: string", false), ("at: $topic, type: string", true),
    ("at: $partition, type: double", false), ("at: $timestamp, type: timestamp_ms", true),
    ("at: $timestamp, type: int", false), ("at: $key, type: int", true),
    ("at: $key, type: list(string)", false), ("at: $headers/h, type: list(int)", false),
    ("at: /h, type: list(int)", true),
  ])
  func partsOfARecordHaveTheirType(_ field: String, _ isRight: Bool) {
    #expect(FileSupport.mistakes(with("x: { \(field) }")).isEmpty == isRight)
  }

  @Test(arguments: [
    ("type: bool, default: false", Scalar.bool(false)), ("type: int, default: -3", .int(-3)),
    ("type: decimal(2), default: \"12.5\"", .decimal(1250, scale: 2)), ("type: string, default: \"\"", .string("")),
    ("type: timestamp_rfc3339, default: 1970-01-02", .timestamp(86_400_000_000_000)),
    ("type: list(int), default: [1, 2]", .list([.int(1), .int(2)])), ("type: double, default: \"${D}\"", .double(1.5)),
  ])
  func defaults(_ field: String, _ value: Scalar) throws {
    let plan = try FileSupport.plan(with("x: { at: /x, \(field) }"), environment: ["D": "1.5"])
    #expect(plan.schema.fields.last?.absence == .defaultValue(value))
  }

  @Test(arguments: [
    (
      "x: { at: /x, type: int, default: many }",
      "`default` is not of the field's type: `many` is not a whole number (int)"
    ),
    ("x: { at: /x, type: int, default: 1, optional: true }", "`optional` and `default` exclude each other"),
    ("x: { at: /x, value: n, type: int }", "`at` and `value` exclude each other"),
    ("x: { type: int }", "the field `x` needs `at` or `value`"), ("x: { at: /x }", "`field` needs `type`"),
    ("x: { at: /x, type: list(int), default: 1 }", "`default` is a list, as the field is, not a value"),
    ("1x: { at: /x, type: int }", "`1x` is no name for a field"),
    (
      "event: { at: /x, type: int }", "a field can't be called `event`: `event` has a meaning of its own in expressions"
    ),
    ("x: { at: /x, type: int, entity: \"a b\" }", "`a b` is no kind of thing"),
    ("x: { at: /x, typ: int, type: int }", "`field` has no setting `typ`"),
    ("x: { type: int, value: n * 1.5 }", "there is no `int * double`"),
    ("x: { type: double, value: n }", "the field is declared as double, and this is of type int"),
    ("x: { type: string, value: usd }", "the field is declared as string, and this is of type double"),
    ("x: { type: ip, value: \"'localhost'\" }", "the field is declared as ip, and this text is none"),
    (
      "x: { type: bool, value: \"from == 'no one'\" }",
      "`no one` is no address: it has a character that no address has, so nothing is equal to it"
    ),
    ("x: { type: int, value: \"int('abc')\" }", "`abc` is no int"),
    ("x: { type: double, value: sum(usd) }", "`sum` is an aggregate"),
    ("x: { type: double, value: [usd, usd] }", "`value` is an expression, not a list"),
  ])
  func wrongFields(_ field: String, _ message: String) { #expect(FileSupport.mistakes(with(field)) == [message]) }

  @Test func aWrittenNumberIsPromoted() throws {
    let plan = try FileSupport.plan(with("x: { type: double, value: 3 }"))
    #expect(plan.derived.last?.program.type == .double)
  }

  @Test func derivedFieldsStandInAnOrderThatFindsWhatItReads() throws {
    let fields =
      FileSupport.fields
      + "\n      c: { type: double, value: b + a }\n      b: { type: double, value: a * 2.0 }"
      + "\n      a: { type: double, value: usd + 1.0 }"
    let plan = try FileSupport.plan(FileSupport.file(fields: fields))
    #expect(plan.derived.map { plan.schema.fields[$0.slot].name } == ["usd", "a", "b", "c"])
  }

  @Test func aCircleIsToldByName() {
    let fields =
      FileSupport.fields + "\n      c: { type: double, value: b + 1.0 }\n      b: { type: double, value: a + 1.0 }"
      + "\n      a: { type: double, value: c + b }\n      d: { type: double, value: c }"
    #expect(
      FileSupport.mistakes(FileSupport.file(fields: fields))
        == ["these fields are computed from each other: `b` from `a` from `b`"]
        || FileSupport.mistakes(FileSupport.file(fields: fields))
          == ["these fields are computed from each other: `c` from `b` from `a` from `c`"]
    )
    #expect(
      FileSupport.mistakes(with("x: { type: double, value: x + 1.0 }"))
        == ["these fields are computed from each other: `x` from `x`"])
  }

  /// Any acyclic graph of derived fields is put into order.
  @Test func randomGraphsAreOrdered() throws {
    var random = SeededRandom(7)
    for _ in 0..<20 {
      let count = Int.random(in: 2...12, using: &random)
      let rank = (0..<count).shuffled(using: &random)
      var fields = FileSupport.fields
      for field in 0..<count {
        let reads = (0..<count).filter { rank[$0] < rank[field] && Bool.random(using: &random) }.map { "f\($0)" }
        fields += "\n      f\(field): { type: double, value: \(([ "usd"] + reads).joined(separator: " + ")) }"
      }
      let plan = try FileSupport.plan(FileSupport.file(fields: fields))
      var done: Set<Int> = []
      let derived = Set(plan.derived.map(\.slot))
      #expect(derived.count == count + 1)
      for field in plan.derived {
        #expect(field.program.slots.intersection(derived).isSubset(of: done))
        done.insert(field.slot)
      }
    }
  }

  @Test(arguments: [
    ("time: { field: n }", "the time field `n` is of no timestamp type"),
    ("time: { field: tss }", "there is no field `tss`"),
    ("time: { field: when }", "the time field `when` may be missing"),
    ("time: { field: made }", "the time field `made` is computed"), ("time: {}", "`time` needs `field`"),
    ("time: { field: ts, out_of_order: -5s }", "`-5s` is no duration"),
    ("time: { field: ts, idle: 1ms }", "`idle` lies between 1s and 7d; here it is 1ms"),
  ])
  func time(_ time: String, _ message: String) {
    let fields =
      FileSupport.fields + "\n      when: { at: /when, type: timestamp_s, optional: true }"
      + "\n      made: { type: timestamp_s, value: ts }"
    let source = FileSupport.source.replacing("time: { field: ts }", with: time)
    #expect(FileSupport.mistakes(FileSupport.file(source: source, fields: fields)) == [message])
  }

  @Test func sourcesHaveDefaults() throws {
    let plan = try FileSupport.plan(FileSupport.file())
    #expect(
      plan.source
        == SourcePlan(
          name: "transfers", topic: "transfers", key: "from", outOfOrder: 5_000_000_000, idle: 30_000_000_000))
    #expect(plan.schema.timeField == 0)
  }

  @Test func aSourceWithoutAKeyIsAWarning() throws {
    let source = FileSupport.source.replacing("    key: from\n", with: "")
    let (plan, messages) = FileSupport.read(FileSupport.file(source: source))
    #expect(plan?.source.key == nil && plan != nil)
    #expect(messages.count == 1 && messages[0].hasPrefix("warning: the source `transfers` does not say"))
    let wrong = FileSupport.source.replacing("key: from", with: "key: fromm")
    #expect(FileSupport.mistakes(FileSupport.file(source: wrong)) == ["there is no field `fromm`"])
  }
}
