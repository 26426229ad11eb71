internal import Glibc
internal import Kafka
internal import Pipeline
internal import Synchronization
internal import Telemetry

/// A transactional id, and the producer that has it at the time. It belongs to one queue, which its calls may block; only
/// `abandon` is for other threads.
///
/// Nothing is ever aborted. A transaction that does not go through is settled by a new producer of the same
/// `transactional.id`, whose `init_transactions` ends what the old one left.
final class TransactionalProducer: @unchecked Sendable {
  // Unchecked: `producer` belongs to the owner's queue.

  /// Milliseconds that one call to librdkafka may block, so that an abandonment is noticed.
  private static let callTimeout: Int32 = 1_000
  /// Milliseconds between two tries of a call that can be tried again.
  private static let retryPause: useconds_t = 20_000

  private let configuration: KafkaConfiguration
  private let id: String
  private let transactionTimeout: Int64
  private let patience: Duration
  private let isAbandoned = Atomic<Bool>(false)
  private var producer: KafkaProducer?
  private let log = Logger(module: "Kafka")

  /// - Parameters:
  ///   - configuration: the producer's, with its `transactional.id`, which is `id`.
  ///   - transactionTimeout: milliseconds after which the broker ends a transaction by itself.
  ///   - patience: milliseconds that a transaction is tried for before it is settled anew.
  init(_ configuration: KafkaConfiguration, id: String, transactionTimeout: Int64, patience: Int64) {
    self.configuration = configuration
    self.id = id
    self.transactionTimeout = transactionTimeout
    self.patience = .milliseconds(patience)
  }

  /// Whether there is a producer.
  var isOpen: Bool { producer != nil }

  // MARK: The producer

  /// Takes the transactional id over with a new producer, which settles what the one before it left.
  func renew() throws(SinkFailure) {
    close()
    producer = try makeProducer()
  }

  func close() {
    producer?.destroy()
    producer = nil
  }

  private func makeProducer() throws(SinkFailure) -> KafkaProducer {
    do throws(KafkaError) {
      let producer = try KafkaProducer(configuration)
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
      // Fenced here: another process has taken the name in this very moment.
      if error.isProducerFenced { throw .failed(PipelineFailure(.fenced, fencedMessage(error))) }
      if error.class == .configuration { throw .failed(PipelineFailure(.configuration, "\(error)")) }
      throw .lost("\(error)")
    }
  }

  /// Whether another process has taken the transactional id; see `NameProbe`. There is no producer after it.
  ///
  /// - Returns: nil where no coordinator has answered, or there is no producer.
  func isNameTaken(_ offset: TopicPartitionOffset, _ group: GroupMetadata) -> Bool? {
    guard let producer else { return nil }
    defer { close() }
    return NameProbe.isTaken(producer, offset, group)
  }

  // MARK: Trying, and giving up

  /// No call is repeated from now on. For any thread.
  func abandon() { isAbandoned.store(true, ordering: .releasing) }

  /// What was abandoned is over: calls are repeated again.
  func endAbandonment() { isAbandoned.store(false, ordering: .releasing) }

  /// Whether what began then is still tried.
  func isGoingOn(_ began: ContinuousClock.Instant) -> Bool {
    began.duration(to: .now) < patience && !isAbandoned.load(ordering: .acquiring)
  }

  /// Repeats a call that can be tried again, while nothing is abandoned and time is left.
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

  // MARK: Transactions

  /// One transaction: what `produce` writes, and these offsets of the group. Once it has not gone through, the producer can
  /// only be given up.
  ///
  /// - Parameter group: captured when the work that leads to these offsets was done.
  func commit(
    _ offsets: [TopicPartitionOffset], group: GroupMetadata,
    produce: (KafkaProducer, _ began: ContinuousClock.Instant) throws(KafkaError) -> Void
  ) throws(FailedTransaction) {
    let began = ContinuousClock.now
    do throws(KafkaError) {
      guard let producer else { throw KafkaError(code: .destroyed, message: "there is no producer") }
      try retrying(began) { () throws(KafkaError) in try producer.beginTransaction() }
      try produce(producer, began)
      try retrying(began) { () throws(KafkaError) in
        try producer.sendOffsets(offsets, group: group, timeoutMilliseconds: Self.callTimeout)
      }
      try retrying(began) { () throws(KafkaError) in
        try producer.commitTransaction(timeoutMilliseconds: Self.callTimeout)
      }
      _ = producer.pollDeliveries()
      tellNotices(producer)
    } catch {
      throw failed(error, age: began.duration(to: .now))
    }
  }

  private func failed(_ error: KafkaError, age: Duration) -> FailedTransaction {
    let deliveries = producer?.pollDeliveries() ?? []
    let cause = producer?.fatalError ?? error
    if let producer { tellNotices(producer) }
    let errors = [error, cause] + deliveries.compactMap(\.error)
    var trouble = TransactionTrouble(
      reason: "\(error)", age: Int64(age / .milliseconds(1)), transactionTimeout: transactionTimeout)
    trouble.denial = errors.first(where: \.isPermission).map { "\($0)" }
    if error.isProducerFenced || cause.isProducerFenced { trouble.fence = fencedMessage(cause) }
    return FailedTransaction(error: error, errors: errors, deliveries: deliveries, trouble: trouble)
  }

  private func fencedMessage(_ error: KafkaError) -> String {
    "another process runs as `\(id)` and has taken over; give each process a name of its own with --instance "
      + "[\(error.code.name)]"
  }

  /// Takes part in the group with a transaction that is left to the next producer: `renew` must follow.
  func leaveOpen(_ offset: TopicPartitionOffset, group: GroupMetadata) throws(KafkaError) {
    guard let producer else { return }
    try producer.beginTransaction()
    try producer.sendOffsets([offset], group: group, timeoutMilliseconds: 5 * Self.callTimeout)
  }

  private func tellNotices(_ producer: KafkaProducer) { ClientLog.tell(producer.takeNotices(), log) }
}

/// A transaction that did not go through, or of which it is not known.
struct FailedTransaction: Error {
  /// What the call said.
  var error: KafkaError
  /// That, the error that has ended the producer, and those of records, in this order.
  var errors: [KafkaError]
  /// What became of records.
  var deliveries: [DeliveryResult]
  /// What is known of it, but for the records that can never be written.
  var trouble: TransactionTrouble
}
