import Foundation
import Testing

@testable import tocsin

/// `tocsin plan` as a person calls it.
@Suite struct PlanCommandTests {
  private static let transfers = "pipelines/crypto-transfers.yaml"

  /// A copy of a shipped pipeline with something changed.
  private func copy(_ change: (String) -> String) throws -> URL {
    let folder = TocsinProcess.repository.appendingPathComponent("pipelines")
    let text = try String(contentsOf: folder.appendingPathComponent("crypto-transfers.yaml"), encoding: .utf8)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString).yaml")
    try change(text).write(to: file, atomically: true, encoding: .utf8)
    return file
  }

  @Test func aShippedPipeline() throws {
    let outcome = try TocsinProcess.run(["plan", Self.transfers, "--keys", "3000000"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    for line in [
      "pipeline crypto-transfers", "sub-topology 1: reads transfers, partitioned on from;", "  transfers ",
      "crypto-transfers.versions", "  structuring (over: 24h by from), identity ", "    3000000 keys: ",
    ] {
      #expect(outcome.output.contains(line), "\(line): \(outcome.output)")
    }
  }

  @Test func againstItself() throws {
    let file = try copy { $0.replacing("id: structuring", with: "id: structured") }
    defer { try? FileManager.default.removeItem(at: file) }
    let outcome = try TocsinProcess.run(["plan", file.path, "--against", Self.transfers])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\n  structured: is new"), "\(outcome.output)")
    #expect(outcome.output.contains("\n  structuring: is removed"))
    #expect(outcome.output.contains("\n  fan-out: keeps its state\n"))
    #expect(!outcome.output.contains("taken over by a restart only"))
  }

  @Test func json() throws {
    let outcome = try TocsinProcess.run(["plan", Self.transfers, "--against", Self.transfers, "--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let survival = try #require(object?["survival"] as? [[String: Any]])
    #expect(survival.map { $0["state"] as? String } == ["kept", "kept", "kept", "kept"])
    #expect((object?["sub_topologies"] as? [[String: Any]])?.count == 1)
  }

  @Test func whatIsWrongIsTold() throws {
    let file = try copy { $0.replacing("condition:", with: "conditoin:") }
    defer { try? FileManager.default.removeItem(at: file) }
    #expect(try TocsinProcess.run(["plan", file.path]).status == 1)
    #expect(try TocsinProcess.run(["plan", Self.transfers, "--against", file.path]).status == 1)
    #expect(try TocsinProcess.run(["plan", Self.transfers, "--running"]).status == 2)
    #expect(try TocsinProcess.run(["plan", Self.transfers, "--keys", "0"]).status == 2)
  }
}
