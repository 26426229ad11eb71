import TestSupport
import Testing

@testable import Configuration

@Suite struct SectionReaderTests {
  private static let inner = SectionDeclaration(
    "source", "Where events come from.",
    [
      SettingDeclaration("topic", .text, "The topic", isRequired: true, example: "transfers"),
      SettingDeclaration("partitions", .integer(1...64), "How many"),
    ])

  static let everything = SectionDeclaration(
    "pipeline", "All kinds of settings.",
    [
      SettingDeclaration("name", .text, "A name"),
      SettingDeclaration("count", .integer(1...10), "A number", default: "3"),
      SettingDeclaration("share", .number(0...1), "A share"),
      SettingDeclaration("strict", .flag, "Whether"),
      SettingDeclaration("over", .duration(1_000_000_000...86_400_000_000_000), "How long"),
      SettingDeclaration("memory", .bytes(1_024...(1 << 30)), "How much"),
      SettingDeclaration("mode", .choice(["alert", "off"]), "Which"),
      SettingDeclaration("where", .expressions, "Which events"),
      SettingDeclaration("tags", .texts, "Words"),
      SettingDeclaration("source", .section(inner), "One source"),
      SettingDeclaration("sources", .sections(inner), "Sources by name"),
      SettingDeclaration("list", .sectionList(inner), "Sources in a row"),
      SettingDeclaration("params", .map, "Values"),
      SettingDeclaration("by", .custom(shape: "a field, or a list of them"), "The key"),
      .later("sequence", "Steps"),
    ])

  private func read(_ text: String, _ variables: [String: String] = [:]) throws -> (Read, SectionReader) {
    let read = Read(text)
    let section = try #require(read.section(Self.everything, variables))
    return (read, section)
  }

  @Test func everyKindIsRead() throws {
    let (read, section) = try read(
      """
      name: 0742
      count: 7
      share: 0.25
      strict: true
      over: 90m
      memory: 64MiB
      mode: off
      where: ["a > 1", 'b']
      tags: [x, "y z"]
      source: {topic: t}
      sources:
        one: {topic: a}
        two: {topic: b, partitions: 4}
      list:
        - topic: c
      params: {limit: 1e4, word: "${W}"}
      by: [a, b]
      """, ["W": "from outside: [not, yaml]"])
    #expect(section.string("name") == "0742" && section.integer("count") == 7 && section.number("share") == 0.25)
    #expect(section.flag("strict") == true && section.duration("over") == 5_400_000_000_000)
    #expect(section.bytes("memory") == 64 << 20 && section.choice("mode") == "off")
    #expect(section.expressions("where").map(\.text) == ["a > 1", "b"])
    #expect(section.expressions("where").map(\.range.short) == ["8:9+7", "8:18+3"])
    #expect(section.texts("tags").map(\.text) == ["x", "y z"])
    #expect(section.section("source")?.string("topic") == "t")
    #expect(section.sections("sources").map(\.name.text) == ["one", "two"])
    #expect(section.sections("sources").map { $0.section.integer("partitions") } == [nil, 4])
    #expect(section.sectionList("list").map { $0.string("topic") } == ["c"])
    #expect(section.texts(map: "params").map(\.value.text) == ["1e4", "from outside: [not, yaml]"])
    #expect(section.entries("params").map(\.name.text) == ["limit", "word"])
    #expect(section.node("by")?.outline == "[a, b]")
    #expect(section.keys.first?.text == "name" && section.keys.count == 14)
    #expect(section.has("name") && !section.has("sequence") && section.keyRange("over").short == "5:1+4")
    #expect(read.messages.isEmpty)
  }

  @Test func whatIsNotSetIsNil() throws {
    let (read, section) = try read("name: x")
    #expect(section.integer("count") == nil && section.number("share") == nil && section.flag("strict") == nil)
    #expect(section.duration("over") == nil && section.bytes("memory") == nil && section.choice("mode") == nil)
    #expect(section.expressions("where").isEmpty && section.texts("tags").isEmpty && section.section("source") == nil)
    #expect(section.sections("sources").isEmpty && section.sectionList("list").isEmpty)
    #expect(section.texts(map: "params").isEmpty && section.node("by") == nil)
    #expect(read.messages.isEmpty)
  }

