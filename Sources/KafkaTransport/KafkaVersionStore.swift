internal import Glibc
internal import Kafka
internal import Locking
internal import Pipeline
internal import Telemetry

/// Keeps the contents of versions in the compacted topic `<group>.versions` (the group is the pipeline's name unless it is set): manifests in partition 0, which is small and
/// read as a whole, chunks of files in partition 1. Keys follow from the contents, so writing something twice changes nothing.
final class KafkaVersionStore: Sendable {
  /// What is known of the topic.
  private struct State {
    /// Where the chunks of a file begin or a little before, by the file's hash.
    var places: [String: Int64] = [:]
    var isRead = false
  }

  private static let manifests: Int32 = 0
  private static let chunks: Int32 = 1
  /// The header in which a manifest says from where on the chunks of its files are to be found.
  private static let placeHeader = "chunks-from"
  /// Milliseconds for one question.
  private static let timeout: Int32 = 5_000
  /// Seconds that writing or reading a version is tried for.
  private static let patience = 60

  /// The topic's name.
  let topic: String
  private let settings: ClientSettings
  private let isStopped: @Sendable () -> Bool
  private let state = Lock(State())
  private let log = Logger(module: "Kafka")

  init(settings: ClientSettings, isStopped: @escaping @Sendable () -> Bool) {
    topic = "\(settings.group).versions"
    self.settings = settings
    self.isStopped = isStopped
  }

  // MARK: The topic

  /// Makes the topic where it is missing, and checks it where it is there.
  func open() throws(PipelineFailure) {
    try retrying { () throws(KafkaError) in
      let admin = try KafkaAdmin(self.settings.consumer)
      switch try admin.describeTopic(self.topic, timeoutMilliseconds: Self.timeout) {
      case .missing: try self.create(admin)
      case .found(let found): try self.check(found, admin)
      }
    }
  }

  private func create(_ admin: KafkaAdmin) throws(KafkaError) {
    let new = NewTopic(
      topic, partitions: 2, configuration: ["cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1"])
    let errors = try admin.createTopics([new], timeoutMilliseconds: 20_000)
    if let error = errors[topic], error.code != .topicAlreadyExists { throw error }
    log.info("topics were created", ["topics": topic])
  }

  private func check(_ found: TopicDescription, _ admin: KafkaAdmin) throws(KafkaError) {
    guard found.partitions.count == 2 else {
      throw wrong("it has \(found.partitions.count) partitions, and needs 2")
    }
    let policy: String?
    do throws(KafkaError) {
      policy = try admin.topicConfiguration(topic, timeoutMilliseconds: Self.timeout)?["cleanup.policy"]
    } catch {
      guard error.isPermission else { throw error }
      log.warning("the settings of a topic may not be looked at", ["topic": topic])
      return
    }
    if let policy, policy != "compact" { throw wrong("its cleanup.policy is \(policy), and must be compact") }
  }

  private func wrong(_ what: String) -> KafkaError {
    KafkaError(
      code: .invalidArgument, class: .configuration,
      message: "topic `\(topic)`: \(what): delete it, and it is made anew")
  }

  // MARK: Writing

  /// Keeps a version, and reads it back.
  ///
  /// - Parameter isTrusting: whether one whose manifest is there is taken to be there: whoever wrote it has read it back.
  func publish(_ content: VersionContent, isTrusting: Bool = false) throws(PipelineFailure) {
    let id = content.manifest.id
    try retrying { () throws(KafkaError) in
      if isTrusting || !self.state.withLock({ $0.isRead }) {
        let isThere = try self.readManifests()[id] != nil
        if isTrusting, isThere { return }
      }
      try self.write(content, known: self.state.withLock { $0.places })
      if try self.contents(of: [id])[id] == nil {
        // Chunks that were there are gone.
        try self.write(content, known: [:])
        guard try self.contents(of: [id])[id] != nil else {
          throw KafkaError(
            code: .fatal, class: .fatal, message: "topic `\(self.topic)`: version \(id) can't be read back")
        }
      }
    }
  }

  private func write(_ content: VersionContent, known: [String: Int64]) throws(KafkaError) {
    var configuration = settings.producer
    configuration["transactional.id"] = nil
    configuration["transaction.timeout.ms"] = nil
    let producer = try KafkaProducer(configuration)
    defer { producer.destroy() }
    let records = content.records(known: Set(known.keys))
    var places = known
    for record in records.dropLast() {
      let offset = try send(record, to: Self.chunks, [], producer)
      guard case .chunk(let hash, _)? = VersionKey(record.key) else { continue }
      places[hash] = min(places[hash] ?? offset, offset)
    }
    guard let manifest = records.last else { return }
    let first = content.manifest.blobs.compactMap { places[$0.hash] }.min() ?? 0
    _ = try send(manifest, to: Self.manifests, [KafkaHeader(Self.placeHeader, Array("\(first)".utf8))], producer)
    let written = places
    state.withLock { $0.places.merge(written) { $1 } }
  }

