internal import Detection
internal import Events
internal import Glibc
internal import Kafka
internal import Locking
internal import Pipeline
internal import Telemetry

/// Snapshots in a compacted topic: each cut is one transaction of a producer of its own, so that no alert waits for it. It
/// commits an offset of the state's partition under the group's membership, as a fence only: a member of an older generation
/// is refused, and whoever takes the partition over waits until it is decided.
///
/// Nothing is ever aborted: after anything but success the producer is replaced, whose `init_transactions` settles what the
/// old one left, and the same cut is written again, which changes nothing where it had gone through.
final class KafkaSnapshotStore: SnapshotStore, @unchecked Sendable {
  // Unchecked: `producer` belongs to the snapshotter's queue; what other threads touch is in `shared`.
  private struct Shared {
    var group: GroupMetadata?
    var fence = 0
    var isAbandoned = false
  }

  /// Milliseconds that one call to librdkafka may block, so that an abandonment is noticed.
  private static let callTimeout: Int32 = 1_000
  /// Milliseconds between two tries of a call that can be tried again.
  private static let retryPause: useconds_t = 20_000

  private let settings: ClientSettings
  private let topics: StateTopics
  private let codec: SnapshotCodec
  private let reader: KafkaSnapshotReader
  private let shared = Lock(Shared())
  private var producer: KafkaProducer?
  private let log = Logger(module: "Kafka")

  init(settings: ClientSettings, topics: StateTopics, format: Int) {
    self.settings = settings
    self.topics = topics
    codec = SnapshotCodec(format: format)
    reader = KafkaSnapshotReader(settings: settings, topics: topics)
  }

  /// Takes the transactional id over, so that a predecessor's cut is settled before partitions are taken up.
  func open() throws(SnapshotFailure) { producer = try makeProducer() }

  func close() {
    producer?.destroy()
    producer = nil
  }

  /// From now on cuts that were handed out under this fence go out with this membership, and no others.
  func setGroup(_ group: GroupMetadata?, fence: Int) {
    shared.withLock {
      $0.group = group
      $0.fence = fence
    }
  }

  func abandon() { shared.withLock { $0.isAbandoned = true } }

  // MARK: Writing

  func write(_ cut: SnapshotCut, fence: Int) throws(SnapshotFailure) {
    // Captured once: a cut never goes out under a later assignment than the one it was handed out in.
    let group = shared.withLock { $0.fence == fence ? $0.group : nil }
    guard let group, group.isMember else { throw .stale }
    if producer == nil { producer = try makeProducer() }
    guard let producer else { throw .lost("there is no producer") }
    let began = ContinuousClock.now
    do throws(KafkaError) {
      try retrying(began) { () throws(KafkaError) in try producer.beginTransaction() }
      try produce(cut, producer, began)
      let offset = TopicPartitionOffset(topics.place(of: cut.partition), offset: 0)
      try retrying(began) { () throws(KafkaError) in
        try producer.sendOffsets([offset], group: group, timeoutMilliseconds: Self.callTimeout)
      }
      try retrying(began) { () throws(KafkaError) in
        try producer.commitTransaction(timeoutMilliseconds: Self.callTimeout)
      }
    } catch {
      throw settle(error, cut, producer, age: began.duration(to: .now))
    }
    _ = producer.pollDeliveries()
    tellNotices(producer)
  }

  private func produce(
    _ cut: SnapshotCut, _ producer: KafkaProducer, _ began: ContinuousClock.Instant
  ) throws(KafkaError) {
    let place = topics.place(of: cut.partition)
    for key in cut.obsolete { try put(key, nil, place, producer, began) }
    for record in cut.records {
      let key = codec.key(record.key, series: cut.marker.series)
      try put(key, record.value.map { codec.seal(key, $0) }, place, producer, began)
    }
    try put(SnapshotCodec.markerKey, codec.value(of: cut.marker), place, producer, began)
  }

  /// Queues a record; waits while the producer's queue is full.
  private func put(
    _ key: [UInt8], _ value: [UInt8]?, _ place: TopicPartition, _ producer: KafkaProducer,
    _ began: ContinuousClock.Instant
  ) throws(KafkaError) {
    while true {
      do throws(KafkaError) {
        return try producer.produce(topic: place.topic, partition: place.partition, key: key, value: value)
      } catch {
        guard error.code == .queueFull, isGoingOn(began) else { throw error }
        usleep(1_000)
        try? producer.flush(timeoutMilliseconds: 100)
        // Outcomes of records that were written are of no interest: the commit tells of those that were not.
        _ = producer.pollDeliveries()
      }
    }
  }

