import Foundation
import Testing

/// What `docs/alerts.md` shows is what is written.
struct DocumentationTests {
  @Test func theExampleIsAGoldenAlert() throws {
    let page = String(decoding: try Repository.bytes("docs/alerts.md"), as: UTF8.self)
    let start = try #require(page.range(of: "```json\n")).upperBound
    let end = try #require(page.range(of: "\n```", range: start..<page.endIndex)).lowerBound
    let golden = try Repository.bytes("Tests/AlertsTests/Golden/window-updated.json")
    #expect(try JSONValue(Array(page[start..<end].utf8)) == JSONValue(golden))
  }
}