  /// Writes one record and waits for it: what it is for must not overtake it.
  private func send(
    _ record: VersionRecord, to partition: Int32, _ headers: [KafkaHeader], _ producer: KafkaProducer
  ) throws(KafkaError) -> Int64 {
    try producer.produce(topic: topic, partition: partition, key: record.key, value: record.value, headers: headers)
    let began = ContinuousClock.now
    while began.duration(to: .now) < .seconds(Self.patience), !isStopped() {
      guard let delivery = producer.pollDeliveries(timeoutMilliseconds: 100).first else { continue }
      if let error = delivery.error { throw error }
      return delivery.offset
    }
    throw KafkaError(code: .timedOut, message: "writing to topic \(topic)")
  }

  // MARK: Reading

  /// The contents of versions, as far as they are there and whole; of the others it is said why they can't be had.
  func contents(of ids: Set<VersionID>) throws(KafkaError) -> [VersionID: VersionContent] {
    let found = try readManifests().filter { ids.contains($0.key) }
    guard !found.isEmpty else { return [:] }
    var assembly = VersionAssembly(found.values.map(\.manifest))
    let first = found.values.map(\.place).min() ?? 0
    try forEach(Self.chunks, from: first) { assembly.add($0) }
    var contents = whole(found.keys, assembly)
    if contents.count < found.count, first > 0 {
      try forEach(Self.chunks, from: 0) { assembly.add($0) }
      contents = whole(found.keys, assembly)
    }
    for id in found.keys where contents[id] == nil {
      do throws(VersionError) {
        _ = try assembly.content(id)
      } catch {
        log.error("a version can't be had", ["topic": topic, "reason": "\(error)"])
      }
    }
    return contents
  }

  private func whole(
    _ ids: some Collection<VersionID>, _ assembly: VersionAssembly
  ) -> [VersionID: VersionContent] {
    var contents: [VersionID: VersionContent] = [:]
    for id in ids { contents[id] = try? assembly.content(id) }
    return contents
  }

  private struct Found {
    var manifest: VersionManifest
    var place: Int64
  }

  private func readManifests() throws(KafkaError) -> [VersionID: Found] {
    var found: [VersionID: Found] = [:]
    var places: [String: Int64] = [:]
    try forEach(Self.manifests, from: 0) { record, headers in
      guard case .manifest(let id)? = VersionKey(record.key) else { return }
      do throws(VersionError) {
        guard let value = record.value else {
          found[id] = nil
          return
        }
        let manifest = try VersionManifest(value)
        guard manifest.id == id else { throw .damaged("a manifest stands under another's name, \(id)") }
        let place =
          headers.last { $0.name == Self.placeHeader }?.value
          .flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
        found[id] = Found(manifest: manifest, place: place)
        for blob in manifest.blobs { places[blob.hash] = max(places[blob.hash] ?? 0, place) }
      } catch {
        self.log.error("a version can't be had", ["topic": self.topic, "reason": "\(error)"])
      }
    }
    let read = places
    state.withLock { state in
      state.places = read
      state.isRead = true
    }
    return found
  }

  private func forEach(_ partition: Int32, from offset: Int64, _ body: (VersionRecord) -> Void) throws(KafkaError) {
    try forEach(partition, from: offset) { record, _ in body(record) }
  }

  /// All records of a partition that are there now, from an offset on.
  private func forEach(
    _ partition: Int32, from offset: Int64, _ body: (VersionRecord, [KafkaHeader]) -> Void
  ) throws(KafkaError) {
    let reader = try KafkaReader(KafkaConfiguration(readerProperties))
    let place = TopicPartition(topic, partition)
    let began = ContinuousClock.now
    let bounds = try reader.watermarkOffsets(place, timeoutMilliseconds: Self.timeout)
    var next = max(offset, bounds.low)
    while next < bounds.high {
      guard began.duration(to: .now) < .seconds(Self.patience), !isStopped() else {
        throw KafkaError(code: .timedOut, message: "reading topic \(topic)")
      }
      switch try reader.next(place, from: next, timeoutMilliseconds: Self.timeout) {
      case .record(let record):
        next = record.offset + 1
        if let key = record.key { body(VersionRecord(key: key, value: record.value), record.headers) }
      case .notAvailable(.timedOut): continue
      case .notAvailable: return
      }
    }
  }

  /// Those of the consumer but for its group.
  private var readerProperties: [String: String] {
    let left: Set<String> = ["group.id", "group.instance.id", "partition.assignment.strategy", "enable.partition.eof"]
    return settings.consumer.properties.filter { !left.contains($0.key) }
  }

  // MARK: Trying again

  private func retrying(_ body: () throws(KafkaError) -> Void) throws(PipelineFailure) {
    let began = ContinuousClock.now
    while true {
      do throws(KafkaError) {
        return try body()
      } catch {
        // A topic that was just made is not known to every broker at once.
        guard error.class == .retriable || error.isUnknownTopic, began.duration(to: .now) < .seconds(Self.patience),
          !isStopped()
        else {
          throw PipelineFailure(error)
        }
        log.warning("keeping a version failed and is tried again", ["topic": topic, "error": "\(error)"])
        usleep(200_000)
      }
    }
  }
}
