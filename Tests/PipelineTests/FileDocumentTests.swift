import Foundation
import Testing

@testable import Pipeline

/// The reference page and the editor's schema are made from the declarations; here they are kept from drifting.
@Suite struct FileDocumentTests {
  private static let mark = "<!-- Below: made from the declarations in Sources/Pipeline/File; do not edit. -->\n"

  private func check(_ path: String, _ expected: (String) -> String) throws {
    let url = FileSupport.repository.appendingPathComponent(path)
    let current = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
    let expected = expected(current)
    if FileSupport.isRewriting { try expected.write(to: url, atomically: true, encoding: .utf8) }
    #expect(FileSupport.isRewriting || current == expected, "\(path) has drifted: run with TOCSIN_REWRITE_GOLDEN=1")
  }

  @Test func theReferencePageIsUpToDate() throws {
    try check("docs/pipeline-file.md") { current in
      let guide = current.firstRange(of: Self.mark).map { String(current[..<$0.lowerBound]) } ?? current
      return guide + Self.mark + "\n" + PipelineFile.referencePage
    }
  }

  @Test func theEditorSchemaIsUpToDateAndJSON() throws {
    try check("docs/schema/pipeline.schema.json") { _ in PipelineFile.editorSchema }
    let object = try JSONSerialization.jsonObject(with: Data(PipelineFile.editorSchema.utf8))
    let properties = (object as? [String: Any])?["properties"] as? [String: Any]
    #expect(
      properties?.keys.sorted() == [
        "delivery", "exchange", "internal_topics", "librdkafka", "limits", "outputs", "params", "pipeline", "rules",
        "snapshot", "sources", "tables", "tocsin",
      ])
  }

  /// The examples of the guide are files that load.
  @Test func theGuidesExampleLoads() throws {
    let page = String(decoding: try FileSupport.bytes("docs/pipeline-file.md"), as: UTF8.self)
    let start = try #require(page.firstRange(of: "```yaml\ntocsin: 1")).lowerBound
    let body = page[page.index(start, offsetBy: 8)...]
    let end = try #require(body.firstRange(of: "\n```")).lowerBound
    _ = try FileSupport.plan(String(body[..<end]))
  }
}
