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

  private func store(makesTopic: Bool = true) throws -> KafkaVersionStore {
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
      plan: plan, properties: ["bootstrap.servers": kafka.bootstrapServers], instance: "one")
    return KafkaVersionStore(settings: settings, makesTopic: makesTopic, isStopped: { false })
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
    for content in contents { #expect(try store.publish(content) == KafkaVersionStore.Publication(isNew: true)) }
    let before = try records()
    #expect(before == 3 + 1 + 1 + 4)
    // Another process finds them, and writes no chunk a second time.
    let other = try self.store()
    try other.open()
    for content in contents { #expect(try other.publish(content) == KafkaVersionStore.Publication()) }
    #expect(try records() == before + 4)
    for content in contents { _ = try other.publish(content, isTrusting: true) }
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
    _ = try store.publish(content)
    let chunk = try #require(content.records().first)
    let producer = try KafkaProducer(kafka.configuration)
    try producer.produce(topic: "\(name).versions", partition: 1, key: chunk.key, value: nil)
    try producer.flush(timeoutMilliseconds: 20_000)
    producer.destroy()
    #expect(try store.contents(of: [content.manifest.id]).isEmpty)
    _ = try store.publish(content)
    #expect(try store.contents(of: [content.manifest.id]) == [content.manifest.id: content])
    #expect(try self.store().contents(of: [content.manifest.id]) == [content.manifest.id: content])
  }

  /// Writes a manifest as if that had been done so many milliseconds ago.
  private func age(_ content: VersionContent, by age: Int64) throws {
    let producer = try KafkaProducer(kafka.configuration)
    defer { producer.destroy() }
    let record = VersionRecord(content.manifest)
    try producer.produce(
      topic: "\(name).versions", partition: 0, key: record.key, value: record.value,
      timestamp: KafkaVersionStore.now - age)
    try producer.flush(timeoutMilliseconds: 20_000)
  }

  /// What is old and not named goes, with the files that nobody else has; whoever wants it again keeps it again.
  @Test func whatNobodyNeedsIsRemoved() throws {
    let store = try store()
    try store.open()
    let contents = (1...4).map { content(300_000, $0) }
    var sharing = contents[0]
    sharing.variables = ["SEED": "another"]
    for content in contents + [sharing] { _ = try store.publish(content) }
    let ids = contents.map(\.manifest.id)
    var asked = 0
    func named() -> Set<VersionID> {
      asked += 1
      return [ids[1]]
    }
    #expect(try store.clean(named: named) == [] && asked == 0, "nothing is old")
    for content in contents[0...2] { try age(content, by: VersionCleaning.margin + 60_000) }
    // Somebody who starts with it now says so, and is not taken in by what is about to go.
    #expect(try store.publish(contents[2], isTrusting: true).isAtRisk)
    #expect(try store.clean(named: named) == [ids[0]] && asked == 1)
    let left = try store.contents(of: Set(ids + [sharing.manifest.id]))
    #expect(Set(left.keys) == Set(ids[1...3] + [sharing.manifest.id]), "\(left.keys)")
    // One more, whose files nobody shares.
    try age(contents[3], by: VersionCleaning.margin + 60_000)
    #expect(try store.clean(named: named) == [ids[3]])
    #expect(try store.contents(of: [ids[3]]).isEmpty)
    #expect(try store.publish(contents[3], isTrusting: true).isNew)
    #expect(try self.store().contents(of: [ids[3]]) == [ids[3]: contents[3]])
  }

  /// A process says that its version is in use by writing the manifest again.
  @Test func whatIsInUseIsRenewed() throws {
    let store = try store()
    try store.open()
    // Which waits until the topic, just made, is there for all.
    _ = try store.publish(content(10, 2))
    let content = content(10, 1)
    #expect(try !store.renew(content.manifest))
    _ = try store.publish(content)
    try age(content, by: VersionCleaning.margin + 60_000)
    #expect(try store.renew(content.manifest))
    #expect(try store.clean(named: { [] }) == [])
    try age(content, by: VersionCleaning.renewal + 60_000)
    _ = try store.publish(content, isTrusting: true)
    let written = try #require(try store.readManifests()[content.manifest.id]).written
    #expect(KafkaVersionStore.now - written < 60_000)
  }

  @Test func aTopicThatMustBeThere() throws {
    let store = try store(makesTopic: false)
    let failure = #expect(throws: PipelineFailure.self) { try store.open() }
    #expect(failure?.kind == .configuration)
    #expect(failure?.message.contains("internal_topics: require") == true, "\(String(describing: failure))")
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
