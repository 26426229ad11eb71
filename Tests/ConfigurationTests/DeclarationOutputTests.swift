import Foundation
import Testing

@testable import Configuration

/// What is made from the declarations: the editor's schema and the reference page.
@Suite struct DeclarationOutputTests {
  private static let tricky = SectionDeclaration(
    "root", "A \"quoted\" \\ text\nof two lines\twith | bars.",
    [
      SettingDeclaration("free", .number(-.infinity ... .infinity), "Any \u{1} number"),
      SettingDeclaration("big", .number(-1e300...1e300), "\u{e9}\u{1f6a8}", isRequired: true),
      SettingDeclaration("all", .integer(.min ... .max), "Whole", default: "\"x\""),
      SettingDeclaration("every", .section(SectionReaderTests.everything), "Text \", \"properties\" text"),
      SettingDeclaration("a|b", .text, "bar | in text", example: "x|y"),
    ])

  @Test func theSchemaIsJSON() throws {
    let text = EditorSchema.json(Self.tricky, title: "T \"\\\n\u{2}")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(object["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
    #expect(object["title"] as? String == "T \"\\\n\u{2}")
    #expect(object["description"] as? String == Self.tricky.text)
    #expect(object["additionalProperties"] as? Bool == false)
    #expect(object["required"] as? [String] == ["big"])
    let properties = try #require(object["properties"] as? [String: [String: Any]])
    #expect(Set(properties.keys) == ["free", "big", "all", "every", "a|b"])
    #expect(properties["free"]?["minimum"] == nil && properties["big"]?["maximum"] as? Double == 1e300)
    #expect(properties["all"]?["description"] as? String == "Whole (default: \"x\")")
    let every = try #require(properties["every"])
    #expect(every["description"] as? String == "Text \", \"properties\" text" && every["type"] as? String == "object")
    let inner = try #require(every["properties"] as? [String: [String: Any]])
    #expect(inner["mode"]?["enum"] as? [String] == ["alert", "off"])
    #expect(inner["sequence"] == nil)
    let sources = try #require(inner["sources"]?["additionalProperties"] as? [String: Any])
    #expect(sources["required"] as? [String] == ["topic"])
    let list = try #require(inner["list"]?["items"] as? [String: Any])
    #expect(list["additionalProperties"] as? Bool == false)
  }

  @Test func theSchemasDurationsAreTheReaders() throws {
    let text = EditorSchema.json(SectionReaderTests.everything, title: "T")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let properties = try #require(object["properties"] as? [String: [String: Any]])
    let pattern = try Regex(try #require(properties["over"]?["pattern"] as? String))
    for (word, isValid) in [("5s", true), ("1h30m", true), ("1.5h", true), ("${X}", true), ("5", false), ("s", false)] {
      #expect((try pattern.wholeMatch(in: word) != nil) == isValid, "\(word)")
    }
  }

  @Test func thePageNamesEverySettingOnce() {
    let page = ReferencePage.markdown(SectionReaderTests.everything, title: "The file")
    #expect(page.hasPrefix("# The file\n\nAll kinds of settings.\n\n## pipeline\n"))
    for setting in SectionReaderTests.everything.settings where setting.availability == .now {
      #expect(page.split(separator: "\n").count { $0.hasPrefix("| `\(setting.name)` | \(setting.text) |") } == 1)
    }
    #expect(page.contains("| `count` | A number | whole number, 1 to 10 | `3` |"))
    #expect(page.contains("| `over` | How long | duration, 1s to 1d |  |"))
    #expect(page.contains("| `memory` | How much | bytes, 1KiB to 1GiB |  |"))
    #expect(page.contains("| `topic` | The topic | text, e.g. `transfers` | required |"))
    #expect(page.contains("Refused by name in this version: `sequence`."))
    // The section that three settings hold stands once.
    #expect(page.split(separator: "\n").count { $0 == "## source" } == 1)
  }

  @Test func barsDoNotBreakThePagesTables() {
    let page = ReferencePage.markdown(Self.tricky, title: "T")
    for line in page.split(separator: "\n") where line.hasPrefix("| `") {
      let bars = line.replacing("\\|", with: "").count { $0 == "|" }
      #expect(bars == 5, "\(line)")
    }
  }
}
