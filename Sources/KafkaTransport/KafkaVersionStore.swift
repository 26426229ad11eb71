internal import Glibc
internal import Kafka
internal import Locking
internal import Pipeline
internal import Telemetry

/// Keeps the contents of versions in the compacted topic `<group>.versions` (the group is the pipeline's name unless it is
/// set): manifests in partition 0, which is small and read as a whole, chunks of files in partition 1. Keys follow from the
/// contents, so writing something twice changes nothing.
final class KafkaVersionStore: Sendable {
  static let manifests: Int32 = 0
  static let chunks: Int32 = 1
  /// The header in which a manifest says from where on the chunks of its files are to be found.
  private static let placeHeader = "chunks-from"
  /// Milliseconds for one question.
  private static let timeout: Int32 = 5_000
  /// Seconds that writing or reading a version is tried for.
  private static let patience = 60

  /// The topic's name.
  let topic: String
  let settings: ClientSettings
  private let makesTopic: Bool
  private let isStopped: @Sendable () -> Bool
  /// Where the chunks of a file begin or a little before, by the file's hash.
  private let places = Lock<[String: Int64]>([:])
  let log = Logger(module: "Kafka")

  /// - Parameter makesTopic: whether the topic is made where it is missing; else that is an error.
  init(settings: ClientSettings, makesTopic: Bool, isStopped: @escaping @Sendable () -> Bool) {
    self.makesTopic = makesTopic
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
    guard makesTopic else {
      throw KafkaError(
        code: .invalidConfig, class: .configuration,
        message:
          "there is no topic `\(topic)`: versions are kept there, and `internal_topics: require` forbids to make it; "
          + "docs/operations.md has its settings")
    }
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

  /// What came of keeping a version.
  struct Publication: Sendable, Hashable {
    /// Whether its manifest was not there.
    var isNew = false
    /// Whether another process may be about to remove what was found of it: it has to be kept once more a little later.
    var isAtRisk = false
  }

  /// Keeps a version, and reads it back.
  ///
  /// - Parameter isTrusting: whether one whose manifest was written lately is taken to be there: whoever wrote it has read it
  ///   back.
  func publish(_ content: VersionContent, isTrusting: Bool = false) throws(PipelineFailure) -> Publication {
    let manifest = content.manifest
    var publication = Publication()
    try retrying { () throws(KafkaError) in
      let found = try self.readManifests()
      let now = Self.now
      publication.isNew = found[manifest.id] == nil
      if isTrusting, let there = found[manifest.id], now - there.written < VersionCleaning.margin / 2 {
        if now - there.written > VersionCleaning.renewal { try self.renew(manifest) }
        return
      }
      publication.isAtRisk = Self.cleaning(found).isAtRisk(manifest)
      try self.write(content, known: self.places.withLock { $0 })
      if try self.contents(of: [manifest.id])[manifest.id] == nil {
        // Chunks that were there are gone.
        try self.write(content, known: [:])
        guard try self.contents(of: [manifest.id])[manifest.id] != nil else {
          throw KafkaError(
            code: .fatal, class: .fatal, message: "topic `\(self.topic)`: version \(manifest.id) can't be read back")
        }
      }
    }
    return publication
  }

  /// Milliseconds since 1970.
  static var now: Int64 { Int64(time(nil)) * 1_000 }

  /// A producer of records, each of which is waited for.
  func makeProducer(_ properties: [String: String] = [:]) throws(KafkaError) -> KafkaProducer {
    var configuration = settings.producer.merging(properties)
    configuration["transactional.id"] = nil
    configuration["transaction.timeout.ms"] = nil
    return try KafkaProducer(configuration)
  }

  private func write(_ content: VersionContent, known: [String: Int64]) throws(KafkaError) {
    let producer = try makeProducer()
    defer { producer.destroy() }
    let records = content.records(known: Set(known.keys))
    var places = known
    for record in records.dropLast() {
      let offset = try send(record, to: Self.chunks, [], producer)
      guard case .chunk(let hash, _)? = VersionKey(record.key) else { continue }
      places[hash] = min(places[hash] ?? offset, offset)
    }
    let written = places
    self.places.withLock { $0.merge(written) { $1 } }
    try write(content.manifest, producer)
  }

  /// Writes a manifest, with the place from which on its chunks are found.
  func write(_ manifest: VersionManifest, _ producer: KafkaProducer) throws(KafkaError) {
    let places = places.withLock { $0 }
    let first = manifest.blobs.map { places[$0.hash] ?? 0 }.min() ?? 0
    let headers = [KafkaHeader(Self.placeHeader, Array("\(first)".utf8))]
    _ = try send(VersionRecord(manifest), to: Self.manifests, headers, producer)
  }

  /// Files that were taken away are written again when they are wanted.
  func forgetPlaces(of hashes: some Sequence<String>) {
    places.withLock { places in
      for hash in hashes { places[hash] = nil }
    }
  }

  /// Writes one record and waits for it: what it is for must not overtake it.
  func send(
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
    func add(_ record: KafkaRecord) {
      if let key = record.key { assembly.add(VersionRecord(key: key, value: record.value)) }
    }
    try forEach(Self.chunks, from: first) { add($0) }
    var contents = whole(found.keys, assembly)
    if contents.count < found.count, first > 0 {
      try forEach(Self.chunks, from: 0) { add($0) }
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

  /// A manifest that is there.
  struct Found {
    var manifest: VersionManifest
    var place: Int64
    /// In milliseconds since 1970.
    var written: Int64
  }

  func readManifests() throws(KafkaError) -> [VersionID: Found] {
    var found: [VersionID: Found] = [:]
    var places: [String: Int64] = [:]
    try forEach(Self.manifests, from: 0) { record in
      guard let key = record.key, case .manifest(let id)? = VersionKey(key) else { return }
      do throws(VersionError) {
        guard let value = record.value else {
          found[id] = nil
          return
        }
        let manifest = try VersionManifest(value)
        guard manifest.id == id else { throw .damaged("a manifest stands under another's name, \(id)") }
        let place =
          record.headers.last { $0.name == Self.placeHeader }?.value
          .flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
        found[id] = Found(manifest: manifest, place: place, written: record.timestamp)
      } catch {
        self.log.error("a version can't be had", ["topic": self.topic, "reason": "\(error)"])
      }
    }
    for version in found.values {
      for blob in version.manifest.blobs { places[blob.hash] = max(places[blob.hash] ?? 0, version.place) }
    }
    let read = places
    self.places.withLock { $0 = read }
    return found
  }

  /// All records of a partition that are there now, from an offset on.
  private func forEach(
    _ partition: Int32, from offset: Int64, _ body: (KafkaRecord) -> Void
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
        body(record)
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
