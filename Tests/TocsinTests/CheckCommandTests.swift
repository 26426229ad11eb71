import Foundation
import Testing

/// `tocsin check` as a person calls it: everything at once, and what `run` refuses, it refuses too.
@Suite struct CheckCommandTests {
  /// A copy of the shipped pipeline in a folder of its own.
  private static func copy(_ change: (String) -> String) throws -> URL {
    let shipped = TocsinProcess.repository.appendingPathComponent("pipelines/crypto-transfers.yaml")
    let text = try String(contentsOf: shipped, encoding: .utf8)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent("p.yaml")
    try change(text).write(to: file, atomically: true, encoding: .utf8)
    return file
  }

  @Test func everyMistakeIsToldInOneRun() throws {
    let file = try Self.copy { text in
      text.replacing("condition:", with: "conditoin:")
        + "\nlibrdkafka:\n  fetch.wait.max.mss: 5\n  linger.ms: never\n  sasl.password: geheim\n"
    }
    defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
    for command in ["check", "run"] {
      let outcome = try TocsinProcess.run([command, file.path] + (command == "run" ? ["--log-format", "text"] : []))
      #expect(outcome.status == 1)
      let lines = outcome.errors.split(separator: "\n").map(String.init)
      for text in [
        "has no setting `conditoin`", "cannot read ", "librdkafka refuses `fetch.wait.max.mss`: ",
        "librdkafka refuses the value of `linger.ms`: ",
      ] {
        let place = try #require(lines.firstIndex { $0.contains(text) }, "\(text): \(outcome.errors)")
        let parts = lines[place].dropFirst(file.path.count).split(separator: ":")
        #expect(lines[place].hasPrefix(file.path) && parts.count > 3, "\(lines[place])")
        let line = try #require(Int(parts[0]))
        let column = try #require(Int(parts[1]))
        #expect(lines[place + 1].hasPrefix(" \(line) | "))
        let caret = try #require(lines[place + 2].firstIndex(of: "^"))
        let gutter = "\(line)".count + 4
        #expect(lines[place + 2].distance(from: lines[place + 2].startIndex, to: caret) == gutter + column - 1)
      }
      #expect(outcome.errors.contains("did you mean `fetch.wait.max.ms`?"))
      #expect(!outcome.errors.contains("geheim"))
    }
  }

  @Test func propertiesThatDontGoTogether() throws {
    let folder = TocsinProcess.repository.appendingPathComponent("pipelines").path
    let file = try Self.copy {
      $0.replacing("file: lists", with: "file: \(folder)/lists")
        + "\nlibrdkafka:\n  message.timeout.ms: 50\n  linger.ms: 1000\n"
    }
    defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
    let outcome = try TocsinProcess.run(["check", file.path])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains(":1: error: librdkafka refuses these properties together: "), "\(outcome.errors)")
  }

  @Test func propertiesMustBeginALine() throws {
    let file = try Self.copy { text in
      (text + "\nlibrdkafka: { client.id: c }\n").split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.isEmpty ? "" : " \($0)" }.joined(separator: "\n")
    }
    defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
    let text = try String(contentsOf: file, encoding: .utf8)
    let line = try #require(
      text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.hasPrefix(" librdkafka") })
    for command in ["check", "run"] {
      let outcome = try TocsinProcess.run([command, file.path] + (command == "run" ? ["--log-format", "text"] : []))
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.contains("\(file.path):\(line + 1):2: error: `librdkafka` must begin a line"),
        "\(outcome.errors)")
    }
  }
}
