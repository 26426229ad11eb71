import Detection
import Events
import Glibc
import Kafka
import KafkaTestSupport
import Pipeline
import Testing

@testable import KafkaTransport

/// Snapshots in a real state topic, against a map in memory.
@Suite(.serialized, .enabled(if: RealKafka.isAvailable("snapshots")))
struct SnapshotStoreTests {
  /// A pipeline's topics, its settings, and a member of its group.
  private struct Bench {
    let kafka: RealKafka
    let name = RealKafka.uniqueName("snap")
    let settings: ClientSettings
    let topics: StateTopics
    let partition: PartitionID

    init() throws {
      kafka = try RealKafka.shared()
      let read = PipelineFile.read(
        bytes: Array(
          """
          tocsin: 1
          pipeline: \(name)
          sources:
            s:
              topic: \(name).in
              format: json
              time: { field: ts }
              fields: { ts: { at: /ts, type: timestamp_ms } }
          rules: [{ id: a, where: "true" }]
          outputs: { alerts: { topic: \(name).alerts } }
          """.utf8), path: "test.yaml", environment: [:])
      let plan = try #require(read.plan)
      settings = ClientSettings(
        plan: plan, properties: kafka.configuration.properties, instance: "i")
      topics = StateTopics(group: name, source: plan.source.topic)
      partition = PartitionID(plan.source.topic, 1)
      let errors = try KafkaAdmin(kafka.configuration).createTopics(
        [
          NewTopic(plan.source.topic, partitions: 2),
          NewTopic(topics.name(of: plan.source.topic), partitions: 2, configuration: StateTopics.configuration),
        ], timeoutMilliseconds: 20_000)
      for error in errors.values { throw error }
      // A leader may not know of its new partition yet.
      let probe = KafkaSnapshotReader(settings: settings, topics: topics)
      for _ in 0..<200 where (try? probe.lastMarkers(of: [partition], isCancelled: { false })) == nil { usleep(50_000) }
    }

    func store() throws -> KafkaSnapshotStore {
      let store = KafkaSnapshotStore(settings: settings, topics: topics, format: 1)
      try store.open()
      return store
    }

    func member() throws -> GroupMember { try GroupMember(kafka, group: name, topic: "\(name).in") }

    func cut(_ offset: Int64, series: UInt32 = 0, _ records: [StateRecord], obsolete: [[UInt8]] = []) -> SnapshotCut {
      SnapshotCut(
        partition: partition,
        marker: SnapshotMarker(
          offset: offset, sequence: offset, series: series, seed: HashSeed(first: 5, second: 6), topic: partition.topic,
          partitionCount: 2, versions: ["pipeline": "sha256:1"], recordCount: Int64(records.count),
          header: [UInt8](repeating: 7, count: 40)), records: records, obsolete: obsolete)
    }

    /// Reads the state at this offset: a commit is told as soon as it is decided, and readers see it a little later.
    func read(_ store: KafkaSnapshotStore, at offset: Int64) throws -> (marker: StoredMarker, contents: Contents) {
      var found: StoredMarker?
      for _ in 0..<200 where found?.marker.offset != offset {
        found = try store.lastMarkers(of: [partition])[partition]
        if found?.marker.offset != offset { usleep(50_000) }
      }
      let marker = try #require(found)
      #expect(marker.marker.offset == offset)
      let contents = Contents()
      try store.read(partition, upTo: marker, into: contents)
      return (marker, contents)
    }
  }

  private final class Contents: SnapshotReading {
    var state: [[UInt8]: [UInt8]] = [:]
    var twice = 0
    var obsolete: Set<[UInt8]> = []
    var remaining: Int64 = -1
    var isCancelled = false

    func restore(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(StateError) {
      if state.updateValue(Array(value), forKey: Array(key)) != nil { twice += 1 }
    }
    func obsolete(key: UnsafeRawBufferPointer) { obsolete.insert(Array(key)) }
    func progress(records: Int64, bytes: Int64, remaining: Int64) { self.remaining = remaining }
  }

