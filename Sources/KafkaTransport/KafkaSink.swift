internal import Events
internal import Glibc
internal import Kafka
internal import Locking
internal import Pipeline
internal import Telemetry

/// Outputs and offsets in one transaction.
///
/// Nothing is ever aborted. A transaction that does not go through is settled by a new producer of the same
/// `transactional.id`, whose `init_transactions` ends what the old one left, and by the group's stable committed offsets.
final class KafkaSink: Sink, @unchecked Sendable {
  // Unchecked: `producer` belongs to the committer's queue; what other threads touch is in `shared`.
  private struct Shared {
    var group: GroupMetadata?
    var isAbandoned = false
  }

  /// Milliseconds that one call to librdkafka may block, so that an abandonment is noticed.
  private static let callTimeout: Int32 = 1_000
  /// Milliseconds that a transaction is tried for before it is settled anew.
  private static let commitTimeout: Int64 = 60_000
  /// Milliseconds between two tries of a call that can be tried again.
  private static let retryPause: useconds_t = 20_000

  private let settings: ClientSettings
  private let topics: OutputTopics
  private let committed: @Sendable ([PartitionID]) throws(KafkaError) -> [PartitionID: Position]
  private let shared = Lock(Shared())
  private var producer: KafkaProducer?
  /// Partitions of which a transaction of our name that did not go through may have left an offset pending in the group: at
  /// first all, because of an earlier process. Our next commit would make it take effect: so it is asked first whether their
  /// offsets are stable, also where they have been given up since.
  private var doubtful: Set<PartitionID> = []
  private let log = Logger(module: "Kafka")

  init(
    settings: ClientSettings, topics: OutputTopics,
    committed: @escaping @Sendable ([PartitionID]) throws(KafkaError) -> [PartitionID: Position]
  ) {
    self.settings = settings
    self.topics = topics
    self.committed = committed
  }

  /// Takes the transactional id over, before the first commit; `all`: the partitions that an earlier process of our name may
  /// have had.
  func open(_ all: some Sequence<PartitionID>) throws(SinkFailure) {
    doubtful = Set(all)
    producer = try makeProducer()
  }

  func close() {
    producer?.destroy()
    producer = nil
  }

  /// From now on offsets go out with this membership: captured when an assignment was taken, after what was revoked before
  /// it had been given up.
  func setGroup(_ group: GroupMetadata?) { shared.withLock { $0.group = group } }

  func abandon() { shared.withLock { $0.isAbandoned = true } }

  // MARK: Committing

