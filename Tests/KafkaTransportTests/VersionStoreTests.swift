import Kafka
import KafkaTestSupport
import Pipeline
import Testing

@testable import KafkaTransport

/// Versions kept in a topic of a real Kafka.
@Suite(.enabled(if: RealKafka.isAvailable("versions"))) struct VersionStoreTests {
  private let kafka: RealKafka
  private let name = RealKafka.uniqueName("versions")

  init() throws { kafka = try RealKafka.shared() }

  private func store() throws -> KafkaVersionStore {
    let text = """
      tocsin: 1
      pipeline: \(name)
      sources:
        s: { topic: t, format: json, time: { field: ts }, fields: { ts: { at: /ts, type: timestamp_ms } } }
      rules: [{ id: r, where: "true" }]
      outputs: { alerts: { topic: a } }
      """
    let plan = try #require(PipelineFile.read(bytes: Array(text.utf8), path: "p.yaml", environment: [:]).plan)
    let settings = ClientSettings(
      plan: plan, properties: ["bootstrap.servers": kafka.bootstrapServers], instance: "one", tellsEnd: false)
    return KafkaVersionStore(settings: settings, isStopped: { false })
  }

  /// Contents of so many bytes, different for each seed.
  private func content(_ count: Int, _ seed: UInt64) -> VersionContent {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return VersionContent(
      pipeline: (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state)
      }, variables: ["SEED": "\(seed)"])
  }

  private func records() throws -> Int { try Kcat.read("\(name).versions", of: kafka.bootstrapServers).count }

  @Test(.enabled(if: Kcat.isAvailable("versions"))) func thereAndBack() throws {
    let store = try store()
    try store.open()
    try store.open()
    let contents = [content(700_000, 1), content(10, 2), content(VersionRecord.chunkSize, 3), content(0, 4)]
    for content in contents { try store.publish(content) }
    let before = try records()
    #expect(before == 3 + 1 + 1 + 4)
    // Another process finds them, and writes no chunk a second time.
    let other = try self.store()
    try other.open()
    for content in contents { try other.publish(content) }
    #expect(try records() == before + 4)
    for content in contents { try other.publish(content, isTrusting: true) }
    #expect(try records() == before + 4)
    let ids = Set(contents.map(\.manifest.id))
    let found = try other.contents(of: ids.union([VersionID(manifest: [9])]))
    #expect(Set(found.keys) == ids)
    for content in contents { #expect(found[content.manifest.id] == content) }
  }

  /// Chunks that somebody took away are written again.
  @Test func whatIsGoneIsWrittenAgain() throws {
    let store = try store()
    try store.open()
    let content = content(600_000, 7)
    try store.publish(content)
    let chunk = try #require(content.records().first)
    let producer = try KafkaProducer(kafka.configuration)
    try producer.produce(topic: "\(name).versions", partition: 1, key: chunk.key, value: nil)
    try producer.flush(timeoutMilliseconds: 20_000)
    producer.destroy()
    #expect(try store.contents(of: [content.manifest.id]).isEmpty)
    try store.publish(content)
    #expect(try store.contents(of: [content.manifest.id]) == [content.manifest.id: content])
    #expect(try self.store().contents(of: [content.manifest.id]) == [content.manifest.id: content])
  }

  @Test(arguments: [(1, "compact", "1 partitions"), (2, "delete", "cleanup.policy is delete")])
  func aWrongTopicIsRefused(partitions: Int, policy: String, message: String) throws {
    let admin = try KafkaAdmin(kafka.configuration)
    _ = try admin.createTopics(
      [NewTopic("\(name).versions", partitions: partitions, configuration: ["cleanup.policy": policy])],
      timeoutMilliseconds: 20_000)
    let store = try store()
    let failure = #expect(throws: PipelineFailure.self) { try store.open() }
    #expect(failure?.kind == .configuration)
    #expect(failure?.message.contains(message) == true, "\(String(describing: failure))")
  }
}
