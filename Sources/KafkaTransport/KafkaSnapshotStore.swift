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
final class KafkaSnapshotStore: SnapshotStore {
  private struct Member {
    var group: GroupMetadata?
    var fence = 0
  }

  /// On the snapshotter's queue.
  private let producer: TransactionalProducer
  private let topics: StateTopics
  private let codec: SnapshotCodec
  private let reader: KafkaSnapshotReader
  private let member = Lock(Member())
  private let log = Logger(module: "Kafka")

  init(settings: ClientSettings, topics: StateTopics, format: Int) {
    producer = TransactionalProducer(
      settings.stateProducer, id: settings.stateTransactionalID,
      transactionTimeout: ClientSettings.stateTransactionTimeout, patience: ClientSettings.stateTransactionTimeout)
    self.topics = topics
    codec = SnapshotCodec(format: format)
    reader = KafkaSnapshotReader(settings: settings, topics: topics)
  }

  /// Takes the transactional id over, so that a predecessor's cut is settled before partitions are taken up.
  func open() throws(SnapshotFailure) {
    do throws(SinkFailure) { try producer.renew() } catch { throw SnapshotFailure(error) }
  }

  func close() { producer.close() }

  /// From now on cuts that were handed out under this fence go out with this membership, and no others.
  func setGroup(_ group: GroupMetadata?, fence: Int) {
    member.withLock {
      $0.group = group
      $0.fence = fence
    }
  }

  func abandon() { producer.abandon() }

  // MARK: Writing

  func write(_ cut: SnapshotCut, fence: Int) throws(SnapshotFailure) {
    // Captured once: a cut never goes out under a later assignment than the one it was handed out in.
    let group = member.withLock { $0.fence == fence ? $0.group : nil }
    guard let group, group.isMember else { throw .stale }
    if !producer.isOpen { try open() }
    let offset = TopicPartitionOffset(topics.place(of: cut.partition), offset: 0)
    do throws(FailedTransaction) {
      try producer.commit([offset], group: group) { producer, began throws(KafkaError) in
        try produce(cut, producer, began)
      }
    } catch {
      close()
      let failure = self.failure(error, cut)
      // At once, though nothing may be left to write: what stays open hides what others write, and they wait for it.
      if case .failed = failure {} else { try? producer.renew() }
      throw failure
    }
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
        guard error.code == .queueFull, self.producer.isGoingOn(began) else { throw error }
        usleep(1_000)
        try? producer.flush(timeoutMilliseconds: 100)
        // Outcomes of records that were written are of no interest: the commit tells of those that were not.
        _ = producer.pollDeliveries()
      }
    }
  }

  /// What it means that a cut was not written.
  private func failure(_ failed: FailedTransaction, _ cut: SnapshotCut) -> SnapshotFailure {
    let missing = failed.errors.first(where: \.isUnknownTopic)
    var trouble = SnapshotTrouble(failed.trouble)
    if let missing { trouble.transaction.reason = "\(missing)" }
    trouble.refusal = failed.errors.first(where: \.isUnwritableRecord).map {
      "a record of state can't be written to \(topics.place(of: cut.partition)): \($0)"
    }
    trouble.isTopicMissing = missing != nil
    trouble.isStale = [.illegalGeneration, .unknownMember].contains(failed.error.code)
    return trouble.failure
  }

  /// Ends an offset of the state's partition that hangs in the group, as `KafkaSink.endHangingOffsets` does for the input's: it
  /// is pending by the producer of this id, so that only a mark of this one's ends it. On the snapshotter's queue.
  func endHangingOffsets(_ partition: PartitionID, _ group: GroupMetadata) {
    if !producer.isOpen { try? producer.renew() }
    guard producer.isOpen else { return }
    do throws(KafkaError) {
      try producer.leaveOpen(TopicPartitionOffset(topics.place(of: partition), offset: 0), group: group)
    } catch {
      log.warning("a hanging offset of state could not be ended", ["error": "\(error)"])
    }
    // Without a producer, the next cut makes one.
    try? producer.renew()
  }

  /// Whether another process has taken our transactional id; see `NameProbe`. On the snapshotter's queue.
  ///
  /// - Returns: nil where no coordinator has answered, or there is no producer.
  func isNameTaken(_ partition: PartitionID, _ group: GroupMetadata) -> Bool? {
    producer.isNameTaken(TopicPartitionOffset(topics.place(of: partition), offset: 0), group)
  }

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