  @Test func whatWasWrittenIsReadEachKeyOnceAtItsLatest() throws {
    let bench = try Bench()
    let member = try bench.member()
    defer { member.leave() }
    let store = try bench.store()
    defer { store.close() }
    #expect(try store.lastMarkers(of: [bench.partition]) == [:])
    store.setGroup(try member.membership(), fence: 1)
    var random = SystemRandomNumberGenerator()
    var model: [[UInt8]: [UInt8]] = [:]
    for round in 1...6 {
      // The fourth is large: several runs of the backward reader.
      let records = (0..<(round == 4 ? 9_000 : 300)).map { _ -> StateRecord in
        let key = withUnsafeBytes(of: UInt32.random(in: 0..<6_000, using: &random)) { Array($0) }
        let isGone = Int.random(in: 0..<5, using: &random) == 0
        let value = [UInt8](repeating: UInt8(round), count: Int.random(in: 0...200, using: &random))
        return StateRecord(key: key, value: isGone ? nil : value)
      }
      for record in records { model[record.key] = record.value }
      let cut = bench.cut(Int64(round), records)
      try store.write(cut, fence: 1)
      if round.isMultiple(of: 2) { try store.write(cut, fence: 1) }
      let (marker, contents) = try bench.read(store, at: Int64(round))
      #expect(marker.marker == cut.marker)
      #expect(contents.state == model && contents.twice == 0 && contents.remaining == 0)
    }
    // A new series: what is of the old one is told apart, and taken away by name.
    try store.write(bench.cut(9, series: 1, [StateRecord(key: [1], value: [2])]), fence: 1)
    let (marker, contents) = try bench.read(store, at: 9)
    #expect(marker.marker.series == 1 && contents.state == [[1]: [2]] && contents.obsolete.count == model.count)
    try store.write(bench.cut(10, series: 1, [], obsolete: Array(contents.obsolete)), fence: 1)
    let after = try bench.read(store, at: 10).contents
    #expect(after.state == [[1]: [2]] && after.obsolete.isEmpty)
    let cancelled = Contents()
    cancelled.isCancelled = true
    #expect(throws: SnapshotFailure.cancelled) { try store.read(bench.partition, upTo: marker, into: cancelled) }
  }

  @Test func aCutOfAnOlderGenerationIsRefusedAndSeenByNobody() throws {
    let bench = try Bench()
    let first = try bench.member()
    let store = try bench.store()
    defer { store.close() }
    let old = try first.membership()
    store.setGroup(old, fence: 1)
    try store.write(bench.cut(1, []), fence: 1)
    let second = try bench.member()
    let new = try first.membership(after: old.generation ?? 0)
    // Handed out under an assignment that is over.
    #expect(throws: SnapshotFailure.stale) { try store.write(bench.cut(2, []), fence: 0) }
    // The group has moved on, and the store has not heard of it yet.
    #expect(throws: SnapshotFailure.stale) { try store.write(bench.cut(3, []), fence: 1) }
    #expect(try bench.read(store, at: 1).contents.state == [:])
    store.setGroup(new, fence: 2)
    try store.write(bench.cut(4, []), fence: 2)
    #expect(try bench.read(store, at: 4).contents.state == [:])
    first.leave()
    second.leave()
  }

  @Test func aSecondProcessOfTheNameFencesTheFirst() throws {
    let bench = try Bench()
    let member = try bench.member()
    defer { member.leave() }
    let old = try bench.store()
    let group = try member.membership()
    old.setGroup(group, fence: 1)
    #expect(old.isNameTaken(bench.partition, group) == false)
    try old.write(bench.cut(1, []), fence: 1)
    let new = try bench.store()
    defer { new.close() }
    do throws(SnapshotFailure) {
      try old.write(bench.cut(2, []), fence: 1)
      Issue.record("a fenced store has written")
    } catch {
      guard case .failed(let failure) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(failure.kind == .fenced && failure.message.contains("-state") && failure.message.contains("--instance"))
    }
    // What hangs of the first is settled: the second reads the last whole cut.
    #expect(try bench.read(new, at: 1).contents.state == [:])
  }

