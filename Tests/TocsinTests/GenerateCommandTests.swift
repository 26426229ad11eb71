import Foundation
import Kafka
import KafkaTestSupport
import Testing

@testable import tocsin

@Suite struct GenerateCommandTests {
  private let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true) }

  private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  private func lines(_ name: String) throws -> [Data] {
    try Data(contentsOf: URL(fileURLWithPath: path(name))).split(separator: 10, omittingEmptySubsequences: false)
      .dropLast()
  }

  @Test func filesHoldWhatTheGeneratorMakes() throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    let code = Program.run([
      "generate", "bench", "--events", "3000", "--seed", "5", "--partitions", "2", "--out", path("events"), "--truth",
      path("truth"), "--watchlist", path("watchlist"),
    ])
    #expect(code == .success)
    let run = GeneratedRun(
      BenchGenerator(
        BenchGenerator.Settings(
          events: 3_000, seed: 5, partitions: 2, startMilliseconds: 1_767_225_600_000, hasTruth: true)))
    #expect(try lines("events").map { Array($0) } == run.records.map(\.value))
    #expect(try lines("truth").map { Array($0) } == run.truth.map(\.json))
    #expect(try lines("watchlist").count == 100_000)
    #expect(!run.truth.isEmpty)
    for line in try lines("truth") { #expect(try JSONSerialization.jsonObject(with: line) is [String: Any]) }
  }

  @Test func mistakesHaveTheirExitCodes() throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    #expect(Program.run(["generate"]) == .commandLine)
    #expect(Program.run(["generate", "bench", "--events", "many"]) == .commandLine)
    #expect(Program.run(["generate", "cards", "--watchlist", path("w")]) == .commandLine)
    #expect(Program.run(["generate", "cards", "--sanctions", path("w")]) == .commandLine)
    #expect(Program.run(["generate", "cards", "--create-topic"]) == .commandLine)
    #expect(Program.run(["generate", "cards", "--topic", "t"]) == .commandLine)
    #expect(Program.run(["generate", "cards", "--topic", "t", "--bootstrap", "h", "--out", "x"]) == .commandLine)
    #expect(Program.run(["generate", "cards", "--topic", "t", "--bootstrap", "h", "--set", "acks=1"]) == .commandLine)
    #expect(Program.run(["generate", "cards", "--start", "1960-01-01T00:00:00Z"]) == .commandLine)
    #expect(Program.run(["generate", "transfers", "--sanctions", path("missing")]) == .environment)
    #expect(Program.run(["generate", "cards", "--out", path("no/such/directory")]) == .fatal)
    let wrong = ["--set", "librdkafka.no.such=1", "--topic", "t", "--bootstrap", "h"]
    #expect(Program.run(["generate", "cards"] + wrong) == .environment)
  }

  @Test func eventsGoIntoTheirPartitionsOfATopic() throws {
    let broker = try EmbeddedBroker(topics: ["auths": 3])
    defer { broker.stop() }
    let listener = broker.bootstrapServers
    let arguments = ["generate", "cards", "--events", "2000", "--topic", "auths", "--bootstrap", listener]
    #expect(Program.run(arguments + ["--partitions", "5"]) == .environment, "the topic has 3 partitions")
    #expect(Program.run(arguments + ["--truth", path("truth")]) == .success)
    let run = GeneratedRun(
      CardGenerator(PlantingSettings(events: 2_000, seed: 1, partitions: 3, startMilliseconds: 1_767_225_600_000)))
    #expect(try lines("truth").map { Array($0) } == run.truth.map(\.json))
    let reader = try KafkaReader(broker.configuration)
    let sample = stride(from: 0, to: 2_000, by: 97).map { run.records[$0] }
    for record in sample.sorted(by: { ($0.partition, $0.offset) < ($1.partition, $1.offset) }) {
      let place = TopicPartition("auths", record.partition)
      guard case .record(let found) = try reader.read(place, offset: record.offset, timeoutMilliseconds: 10_000) else {
        Issue.record("nothing at \(place)@\(record.offset)")
        continue
      }
      #expect(found.key == Array(record.key.utf8))
      #expect(found.value == record.value)
    }
    #expect(Program.run(arguments + ["--truth", path("truth")]) == .environment, "the topic is not fresh any more")
    #expect(Program.run(arguments) == .success, "without a truth that does not matter")
    try? FileManager.default.removeItem(at: directory)
  }

  @Test(.enabled(if: RealKafka.isAvailable("GenerateCommandTests.topicsAreCreatedOnARealKafka")))
  func topicsAreCreatedOnARealKafka() throws {
    let kafka = try RealKafka.shared()
    let topic = RealKafka.uniqueName("generated")
    let arguments = ["generate", "cards", "--events", "500", "--topic", topic, "--bootstrap", kafka.bootstrapServers]
    #expect(Program.run(arguments) == .environment, "nobody made it")
    #expect(Program.run(arguments + ["--create-topic", "--partitions", "2", "--truth", path("truth")]) == .success)
    let admin = try KafkaAdmin(kafka.configuration)
    guard case .found(let found) = try admin.describeTopic(topic, timeoutMilliseconds: 10_000) else {
      Issue.record("the topic is not there")
      return
    }
    #expect(found.partitions.count == 2)
    try? FileManager.default.removeItem(at: directory)
  }
}
