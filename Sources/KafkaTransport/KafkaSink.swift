internal import Events
internal import Kafka
internal import Locking
internal import Pipeline
internal import Telemetry

/// Outputs and offsets in one transaction.
///
/// Nothing is ever aborted. A transaction that does not go through is settled by a new producer of the same
/// `transactional.id`, whose `init_transactions` ends what the old one left, and by the group's stable committed offsets.
final class KafkaSink: Sink, @unchecked Sendable {
  // Unchecked: what is not in a lock belongs to the committer's queue.
  /// Milliseconds that a transaction is tried for before it is settled anew.
  private static let commitTimeout: Int64 = 60_000

  private let producer: TransactionalProducer
  private let topics: OutputTopics
  private let committed: @Sendable ([PartitionID]) throws(KafkaError) -> [PartitionID: Position]
  private let group = Lock<GroupMetadata?>(nil)
  /// Partitions of which a transaction of our name that did not go through may have left an offset pending in the group: at
  /// first all, because of an earlier process. Our next commit would make it take effect: so it is asked first whether their
  /// offsets are stable, also where they have been given up since.
  private var doubtful: Set<PartitionID> = []
  private let log = Logger(module: "Kafka")

  init(
    settings: ClientSettings, topics: OutputTopics,
    committed: @escaping @Sendable ([PartitionID]) throws(KafkaError) -> [PartitionID: Position]
  ) {
    producer = TransactionalProducer(
      settings.producer, id: settings.transactionalID, transactionTimeout: settings.transactionTimeout,
      patience: Self.commitTimeout)
    self.topics = topics
    self.committed = committed
  }

  /// Takes the transactional id over, before the first commit; `all`: the partitions that an earlier process of our name may
  /// have had.
  func open(_ all: some Sequence<PartitionID>) throws(SinkFailure) {
    doubtful = Set(all)
    try renew()
  }

  func close() { producer.close() }

  /// From now on offsets go out with this membership: captured when an assignment was taken, after what was revoked before
  /// it had been given up.
  func setGroup(_ group: GroupMetadata?) { self.group.withLock { $0 = group } }

  func abandon() { producer.abandon() }

  // MARK: Committing

  func commit(_ transaction: Transaction) throws(SinkFailure) {
    guard producer.isOpen, let group = group.withLock({ $0 }) else {
      throw .lost("there is no producer, or no membership in the group")
    }
    if !doubtful.isEmpty { _ = try stable([]) }
    do throws(FailedTransaction) {
      try producer.commit(transaction.offsets, group: group) { producer, _ throws(KafkaError) in
        if let failure = produce(transaction, producer) { throw failure }
      }
    } catch {
      doubtful.formUnion(transaction.pairs.map(\.partition))
      throw failure(error)
    }
    producer.endAbandonment()
  }

  private func produce(_ transaction: Transaction, _ producer: KafkaProducer) -> KafkaError? {
    for (pairIndex, pair) in transaction.pairs.enumerated() {
      for (outputIndex, output) in pair.outputs.enumerated() {
        let place = OutputTag(pair: pairIndex, output: outputIndex)
        do throws(KafkaError) {
          try topics.produce(output, with: producer, tag: place)
        } catch {
          if error.isUnwritableRecord { unwritable.append(place.place) } else { return error }
        }
      }
    }
    guard unwritable.isEmpty else {
      return KafkaError(code: .messageTooLarge, message: "an output is larger than message.max.bytes")
    }
    return nil
  }

  /// Outputs that `produce` itself refused.
  private var unwritable: [SinkFailure.Place] = []

  private func failure(_ failed: FailedTransaction) -> SinkFailure {
    producer.endAbandonment()
    defer { unwritable.removeAll() }
    let refused = failed.deliveries.filter { $0.error?.isUnwritableRecord ?? false }.map { OutputTag($0.opaque).place }
    var trouble = failed.trouble
    trouble.unwritable = unwritable + refused
    if !trouble.unwritable.isEmpty, let told = failed.deliveries.lazy.compactMap(\.error).first {
      trouble.reason = "\(told)"
    }
    return trouble.failure
  }

  // MARK: Settling

  func recover(_ partitions: [PartitionID]) throws(SinkFailure) -> [PartitionID: Position] {
    try renew()
    return try stable(partitions)
  }

  private func renew() throws(SinkFailure) {
    do throws(SinkFailure) {
      try producer.renew()
    } catch {
      producer.endAbandonment()
      throw error
    }
  }

  /// What is committed of these partitions, once nothing of ours can be pending any more.
  private func stable(_ partitions: [PartitionID]) throws(SinkFailure) -> [PartitionID: Position] {
    let asked = doubtful.union(partitions).sorted()
    guard let first = asked.first else { return [:] }
    do throws(KafkaError) {
      let found = try committed(asked)
      doubtful.removeAll()
      return found
    } catch {
      if let group = group.withLock({ $0 }) { endHangingOffsets(first, group) }
      throw .lost("\(error)")
    }
  }

  /// Ends an offset that hangs in the group, which is why stable offsets can't be had: a request of an earlier producer of
  /// our name that a broker took up only after that producer's transaction had ended (a broker that stood still) leaves an
  /// offset pending which no marker will follow. A transaction of the same name that takes part in the group and is left to
  /// the next producer ends both. Nothing of it is ever committed. On the committer's queue.
  func endHangingOffsets(_ partition: PartitionID, _ group: GroupMetadata) {
    // Where the last one could not be replaced, nothing but this asks for another while no partition is taken up.
    if !producer.isOpen { try? renew() }
    guard producer.isOpen else { return }
    doubtful.insert(partition)
    log.warning("stable offsets can't be had: ending what may hang in the group", ["partition": "\(partition)"])
    do throws(KafkaError) {
      try producer.leaveOpen(TopicPartitionOffset(partition.topic, partition.number, offset: 0), group: group)
    } catch {
      log.warning("a hanging offset could not be ended", ["error": "\(error)"])
    }
    // Without a producer, the next commit is lost and its recovery makes one.
    try? renew()
  }

  /// Whether another process has taken our transactional id; see `NameProbe`. On the committer's queue.
  ///
  /// - Returns: nil where no coordinator has answered, or there is no producer.
  func isNameTaken(_ partition: PartitionID, _ group: GroupMetadata) -> Bool? {
    guard producer.isOpen else { return nil }
    doubtful.insert(partition)
    return producer.isNameTaken(TopicPartitionOffset(partition.topic, partition.number, offset: 0), group)
  }
}