  /// Every wrong value, with its message and place.
  @Test(arguments: [
    ("count: 11", "1:8: `count` lies between 1 and 10; here it is 11"),
    ("count: 0", "1:8: `count` lies between 1 and 10; here it is 0"),
    ("count: 1.5", "1:8: `count` is a whole number, not `1.5`"),
    ("count: 99999999999999999999", "1:8: `count` is a whole number, not `99999999999999999999`"),
    ("count: [1]", "1:8: `count` is a value, not a list"), ("count:", "1:7: `count` is a value, not nothing"),
    ("share: 1.5", "1:8: `share` lies between 0.0 and 1.0; here it is 1.5"),
    ("share: nan", "1:8: `share` is a number, not `nan`"), ("share: 0x1p0", "1:8: `share` is a number, not `0x1p0`"),
    ("share: 1e999", "1:8: `share` is a number, not `1e999`"),
    ("strict: yes", "1:9: `yes` is neither true nor false"), ("over: 5", "1:7: `5` is no duration"),
    ("over: 2d", "1:7: `over` lies between 1s and 1d; here it is 2d"),
    ("memory: lots", "1:9: `lots` is no number of bytes"),
    ("memory: 2GiB", "1:9: `memory` lies between 1KiB and 1GiB; here it is 2GiB"),
    ("mode: alrt", "1:7: `mode` can't be `alrt`"),
    ("where: {a: 1}", "1:8: `where` is an expression or a list of expressions, not a section (keys and values)"),
    ("where:", "1:7: `where` is an expression or a list of expressions, not nothing"),
    ("where: []", "1:8: `where` is an expression or a list of expressions, not a list"),
    ("tags: x", "1:7: `tags` is a list, not a value"), ("tags: [[x]]", "1:8: `tags` is a value, not a list"),
    ("source: x", "1:9: `source` is a section (keys and values), not a value"),
    ("sources: [x]", "1:10: `sources` is a map of names, not a list"),
    ("list: {topic: x}", "1:7: `list` is a list, not a section (keys and values)"),
    ("params: x", "1:9: `params` is a map of names, not a value"),
    ("name: ${NONE}", "1:7: the environment has no variable `NONE`"),
    ("sequence: [a]", "1:1: `sequence` is not supported by this version"),
    ("nme: x", "1:1: `pipeline` has no setting `nme`"),
    ("source: {}", "1:9: `source` needs `topic`"), ("source:", "1:8: `source` needs `topic`"),
    ("list: [{partitions: 99, topic: t}]", "1:21: `partitions` lies between 1 and 64; here it is 99"),
  ])
  func whatIsWrongSaysSo(_ text: String, _ expected: String) throws {
    let (read, section) = try read(text)
    Self.readAll(section)
    #expect(read.messages.first == expected)
  }

  /// Reads every setting by its declared kind.
  static func readAll(_ section: SectionReader) {
    for setting in section.declaration.settings where section.has(setting.name) {
      switch setting.kind {
      case .text: _ = section.string(setting.name)
      case .integer: _ = section.integer(setting.name)
      case .number: _ = section.number(setting.name)
      case .flag: _ = section.flag(setting.name)
      case .duration: _ = section.duration(setting.name)
      case .bytes: _ = section.bytes(setting.name)
      case .choice: _ = section.choice(setting.name)
      case .expressions: _ = section.expressions(setting.name)
      case .texts: _ = section.texts(setting.name)
      case .section: section.section(setting.name).map(readAll)
      case .sections: section.sections(setting.name).map(\.section).forEach(readAll)
      case .sectionList: section.sectionList(setting.name).forEach(readAll)
      case .map: _ = section.texts(map: setting.name)
      case .custom: _ = section.node(setting.name)
      }
    }
  }

  @Test func hintsNameWhatIsValid() throws {
    let (read, section) = try read("nme: x\nmode: alrt\nsource: {}\n")
    Self.readAll(section)
    #expect(
      read.bag.diagnostics.map(\.hint) == [
        "did you mean `name`? valid are: name, count, share, strict, over, memory, mode, where, tags, source, sources, "
          + "list, params, by",
        "did you mean `alert`? valid are: alert, off", "The topic, for example `topic: transfers`",
      ])
  }

  @Test func tenMistakesAreTenMessages() throws {
    let (read, section) = try read(
      "nam: 1\ncount: 0\nshare: 2\nstrict: on\nover: 1\nmemory: 1\nmode: x\ntags: y\nsource: {}\nsequence: []\n")
    Self.readAll(section)
    #expect(read.bag.diagnostics.count == 10)
    #expect(read.bag.diagnostics.map(\.range.line) == Array(1...10))
  }

  /// Whatever stands there, reading every setting of it ends in values or messages.
  @Test func randomValuesNeverTrap() throws {
    var random = SeededRandom(11)
    let values = [
      "1", "-1", "1.5", "true", "5s", "10MB", "off", "'x'", "[1, 2]", "[[x], {y: 1}]", "{topic: 1}", "{a: {topic: t}}",
      "~", "", "${NONE}", "99999999999999999999", "\"\\0\"", "[{topic: t}, 3]", "1e308", "-0",
    ]
    for _ in 0..<1_500 {
      var text = ""
      for setting in Self.everything.settings where Bool.random(using: &random) {
        text += "\(setting.name): \(values.randomElement(using: &random) ?? "")\n"
      }
      guard let section = Read(text).section(Self.everything) else { continue }
      Self.readAll(section)
      #expect(section.bag.rendered().isEmpty == section.bag.diagnostics.isEmpty)
    }
  }
}
