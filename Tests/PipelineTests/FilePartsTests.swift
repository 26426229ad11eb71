import Configuration
import Detection
import Events
import Expressions
import Tables
import Testing

@testable import Pipeline

/// Tables, outputs, properties, limits, parameters, the environment.
@Suite struct FilePartsTests {
  private func table(_ body: String) -> String {
    FileSupport.file(
      tables: "tables:\n  t: { \(body) }", rules: "- { id: a, where: asset in t }")
  }

  @Test func tables() throws {
    let plan = try FileSupport.plan(
      table(
        "load: { file: a/b.csv, format: csv, max_shrink: 10%, delimiter: \";\" }, key: { type: address, at: wallet }, "
          + "columns: { usd: double, day: { type: timestamp, at: Day } }, else: { usd: 0, day: ~ }, kind: reference"))
    #expect(
      plan.tables == [
        TableSource(
          name: "t", path: "dir/a/b.csv", format: .csv, key: .address, keyColumn: "wallet",
          columns: [
            TableSourceColumn(name: "usd", type: .double),
            TableSourceColumn(name: "day", at: "Day", type: .timestamp(.rfc3339)),
          ], else: ["usd": "0"], kind: .reference, maxShrink: 0.1, delimiter: UInt8(ascii: ";"))
      ])
    let plain = try FileSupport.plan(table("load: { file: /b.txt, format: text }, key: string"))
    #expect(plain.tables == [TableSource(name: "t", path: "/b.txt", format: .text, key: .string)])
  }

  @Test(arguments: [
    ("load: { file: a, format: cvs }, key: string", "`format` can't be `cvs`"),
    ("load: { file: a, format: csv }", "`table` needs `key`"),
    ("load: { file: a }, key: string", "`load` needs `format`"),
    ("load: { format: csv }, key: string", "`load` needs `file`"),
    ("load: { file: a, format: csv }, key: adress", "`key` can't be `adress`"),
    ("load: { file: a, format: csv, max_shrink: 200% }, key: string", "`max_shrink` is a share, not `200%`"),
    ("load: { file: a, format: csv, overflow: b }, key: string", "`overflow` goes with `format: ofac-sdn`"),
    ("load: { file: a, format: csv, delimiter: ab }, key: string", "`delimiter` is one ASCII character, or `tab`"),
    ("load: { file: a, format: text, delimiter: tab }, key: string", "`delimiter` goes with `format: csv`"),
    ("load: { file: a, format: csv }, key: string, columns: { a: list(int) }", "a table's column can't be a list"),
    ("load: { file: a, format: csv }, key: string, columns: [a]", "`columns` is a map of names, not a list"),
    ("load: { file: a, format: csv }, key: string, columns: { a: int }, else: { b: 1 }", "the table has no column `b`"),
    (
      "load: { file: a, format: csv }, key: string, columns: { a: int }, else: { a: x }",
      "this is not of the column's type: `x` is not a whole number (int)"
    ),
    (
      "load: { file: a, format: ofac-sdn }, key: address, columns: { entty: string }",
      "a list of this format has no `entty`"
    ),
    (
      "load: { file: a, format: ofac-sdn }, key: string",
      "the table `t`: ofac-sdn is keyed by address: write `key: address`"
    ),
    (
      "load: { file: a, format: text }, key: string, columns: { a: int }",
      "the table `t`: a text list has keys only, so no column `a`: use format csv or ndjson"
    ),
    ("load: { file: a, format: csv }, key: string, kind: watch", "`kind` can't be `watch`"),
  ])
  func wrongTables(_ body: String, _ message: String) { #expect(FileSupport.mistakes(table(body)) == [message]) }

  @Test func outputs() throws {
    let plan = try FileSupport.plan(
      FileSupport.file(
        outputs: "{ alerts: { topic: a, source: //x.example/tocsin/ }, late: { topic: l }, dead_letter: { topic: d } }")
    )
    #expect(plan.outputs == OutputsPlan(alerts: "a", alertSource: "//x.example/tocsin", late: "l", deadLetter: "d"))
    let least = try FileSupport.plan(FileSupport.file())
    #expect(least.outputs == OutputsPlan(alerts: "alerts", alertSource: "//localhost/tocsin"))
  }

  @Test(arguments: [
    ("{ alerts: { topic: transfers } }", "`transfers` is the source's topic: the pipeline would read what it writes"),
    ("{ alerts: { topic: a }, late: { topic: a } }", "`a` is the topic of another output"),
    ("{ alerts: { topic: a/b } }", "`a/b` is no topic's name"), ("{ late: { topic: a } }", "`outputs` needs `alerts`"),
    ("{ alerts: {} }", "`alerts` needs `topic`"),
    ("{ alerts: { topic: a, source: \"a b\" } }", "`a b` is no source of alerts"),
    ("alerts", "`outputs` is a section (keys and values), not a value"),
  ])
  func wrongOutputs(_ outputs: String, _ message: String) {
    #expect(FileSupport.mistakes(FileSupport.file(outputs: outputs)) == [message])
  }

  @Test(arguments: [
    "isolation.level", "enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset", "transactional.id",
    "enable.idempotence", "enable.partition.eof",
  ])
  func propertiesThatThePromiseRestsOnAreRefused(_ name: String) throws {
    let refusal = try #require(LibrdkafkaProperties.refusal(of: name))
    #expect(
      FileSupport.mistakes(FileSupport.file(tail: "librdkafka: { \(name): x }"))
        == ["`\(name)` can't be set: \(refusal.reason)"])
  }

  @Test func propertiesAndSecrets() throws {
    let tail =
      "librdkafka: { group.id: g, group.instance.id: i, sasl.password: \"${PASSWORD}\", x: \"${Y:-z}\", d: \"$${D}\" }"
    let plan = try FileSupport.plan(FileSupport.file(tail: tail), environment: ["PASSWORD": "a: #b"])
    #expect(
      plan.properties == ["group.id": "g", "group.instance.id": "i", "sasl.password": "a: #b", "x": "z", "d": "${D}"])
    #expect(FileSupport.mistakes(FileSupport.file(tail: tail)) == ["the environment has no variable `PASSWORD`"])
  }

  /// What the Kafka library says of properties stands at their places, and of what may be secret nothing is shown.
  @Test func wrongPropertiesAreTold() throws {
    let check = PropertyCheck(
      faults: { properties in
        properties.keys.sorted().compactMap { name in
          switch name {
          case "linger.ms": PropertyCheck.Fault(property: name, isUnknown: false, answer: "a number, please")
          case "sasl.pasword", "isolation":
            PropertyCheck.Fault(property: name, isUnknown: true, answer: "no such thing")
          default: nil
          }
        }
      }, names: { ["linger.ms", "sasl.password", "isolation.level"] }, together: { _ in "odd" })
    let tail = "librdkafka: { isolation: a, sasl.pasword: geheim, linger.ms: never, sasl.username: auch }"
    let text = FileSupport.file(tail: tail)
    let read = PipelineFile.read(bytes: Array(text.utf8), path: "p.yaml", environment: [:], properties: check)
    #expect(read.plan == nil)
    let found = read.diagnostics.diagnostics
    #expect(
      found.map(\.message) == [
        "librdkafka refuses `isolation`: no such thing", "librdkafka refuses `sasl.pasword`: no such thing",
        "librdkafka refuses the value of `linger.ms`: a number, please",
      ])
    // What may not be set at all is not proposed.
    #expect(found.map(\.hint) == [nil, "did you mean `sasl.password`?", nil])
    #expect(found.map(\.range.column) == [15, 29, 62])
    let report = read.diagnostics.rendered()
    #expect(report.contains("sasl.pasword: ******, linger.ms: never, sasl.username: **** }"), "\(report)")
    // Together they are judged once each is right.
    let right = FileSupport.file(tail: "librdkafka: { group.id: g }")
    let together = PipelineFile.read(bytes: Array(right.utf8), path: "p.yaml", environment: [:], properties: check)
    #expect(together.plan == nil)
    #expect(together.diagnostics.rendered().contains(":1: error: librdkafka refuses these properties together: odd"))
  }

  /// Expressions and messages keep their braces.
  @Test func theEnvironmentStaysOutOfExpressions() throws {
    let rule = "- { id: a, where: \"asset == '${X}'\", message: \"${n}\", title: \"${T}\" }"
    let plan = try FileSupport.plan(FileSupport.file(rules: rule), environment: ["T": "title", "X": "no"])
    #expect(plan.expressions.contains { $0.text == "asset == '${X}'" })
    #expect(plan.rules[0].message.programs.map(\.text) == ["n"])
    #expect(plan.descriptions[0].title == "title")
    let params = FileSupport.file(
      head: "params:\n  limit: \"${L:-5}\"\n  other: ${L:-5}",
      rules: "- { id: a, where: \"asset == params.limit && n > params.other\" }")
    _ = try FileSupport.plan(params)
    _ = try FileSupport.plan(params, environment: ["L": "7"])
  }

  @Test func limitsAndDelivery() throws {
    #expect(try FileSupport.plan(FileSupport.file()).limits == PipelineLimits())
    #expect(try FileSupport.plan(FileSupport.file()).delivery == .exactlyOnce)
    let tail = """
      delivery: at_least_once
      limits: { record_bytes: 2KiB, future: 1h, state_bytes: 1GiB, episodes: 7, batch_records: 4096, unsettled_bytes: 1MB }
      """
    let plan = try FileSupport.plan(FileSupport.file(tail: tail))
    #expect(plan.delivery == .atLeastOnce)
    #expect(
      plan.limits
        == PipelineLimits(
          recordBytes: 2_048, future: 3_600_000_000_000, stateBytes: 1 << 30, episodes: 7, batchRecords: 4_096,
          unsettledBytes: 1_000_000))
  }

  @Test(arguments: [
    ("delivery: exactly-once", "`delivery` can't be `exactly-once`"),
    ("limits: { batch_records: 0 }", "`batch_records` lies between 1 and 4096; here it is 0"),
    ("limits: { record_bytes: 1 }", "`record_bytes` lies between 1KiB and 128MiB; here it is 1"),
    ("limits: { future: soon }", "`soon` is no duration"), ("limits: { futur: 1d }", "`limits` has no setting `futur`"),
    ("librdkafka: [a]", "`librdkafka` is a map of names, not a list"),
    ("extra: 1", "`pipeline file` has no setting `extra`"),
  ])
  func wrongSettings(_ tail: String, _ message: String) {
    #expect(FileSupport.mistakes(FileSupport.file(tail: tail)) == [message])
  }

  @Test func howStateIsKept() throws {
    let plan = try FileSupport.plan(
      FileSupport.file(tail: "snapshot: { every: 5m, format: 1 }\ninternal_topics: require"))
    #expect(plan.snapshot == SnapshotPlan(every: 300_000_000_000, format: 1) && plan.internalTopics == .require)
    for (tail, mistake) in [
      ("snapshot: { every: 10ms }", "`every` lies between 1s and 6h; here it is 10ms"),
      ("snapshot: { every: 7h }", "`every` lies between 1s and 6h; here it is 7h"),
      ("snapshot: { format: 2 }", "`format` lies between 1 and 1; here it is 2"),
      ("snapshot: { often: 1s }", "`snapshot` has no setting `often`"),
    ] {
      #expect(FileSupport.mistakes(FileSupport.file(tail: tail)) == [mistake])
    }
    #expect(FileSupport.mistakes(FileSupport.file(tail: "internal_topics: maybe")).count == 1)
  }

  /// The defaults that the reference states are those that are taken.
  @Test func statedDefaultsAreTheRealOnes() throws {
    let snapshot = PipelineDeclaration.snapshot.settings.compactMap { setting in
      setting.defaultText.map { "\(setting.name): \($0)" }
    }
    let kept = FileSupport.file(tail: "snapshot: { \(snapshot.joined(separator: ", ")) }")
    #expect(try snapshot.count == 2 && FileSupport.plan(kept).snapshot == SnapshotPlan())
    let limits = PipelineDeclaration.limits.settings.compactMap { setting in
      setting.defaultText.map { "\(setting.name): \($0)" }
    }
    #expect(limits.count == 6)
    let stated = FileSupport.file(tail: "limits: { \(limits.joined(separator: ", ")) }\ndelivery: exactly_once")
    #expect(try FileSupport.plan(stated).limits == PipelineLimits())
    let time = SourceDeclaration.time.settings.compactMap { setting in
      setting.defaultText.map { "\(setting.name): \($0)" }
    }
    let source = FileSupport.source.replacing("field: ts", with: "field: ts, \(time.joined(separator: ", "))")
    #expect(
      try FileSupport.plan(FileSupport.file(source: source)).source == FileSupport.plan(FileSupport.file()).source)
  }

  @Test func theVersionAndTheName() {
    let file = FileSupport.file()
    #expect(
      FileSupport.mistakes(file.replacing("tocsin: 1", with: "tocsin: 2"))
        == ["this version reads `tocsin: 1`, not `2`"])
    #expect(FileSupport.mistakes(file.replacing("tocsin: 1\n", with: "")) == ["`pipeline file` needs `tocsin`"])
    #expect(FileSupport.mistakes(file.replacing("pipeline: test", with: "pipeline: a/b")).count == 1)
  }

  @Test func whatIsNeverUsedIsAWarning() {
    let (plan, messages) = FileSupport.read(
      FileSupport.file(
        head: "params: { a: 1, b: 2 }", tables: FileSupport.tables, rules: "- { id: a, where: n > params.b }"))
    #expect(plan != nil)
    #expect(
      messages == ["warning: nothing reads the parameter `a`", "warning: nothing asks the table `rates`"])
  }

  @Test func parametersOfMixedKindsAreRefused() {
    let file = { (value: String) in
      FileSupport.file(head: "params: { p: \(value) }", rules: "- { id: a, where: \"usd in params.p\" }")
    }
    #expect(FileSupport.mistakes(file("[1, 2.5]")) == [])
    #expect(FileSupport.mistakes(file("[1, a]")) == ["the list `p` mixes int, text"])
    #expect(FileSupport.mistakes(file("{ a: 1 }")) == ["`p` is a value, not a section (keys and values)"])
    #expect(FileSupport.mistakes(file("~")) == ["`p` is a value, not nothing"])
  }
}