  func commit(_ transaction: Transaction) throws(SinkFailure) {
    let group = shared.withLock { $0.group }
    guard let producer, let group else { throw .lost("there is no producer, or no membership in the group") }
    if !doubtful.isEmpty { _ = try stable([]) }
    let began = ContinuousClock.now
    do throws(KafkaError) {
      try retrying(began) { () throws(KafkaError) in try producer.beginTransaction() }
      if let failure = produce(transaction, producer) { throw failure }
      try retrying(began) { () throws(KafkaError) in
        try producer.sendOffsets(transaction.offsets, group: group, timeoutMilliseconds: Self.callTimeout)
      }
      try retrying(began) { () throws(KafkaError) in
        try producer.commitTransaction(timeoutMilliseconds: Self.callTimeout)
      }
    } catch {
      doubtful.formUnion(transaction.pairs.map(\.partition))
      throw failure(error, producer, age: began.duration(to: .now))
    }
    shared.withLock { $0.isAbandoned = false }
    _ = producer.pollDeliveries()
    tellNotices(producer)
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

  /// Repeats a call that can be tried again, while the sink is not abandoned and time is left.
  private func retrying(
    _ began: ContinuousClock.Instant, _ body: () throws(KafkaError) -> Void
  ) throws(KafkaError) {
    while true {
      do throws(KafkaError) {
        return try body()
      } catch {
        guard error.class == .retriable, began.duration(to: .now) < .milliseconds(Self.commitTimeout),
          !shared.withLock({ $0.isAbandoned })
        else { throw error }
        usleep(Self.retryPause)
      }
    }
  }

  private func failure(
    _ error: KafkaError, _ producer: KafkaProducer, age: Duration
  ) -> SinkFailure {
    shared.withLock { $0.isAbandoned = false }
    defer { unwritable.removeAll() }
    let deliveries = producer.pollDeliveries()
    let refused = deliveries.filter { $0.error?.isUnwritableRecord ?? false }.map { OutputTag($0.opaque).place }
    tellNotices(producer)
    let cause = producer.fatalError ?? error
    var trouble = TransactionTrouble(
      reason: "\(error)", age: Int64(age / .milliseconds(1)), transactionTimeout: settings.transactionTimeout)
    trouble.unwritable = unwritable + refused
    if !trouble.unwritable.isEmpty, let told = deliveries.lazy.compactMap(\.error).first { trouble.reason = "\(told)" }
    let errors = [error, cause] + deliveries.compactMap(\.error)
    trouble.denial = errors.first(where: \.isPermission).map { "\($0)" }
    if error.isProducerFenced || cause.isProducerFenced { trouble.fence = fencedMessage(cause) }
    return trouble.failure
  }

  private func fencedMessage(_ error: KafkaError) -> String {
    "another process runs as `\(settings.transactionalID)` and has taken over; give each process a name of its own with "
      + "--instance [\(error.code.name)]"
  }

  // MARK: Settling

  func recover(_ partitions: [PartitionID]) throws(SinkFailure) -> [PartitionID: Position] {
    producer?.destroy()
    producer = nil
    producer = try makeProducer()
    return try stable(partitions)
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
      if let group = shared.withLock({ $0.group }) { endHangingOffsets(first, group) }
      throw .lost("\(error)")
    }
  }

  /// Ends an offset that hangs in the group, which is why stable offsets can't be had: a request of an earlier producer of
  /// our name that a broker took up only after that producer's transaction had ended (a broker that stood still) leaves an
  /// offset pending which no marker will follow. A transaction of the same name that takes part in the group and is left to
  /// the next producer ends both. Nothing of it is ever committed. On the committer's queue.
  func endHangingOffsets(_ partition: PartitionID, _ group: GroupMetadata) {
    // Where the last one could not be replaced, nothing but this asks for another while no partition is taken up.
    guard let producer = producer ?? (try? makeProducer()) else { return }
    doubtful.insert(partition)
    log.warning("stable offsets can't be had: ending what may hang in the group", ["partition": "\(partition)"])
    do throws(KafkaError) {
      try producer.beginTransaction()
      let offset = TopicPartitionOffset(partition.topic, partition.number, offset: 0)
      try producer.sendOffsets([offset], group: group, timeoutMilliseconds: 5 * Self.callTimeout)
    } catch {
      log.warning("a hanging offset could not be ended", ["error": "\(error)"])
    }
    producer.destroy()
    // Without one, the next commit is lost and its recovery makes one.
    self.producer = try? makeProducer()
  }

  /// Whether another process has taken our transactional id; see `NameProbe`. On the committer's queue.
  ///
  /// - Returns: nil where no coordinator has answered, or there is no producer.
  func isNameTaken(_ partition: PartitionID, _ group: GroupMetadata) -> Bool? {
    guard let producer else { return nil }
    doubtful.insert(partition)
    defer { close() }
    return NameProbe.isTaken(producer, TopicPartitionOffset(partition.topic, partition.number, offset: 0), group)
  }

  private func makeProducer() throws(SinkFailure) -> KafkaProducer {
    do throws(KafkaError) {
      let producer = try KafkaProducer(settings.producer)
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
      shared.withLock { $0.isAbandoned = false }
      // Fenced here: another process has taken the name in this very moment.
      if error.isProducerFenced { throw .failed(PipelineFailure(.fenced, fencedMessage(error))) }
      if error.class == .configuration { throw .failed(PipelineFailure(.configuration, "\(error)")) }
      throw .lost("\(error)")
    }
  }

  private func tellNotices(_ producer: KafkaProducer) { ClientLog.tell(producer.takeNotices(), log) }
}
