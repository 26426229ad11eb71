import Foundation
import Telemetry
import Testing

@testable import tocsin

/// The modules of the log: the declared ones are those that write, and `--log` knows them.
@Suite struct LogModulesTests {
  @Test func theDeclaredModulesAreThoseThatWrite() throws {
    let sources = TocsinProcess.repository.appendingPathComponent("Sources")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var used: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for part in text.components(separatedBy: "Logger(module: \"").dropFirst() {
        used.insert(String(part.prefix { $0 != "\"" }))
      }
    }
    #expect(used == Set(LogModules.names))
    let page = TocsinProcess.repository.appendingPathComponent("docs/operations.md")
    let list = LogModules.names.map { "`\($0)`" }.joined(separator: ", ")
    #expect(try String(contentsOf: page, encoding: .utf8).replacing("\n", with: " ").contains(list))
  }

  @Test func theDeclaredExampleDoesWhatItSays() throws {
    let levels = try LogModules.levels(RunOptions.log.example)
    #expect(levels.level(of: "Kafka") == .debug && levels.level(of: "Pipeline") == .info)
  }

  @Test func anUnknownModuleIsAnError() throws {
    #expect(throws: CommandLineError.unknownLogModule("kafkatransprot")) {
      try LogModules.levels("info,kafkatransprot=debug")
    }
    let outcome = try TocsinProcess.run(["run", "p.yaml", "--log", "info,kafkatransprot=debug"])
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("no module `kafkatransprot` writes to the log: did you mean `KafkaTransport`?"))
    #expect(try TocsinProcess.run(["run", "p.yaml", "--log", "loud"]).errors.contains("`loud` is no log level"))
  }
}
