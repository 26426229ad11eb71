import Foundation
import KafkaTestSupport
import Pipeline
import Testing

/// What the scripts promise.
@Suite struct ScriptTests {
  /// The benchmark deletes every topic that its jobs write or make.
  @Test(arguments: ["from", "to"]) func theBenchmarkDeletesItsTopics(_ key: String) throws {
    let folder = TocsinProcess.repository
    let script = try String(contentsOf: folder.appendingPathComponent("scripts/bench"), encoding: .utf8)
    let line = try #require(script.split(separator: "\n").first { $0.hasPrefix("  topics+=(\"$1.alerts\"") })
    let deleted = line.split(separator: "\"").filter { $0.hasPrefix("$1") }.map {
      String($0).replacing("$1", with: "b")
    }
    let variables = [
      "TOCSIN_BENCH_ID": "b", "TOCSIN_BENCH_TOPIC": "input", "TOCSIN_BENCH_ALERTS": "b.alerts",
      "TOCSIN_BENCH_LATE": "b.late", "TOCSIN_BENCH_DEAD": "b.dead", "TOCSIN_BENCH_WATCHLIST": "w",
      "TOCSIN_BENCH_KEY": key,
    ]
    let path = folder.appendingPathComponent("Benchmarks/bench.yaml").path
    let plan = try #require(PipelineFile.load(path: path, environment: variables).plan)
    let report = PlanReport(plan, keys: 1)
    #expect(report.topics.contains { $0.topic == "b.by-from" } == (key == "to"))
    for topic in report.topics.map(\.topic) where topic != "input" { #expect(deleted.contains(topic), "\(topic)") }
  }

  @Test func whatIsNotAtHandIsNamed() {
    #expect(Combinations.leftOut(of: [RealKafka.newest, "3.9.2"]) == [])
    #expect(
      Combinations.leftOut(of: [RealKafka.newest]) == [
        "LEFT OUT (no Kafka 3.9.2): the tests that run with each version"
      ])
  }

  /// Where a Kafka is required, a test that was skipped for want of what it needs fails the run; a combination that is not at
  /// hand does not.
  @Test(arguments: [
    ("SKIPPED (no Kafka): a", "1", Int32(1)), ("SKIPPED (no kcat): a", "1", 1), ("SKIPPED (no Kafka): a", "", 0),
    ("SKIPPED (no shared data): a", "1", 0), ("LEFT OUT (no Kafka 3.9.2): a", "1", 0), ("all is well", "1", 0),
  ])
  func whatIsSkippedFailsTheRun(_ output: String, _ required: String, _ status: Int32) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let swift = folder.appendingPathComponent("swift")
    try "#!/bin/sh\necho '\(output)'\n".write(to: swift, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: swift.path)
    let process = Process()
    process.executableURL = TocsinProcess.repository.appendingPathComponent("scripts/test")
    process.environment = [
      "PATH": folder.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? ""), "TOCSIN_REQUIRE_KAFKA": required,
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == status)
    // What was left out is said once more at the end, where it is seen.
    #expect(text.components(separatedBy: output).count == (output == "all is well" ? 2 : 3), "\(text)")
  }
}