  /// What a producer that died in the middle of a cut has left is seen by nobody; the next one writes the whole cut.
  @Test func halfACutIsNoCut() throws {
    let bench = try Bench()
    let member = try bench.member()
    defer { member.leave() }
    let group = try member.membership()
    var store = try bench.store()
    store.setGroup(group, fence: 1)
    try store.write(bench.cut(1, [StateRecord(key: [1], value: [1])]), fence: 1)
    store.close()
    let dying = try KafkaProducer(bench.settings.stateProducer)
    try dying.initTransactions(timeoutMilliseconds: 20_000)
    try dying.beginTransaction()
    let place = bench.topics.place(of: bench.partition)
    let codec = SnapshotCodec()
    let key = codec.key([1], series: 0)
    try dying.produce(
      topic: place.topic, partition: place.partition, key: key, value: codec.seal(key, [66]))
    try dying.flush(timeoutMilliseconds: 20_000)
    // While it is undecided, it may hide whole cuts of others: it is waited for.
    let other = KafkaSnapshotStore(settings: bench.settings, topics: bench.topics, format: 1)
    let began = ContinuousClock.now
    #expect(throws: SnapshotFailure.cancelled) {
      try other.lastMarkers(
        of: [bench.partition], isCancelled: { began.duration(to: .now) > .seconds(2) })
    }
    dying.destroy()
    store = try bench.store()
    defer { store.close() }
    store.setGroup(group, fence: 1)
    #expect(try bench.read(store, at: 1).contents.state == [[1]: [1]])
    try store.write(bench.cut(2, [StateRecord(key: [1], value: [2])]), fence: 1)
    #expect(try bench.read(store, at: 2).contents.state == [[1]: [2]])
  }

  @Test func damageIsRefusedWithItsPlace() throws {
    let bench = try Bench()
    let member = try bench.member()
    defer { member.leave() }
    let store = try bench.store()
    defer { store.close() }
    store.setGroup(try member.membership(), fence: 1)
    let producer = try KafkaProducer(bench.kafka.configuration)
    let place = bench.topics.place(of: bench.partition)
    let key = SnapshotCodec().key([1], series: 0)
    try producer.produce(
      topic: place.topic, partition: place.partition, key: key, value: [1, 0, 0, 0, 0, 9])
    try producer.flush(timeoutMilliseconds: 20_000)
    try store.write(bench.cut(2, []), fence: 1)
    var found: StoredMarker?
    for _ in 0..<200 where found == nil {
      found = try store.lastMarkers(of: [bench.partition])[bench.partition]
      if found == nil { usleep(50_000) }
    }
    let marker = try #require(found)
    do throws(SnapshotFailure) {
      try store.read(bench.partition, upTo: marker, into: Contents())
      Issue.record("damaged state was read")
    } catch {
      guard case .failed(let failure) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(failure.kind == .configuration && failure.message.contains("\(place.topic)/1 at offset 0 is damaged"))
    }
  }

  @Test func theStateTopicsSettingsAreLookedAt() {
    func fault(_ partitions: Int, _ configuration: [String: String]?) -> String? {
      StateTopics.fault(
        "x.state", partitions: partitions, configuration: configuration, input: "in", inputPartitions: 4)
    }
    #expect(fault(4, StateTopics.configuration) == nil && fault(4, nil) == nil)
    #expect(fault(3, nil)?.contains("x.state has 3 partitions, and in has 4") == true)
    for policy in ["delete", "compact,delete", "delete, compact"] {
      #expect(fault(4, ["cleanup.policy": policy])?.contains("cleanup.policy=\(policy)") == true)
    }
    for (setting, value) in [("max.message.bytes", "1000012"), ("delete.retention.ms", "60000")] {
      #expect(fault(4, [setting: value])?.contains("\(setting)=\(value), less than") == true)
    }
    let topics = StateTopics(group: "g", source: "in")
    #expect(topics.name(of: "in") == "g.state" && topics.name(of: "g.by-to") == "g.by-to.state")
  }

  @Test func membersHaveNamesUnlessTheNameIsEmpty() throws {
    let bench = try Bench()
    #expect(
      bench.settings.memberName == "\(bench.name)-i" && bench.settings.stateTransactionalID == "\(bench.name)-i-state")
    #expect(bench.settings.stateReader["group.id"] == nil && bench.settings.stateReader["group.instance.id"] == nil)
    #expect(bench.settings.stateProducer["transactional.id"] == "\(bench.name)-i-state")
  }
}
