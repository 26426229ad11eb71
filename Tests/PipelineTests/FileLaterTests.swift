import Configuration
import Testing

@testable import Pipeline

/// What belongs to the language but not to this version is refused by its name: never ignored, never "unknown".
@Suite struct FileLaterTests {
  @Test(arguments: ["include: [a.yaml]", "tests: [{ name: a }]"])
  func atTheTop(_ setting: String) { refused(setting, FileSupport.file(tail: setting)) }

  @Test(arguments: ["shadow: { topic: a }", "decisions: { topic: b }", "evidence: { topic: c }"])
  func outputs(_ setting: String) {
    refused(setting, FileSupport.file(outputs: "{ alerts: { topic: alerts }, \(setting) }"))
  }

  @Test func inASource() {
    refused("explode: /items", FileSupport.file(source: FileSupport.source + "\n    explode: /items"))
  }

  @Test(arguments: ["avro", "protobuf", "csv"])
  func formatsOfASource(_ format: String) {
    let source = FileSupport.source.replacing("format: json", with: "format: \(format)")
    #expect(
      FileSupport.mistakes(FileSupport.file(source: source)) == ["`format: \(format)` is not supported by this version"]
    )
  }

  @Test(arguments: ["http: 'https://a'", "postgres: 'select 1'", "kafka: topic", "every: 1h"])
  func placesOfATable(_ setting: String) {
    let name = setting.split(separator: ":")[0]
    let load = setting.hasPrefix("every") ? "file: a.csv, format: csv, \(setting)" : setting
    let tables = FileSupport.tables.replacing("file: rates.csv, format: csv", with: load)
    #expect(
      FileSupport.mistakes(
        FileSupport.file(tables: tables, rules: "- { id: a, where: \"rates[asset].usd > 1.0\" }"))
        == ["`\(name)` is not supported by this version"])
  }

  @Test(arguments: ["cidr", "prefix", "domain"])
  func keysOfATable(_ key: String) {
    for written in ["key: \(key)", "key: { type: \(key) }"] {
      let tables = FileSupport.tables.replacing("key: string", with: written)
      #expect(
        FileSupport.mistakes(FileSupport.file(tables: tables)) == ["`key: \(key)` is not supported by this version"])
    }
  }

  @Test(arguments: ["valid_from: ts"])
  func ofATable(_ setting: String) {
    refused(setting, FileSupport.file(tables: FileSupport.tables + "\n    \(setting)"))
  }

  @Test(arguments: [
    "new_terms: [asset]", "history: 90d", "warm_up: 30d", "sequence: [{ a: {} }]", "maxspan: 1h", "until: n > 1",
    "score: { rules: [a] }", "baseline: { z: { of: n } }", "at: close", "tests: [{ name: a }]",
  ])
  func inARule(_ setting: String) {
    refused(setting, FileSupport.file(rules: "- id: a\n  where: usd > 1\n  by: from\n  \(setting)"))
  }

  @Test(arguments: ["shadow", "signal"])
  func modes(_ mode: String) {
    #expect(
      FileSupport.mistakes(FileSupport.file(rules: "- { id: a, where: n > 1, mode: \(mode) }"))
        == ["`mode: \(mode)` is not supported by this version"])
  }

  @Test(arguments: ["{ wallet: from }", "{ wallet: [from, to] }", "{ subnet: \"net(from, 24)\" }", "\"net(from, 24)\""])
  func keysThatAreExpressions(_ by: String) {
    let found = FileSupport.mistakes(
      FileSupport.file(rules: "- { id: a, where: n > 1, by: \(by), message: \"{wallet}\" }"))
    #expect(found.count == 1 && found[0].contains("not supported by this version"), "\(found)")
  }

  @Test(arguments: [
    "stddev(usd)", "percentile(usd, 0.5)", "prev(usd)", "gap(ts)", "entropy(asset)", "values(asset, 3)",
  ])
  func aggregates(_ call: String) {
    let name = call.prefix { $0 != "(" }
    let rule = "- id: a\n  by: from\n  over: 1h\n  let: { x: \"\(call)\" }\n  condition: x > 1"
    #expect(FileSupport.mistakes(FileSupport.file(rules: rule)) == ["`\(name)` is not supported by this version"])
  }

  @Test func theRatio() {
    let rule = "- id: a\n  by: from\n  over: 1h\n  let: { x: ratio(n > 1) }\n  condition: x > 0.5"
    #expect(FileSupport.mistakes(FileSupport.file(rules: rule)) == ["`ratio` is not supported by this version"])
  }

  @Test(arguments: ["containsAny", "startsWithAny", "endsWithAny"])
  func functions(_ name: String) {
    let rule = "- { id: a, where: \"asset.\(name)(['x'])\" }"
    #expect(FileSupport.mistakes(FileSupport.file(rules: rule)) == ["`\(name)` is not supported by this version"])
  }

  @Test func aSecondSource() {
    let other = """
        other:
          topic: other
          format: json
          time: { field: when }
          fields:
            when: { at: /when, type: timestamp_ms }
            who:  { at: /who, type: strin }
      tables: {}
      """
    // The rules of both are checked with the fields of each; a rule that does not say which is not.
    let rules = """
      - { id: a, source: transfers, where: nn > 1 }
      - { id: b, source: other, where: "whoo == 'x' && who == 'y'" }
      - { id: c, where: nothing > 1 }
      """
    #expect(
      FileSupport.mistakes(FileSupport.file(tables: other, rules: rules)) == [
        "several sources are not supported by this version", "`strin` is no type", "there is no `nn`",
        "there is no `whoo`",
      ])
  }

  /// Every key that is declared for later is in the tables above.
  @Test func nothingIsLeftOut() {
    let sections = [
      PipelineDeclaration.root, PipelineDeclaration.outputs, SourceDeclaration.source, TableSectionDeclaration.table,
      TableSectionDeclaration.load, RuleDeclaration.rule, PipelineDeclaration.exchange,
    ]
    let later = sections.flatMap { $0.settings.filter { $0.availability == .later }.map(\.name) }
    #expect(
      Set(later) == [
        "include", "tests", "shadow", "decisions", "evidence", "explode", "http", "postgres", "kafka", "every",
        "valid_from", "new_terms", "history", "warm_up", "sequence", "maxspan", "until", "score", "baseline", "at",
      ])
  }

  private func refused(_ setting: String, _ text: String) {
    let name = setting.split(separator: ":")[0]
    #expect(FileSupport.mistakes(text) == ["`\(name)` is not supported by this version"])
  }
}