  private func isGoingOn(_ began: ContinuousClock.Instant) -> Bool {
    began.duration(to: .now) < .milliseconds(ClientSettings.stateTransactionTimeout)
      && !shared.withLock { $0.isAbandoned }
  }

  /// Repeats a call that can be tried again, while the store is not abandoned and the transaction lives.
  private func retrying(
    _ began: ContinuousClock.Instant, _ body: () throws(KafkaError) -> Void
  ) throws(KafkaError) {
    while true {
      do throws(KafkaError) {
        return try body()
      } catch {
        guard error.class == .retriable, isGoingOn(began) else { throw error }
        usleep(Self.retryPause)
      }
    }
  }

  /// Gives the producer up and says what its error means.
  private func settle(
    _ error: KafkaError, _ cut: SnapshotCut, _ producer: KafkaProducer, age: Duration
  ) -> SnapshotFailure {
    let deliveries = producer.pollDeliveries().compactMap(\.error)
    let cause = producer.fatalError ?? error
    tellNotices(producer)
    producer.destroy()
    self.producer = nil
    let all = [error, cause] + deliveries
    let missing = all.first(where: \.isUnknownTopic)
    var trouble = SnapshotTrouble(
      reason: "\(missing ?? error)", age: Int64(age / .milliseconds(1)),
      transactionTimeout: ClientSettings.stateTransactionTimeout)
    trouble.denial = all.first(where: \.isPermission).map { "\($0)" }
    trouble.refusal = all.first(where: \.isUnwritableRecord).map {
      "a record of state can't be written to \(topics.place(of: cut.partition)): \($0)"
    }
    trouble.isTopicMissing = missing != nil
    trouble.isStale = [.illegalGeneration, .unknownMember].contains(error.code)
    if cause.isProducerFenced || error.isProducerFenced { trouble.fence = fenced(cause).message }
    return trouble.failure
  }

  private func fenced(_ error: KafkaError) -> PipelineFailure {
    PipelineFailure(
      .fenced,
      "another process runs as `\(settings.stateTransactionalID)` and has taken over; give each process a name of its own "
        + "with --instance [\(error.code.name)]")
  }

  /// Ends an offset of the state's partition that hangs in the group, as `KafkaSink.endHangingOffsets` does for the input's: it
  /// is pending by the producer of this id, so that only a mark of this one's ends it. On the snapshotter's queue.
  func endHangingOffsets(_ partition: PartitionID, _ group: GroupMetadata) {
    guard let producer = producer ?? (try? makeProducer()) else { return }
    do throws(KafkaError) {
      try producer.beginTransaction()
      try producer.sendOffsets(
        [TopicPartitionOffset(topics.place(of: partition), offset: 0)], group: group,
        timeoutMilliseconds: 5 * Self.callTimeout)
    } catch {
      log.warning("a hanging offset of state could not be ended", ["error": "\(error)"])
    }
    producer.destroy()
    self.producer = try? makeProducer()
  }

  /// Whether another process has taken our transactional id; see `NameProbe`. On the snapshotter's queue.
  ///
  /// - Returns: nil where no coordinator has answered, or there is no producer.
  func isNameTaken(_ partition: PartitionID, _ group: GroupMetadata) -> Bool? {
    guard let producer else { return nil }
    defer { close() }
    return NameProbe.isTaken(producer, TopicPartitionOffset(topics.place(of: partition), offset: 0), group)
  }

  private func makeProducer() throws(SnapshotFailure) -> KafkaProducer {
    do throws(KafkaError) {
      let producer = try KafkaProducer(settings.stateProducer)
      do throws(KafkaError) {
        try retrying(.now) { () throws(KafkaError) in
          try producer.initTransactions(timeoutMilliseconds: Self.callTimeout)
        }
      } catch {
        tellNotices(producer)
        producer.destroy()
        throw error
      }
      return producer
    } catch {
      if error.isProducerFenced { throw .failed(fenced(error)) }
      if error.class == .configuration { throw .failed(PipelineFailure(.configuration, "\(error)")) }
      throw .lost("\(error)")
    }
  }

  private func tellNotices(_ producer: KafkaProducer) { ClientLog.tell(producer.takeNotices(), log) }

  // MARK: Reading

  func lastMarkers(
    of partitions: [PartitionID], isCancelled: () -> Bool
  ) throws(SnapshotFailure) -> [PartitionID: StoredMarker] {
    try reader.lastMarkers(of: partitions, isCancelled: isCancelled)
  }

  func read(
    _ partition: PartitionID, upTo marker: StoredMarker, into reading: any SnapshotReading
  ) throws(SnapshotFailure) {
    try reader.read(partition, upTo: marker, into: reading)
  }
}
