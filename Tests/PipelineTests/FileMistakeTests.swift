import Configuration
import Detection
import Expressions
import Foundation
import Testing

@testable import Pipeline

/// What a person reads about a file that is wrong.
@Suite struct FileMistakeTests {
  @Test func tenMistakesAreToldAsTen() throws {
    let bytes = try FileSupport.bytes("Tests/PipelineTests/Fixtures/ten-mistakes.yaml")
    let (plan, diagnostics) = PipelineFile.read(bytes: bytes, path: "ten-mistakes.yaml", environment: [:])
    #expect(plan == nil)
    #expect(diagnostics.diagnostics.count == 10)
    let url = FileSupport.repository.appendingPathComponent("Tests/PipelineTests/Fixtures/ten-mistakes.txt")
    let rendered = diagnostics.rendered() + "\n"
    if FileSupport.isRewriting { try rendered.write(to: url, atomically: true, encoding: .utf8) }
    #expect(rendered == (try String(contentsOf: url, encoding: .utf8)))
  }

  /// A mistake in a declaration is told there, and not again by all who use what it declares.
  @Test func whatABrokenDeclarationTakesWithItIsNotTold() {
    let fields = FileSupport.fields.replacing("type: decimal(2)", with: "type: decimal(99)")
    let rule = """
      - id: big
        by: from
        over: 1h
        let: { total: sum(amount), n: count() }
        condition: total > 5 && n > 2
        message: "{total}: {event.amount}"
      """
    #expect(FileSupport.mistakes(FileSupport.file(fields: fields, rules: rule)) == ["`decimal(99)` is no type"])
  }

  @Test func aMistakeBesideABrokenDeclarationIsTold() {
    let fields = FileSupport.fields.replacing("type: decimal(2)", with: "type: decimal(99)")
    let rule = "- { id: big, where: amount > 5 && nn > 2 }"
    #expect(
      FileSupport.mistakes(FileSupport.file(fields: fields, rules: rule)) == [
        "`decimal(99)` is no type", "there is no `nn`",
      ])
  }

  @Test func aBrokenTableOrParameterIsToldOnce() {
    let tables = FileSupport.tables.replacing("usd: double", with: "usd: dubble")
    let rule = "- { id: big, where: \"rates[asset].usd > params.limit && asset in rates\" }"
    #expect(
      FileSupport.mistakes(
        FileSupport.file(head: "params: { limit: 99999999999999999999 }", tables: tables, rules: rule)) == [
          "`99999999999999999999` does not fit 64 bits", "`dubble` is no type",
        ])
  }

  @Test func aMisnamedFieldIsToldOnce() {
    let source = FileSupport.source.replacing("key: from", with: "key: from-wallet")
    let fields = FileSupport.fields.replacing("from: ", with: "from-wallet: ")
    #expect(
      FileSupport.mistakes(
        FileSupport.file(source: source, fields: fields, rules: "- { id: a, where: n > 1, by: from-wallet }"))
        == ["`from-wallet` is no name for a field"])
  }

  @Test(arguments: [
    ("", "the file is empty"), ("# nothing\n", "the file is empty"), ("- a\n", "is a section"),
    ("text", "is a section"),
    ("a: [", "not YAML"), ("\u{1}", "not YAML"), ("tocsin: 1\n---\ntocsin: 1\n", "a second document"),
  ])
  func whatIsNoPipelineSaysSo(_ text: String, _ message: String) {
    let mistakes = FileSupport.mistakes(text)
    #expect(mistakes.contains { $0.contains(message) }, "\(mistakes)")
  }

  @Test func aFileThatIsNotThereSaysSo() {
    let (plan, diagnostics) = PipelineFile.load(path: "/nowhere/file.yaml")
    #expect(plan == nil)
    #expect(
      diagnostics.rendered() == "/nowhere/file.yaml:1:1: error: can't be read: No such file or directory")
  }

  /// Places of expressions are exact, however they are quoted.
  @Test(arguments: [
    ("where: usdd > 1", 3, 12), ("where: 'usdd > 1'", 3, 13), ("where: \"n > 1 && usdd > 1\"", 3, 22),
    ("where:\n      - n > 1\n      - usdd > 1", 5, 9), ("where: >\n      n > 1 &&\n      usdd > 1", 5, 7),
    ("where: |\n      n > 1 &&\n      usdd > 1", 5, 7),
  ])
  func placesAreExact(_ setting: String, _ line: Int, _ column: Int) {
    let text = FileSupport.file(rules: "- id: a\n  by: from\n  \(setting)")
    let start = text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains("- id: a") } ?? 0
    let (_, bag) = PipelineFile.read(bytes: Array(text.utf8), path: "a.yaml", environment: [:])
    #expect(bag.diagnostics.map(\.message) == ["there is no `usdd`"])
    #expect(bag.diagnostics.map(\.range.line) == [start + line])
    #expect(bag.diagnostics.map(\.range.column) == [column + (setting.contains("\n") ? 2 : 0)])
  }
}

/// YAML does things behind the reader's back: they are refused with the advice to quote, and told once.
@Suite struct FileYAMLTests {
  private func messages(_ setting: String) -> [String] {
    FileSupport.read(FileSupport.file(rules: "- id: a\n  by: from\n  \(setting)")).messages
  }

  @Test func aTagIsNoNegation() {
    #expect(
      messages("where: !vip") == [
        "`!vip` is a YAML tag here, so the text after `!` is lost | put the whole text in quotes: \"!(...)\""
      ])
    #expect(messages("where: !(from == to)").count == 1)
    #expect(messages("where: !(from == to)")[0].contains("is a YAML tag"))
    #expect(messages("where:\n    - n > 1\n    - !(from == to)").count == 1)
    #expect(messages("where: n > 1\n  by: !x from").filter { !$0.contains("stands twice") }.count == 1)
  }

  @Test func anchorsAndAliasesAreRefused() {
    #expect(messages("where: &big n > 1") == ["`&big` is a YAML anchor here | put the text in quotes"])
    #expect(messages("where: *big") == ["`*` makes this a YAML alias | put the text in quotes"])
    #expect(messages("where: n > 1\n  <<: { over: 1h }")[0].contains("merge keys"))
  }

  @Test func aQuotedNegationIsRead() throws {
    let plan = try FileSupport.plan(FileSupport.file(rules: "- { id: a, by: from, where: \"!(from == to)\" }"))
    #expect(plan.rules[0].filters.map(\.text) == ["!(from == to)"])
  }

  @Test func aCommaThatSplitsAMapSaysSo() {
    let found = messages("over: 1h\n  let: { total: sum(n, from == to) }\n  condition: total > 1")
    #expect(found.contains { $0.contains("within { } a comma ends a value") }, "\(found)")
  }

  @Test func keysThatStandTwiceAreRefused() {
    #expect(messages("where: n > 1\n  where: n > 2")[0].hasPrefix("`where` stands twice"))
  }

  /// What YAML 1.1 would turn into something else stays what it is.
  @Test func valuesAreReadAsTheyStand() throws {
    let head = "params: { countries: [NO, FR], code: 0742, hex: 0x7F, yes: yes, n: 12, x: 1.5, flag: true, q: \"12\" }"
    let rule = """
      - id: a
        where:
          - asset in params.countries
          - asset == params.code || asset == params.hex || asset == params.yes || asset == params.q
          - n > params.n && usd > params.x && params.flag
      """
    _ = try FileSupport.plan(FileSupport.file(head: head, rules: rule))
  }
}
