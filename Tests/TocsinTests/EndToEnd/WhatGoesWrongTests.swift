import Foundation
import Kafka
import KafkaTestSupport
import Testing

/// What goes wrong outside the pipeline file is told in one clear line, with an exit code of its own.
@Suite(.serialized) struct WhatGoesWrongTests {
  private static let pipeline = "pipelines/crypto-transfers.yaml"

  private static func topics(_ kafka: RealKafka, alerts: Bool = true) throws -> [String] {
    let admin = try KafkaAdmin(kafka.configuration)
    let names = ["transfers", "transfers.late", "transfers.dead"] + (alerts ? ["alerts"] : [])
    _ = try admin.createTopics(names.map { NewTopic($0, partitions: 1) }, timeoutMilliseconds: 20_000)
    return names
  }

  @Test(.enabled(if: RealKafka.isAvailable("a missing topic")))
  func aMissingTopic() throws {
    let kafka = try RealKafka.shared()
    let file = try Self.copy {
      $0.replacing("topic: transfers\n", with: "topic: nowhere-\(UInt32.random(in: 0...9_999))\n")
    }
    defer { try? FileManager.default.removeItem(at: file) }
    let outcome = try TocsinProcess.run(["run", file.path, "--bootstrap", kafka.bootstrapServers])
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains("there is no topic `nowhere-"), "\(outcome.errors)")
  }

  @Test func aBrokerThatIsAwayIsWaitedFor() throws {
    let process = try TocsinProcess(["run", Self.pipeline, "--bootstrap", "127.0.0.1:1", "--log-format", "text"])
    #expect(process.waitFor("no answer yet, trying again"), "\(process.errorText)")
    // Twice, as `timeout` does: the child and its group.
    process.send(SIGTERM)
    process.send(SIGINT)
    let outcome = process.wait(seconds: 30)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("bootstrap.servers"), "\(outcome.errors)")
    #expect(outcome.errors.contains("stopped while Kafka was waited for") && outcome.errors.contains("0 events read"))
  }

  /// A second request after a while ends it at once, and says so. The broker takes connections and never answers.
  @Test func aSecondSignalCutsTheStopShort() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    try #require(listen(listener, 16) == 0)
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let named = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
    }
    try #require(named == 0)
    let port = UInt16(bigEndian: address.sin_port)
    let process = try TocsinProcess([
      "run", Self.pipeline, "--bootstrap", "127.0.0.1:\(port)", "--log-format", "json",
    ])
    #expect(process.waitFor("no answer yet, trying again"), "\(process.errorText)")
    process.send(SIGTERM)
    // Past the time in which a second one belongs to the first, and well within that of one question to the broker.
    usleep(1_500_000)
    process.send(SIGTERM)
    let outcome = process.wait(seconds: 30)
    #expect(outcome.status == 6, "\(outcome.errors)")
    #expect(outcome.errors.contains("a second signal cuts the orderly stop short"), "\(outcome.errors)")
  }

  /// Where the log is read by machines, the cause of death is a record of it.
  @Test func aFailureIsARecordOfTheLog() throws {
    let record = try Self.lastRecord(["run", Self.pipeline, "--log-format", "json"])
    #expect(record["level"] == "error" && record["exit_code"] == "3" && record["kind"] == "environment")
    #expect(record["reason"]?.contains("--bootstrap") == true, "\(record)")
    let file = try Self.copy { $0.replacing("condition:", with: "conditoin:") }
    defer { try? FileManager.default.removeItem(at: file) }
    let mistakes = try Self.lastRecord(["run", file.path])
    #expect(mistakes["exit_code"] == "1" && mistakes["kind"] == "pipeline_mistakes")
    #expect(mistakes["reason"]?.contains("did you mean `condition`?") == true, "\(mistakes)")
  }

  /// Runs a command whose standard error must be records of the log and nothing else.
  private static func lastRecord(_ arguments: [String]) throws -> [String: String] {
    let outcome = try TocsinProcess.run(arguments)
    let records = try outcome.errors.split(separator: "\n").map { line in
      try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String], "\(outcome.errors)")
    }
    return try #require(records.last)
  }

  @Test(.enabled(if: RealKafka.isSecureAvailable("a wrong password")))
  func aWrongPassword() throws {
    let kafka = try RealKafka.shared()
    let secure = try #require(kafka.secureBootstrapServers)
    let outcome = try TocsinProcess.run(
      [
        "run", Self.pipeline, "--bootstrap", secure, "--set", "librdkafka.security.protocol=SASL_SSL", "--set",
        "librdkafka.sasl.mechanism=SCRAM-SHA-512", "--set", "librdkafka.sasl.username=tocsin", "--set",
        "librdkafka.sasl.password=wrong", "--set",
        "librdkafka.ssl.ca.location=\(kafka.certificateAuthority ?? "")",
      ])
    #expect(outcome.status == 3, "\(outcome.errors)")
    #expect(outcome.errors.contains("sasl.password"), "\(outcome.errors)")
  }

  @Test func aWrongPropertyIsAnsweredByLibrdkafka() throws {
    let outcome = try TocsinProcess.run([
      "run", Self.pipeline, "--bootstrap", "127.0.0.1:1", "--set", "librdkafka.fetch.wait.max.mss=5",
    ])
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains("fetch.wait.max.mss"), "\(outcome.errors)")
  }

  @Test func noBrokerIsNamed() throws {
    let outcome = try TocsinProcess.run(["run", Self.pipeline])
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains("--bootstrap"))
  }

  @Test func aMissingListIsTold() throws {
    let file = try Self.copy { $0.replacing("ofac-sdn-excerpt.csv", with: "no-such-list.csv") }
    defer { try? FileManager.default.removeItem(at: file) }
    for command in [["check"], ["run"]] {
      let outcome = try TocsinProcess.run(command + [file.path])
      #expect(outcome.status == (command == ["check"] ? 1 : 3))
      #expect(outcome.errors.contains("no-such-list.csv"), "\(outcome.errors)")
    }
  }

  /// A copy of the shipped pipeline beside it, changed.
  private static func copy(_ change: (String) -> String) throws -> URL {
    let folder = TocsinProcess.repository.appendingPathComponent("pipelines")
    let text = try String(contentsOf: folder.appendingPathComponent("crypto-transfers.yaml"), encoding: .utf8)
    let changed = change(text)
    try #require(changed != text)
    let file = folder.appendingPathComponent("test-\(UInt32.random(in: .min ... .max)).yaml")
    try changed.write(to: file, atomically: true, encoding: .utf8)
    return file
  }
}
