internal import Events
internal import Glibc
internal import Kafka
internal import Pipeline
internal import Synchronization
internal import Telemetry

/// Outputs first, then offsets: lower latency, and a repeat after a failure, which has the ids of the first time.
final class AtLeastOnceSink: Sink, @unchecked Sendable {
  // Unchecked: `producer` belongs to the committer's queue.
  /// Milliseconds for which outputs are given to be delivered.
  private static let deliveryTimeout: Int64 = 60_000

  private let settings: ClientSettings
  private let topics: OutputTopics
  private let consumer: KafkaConsumer
  private let committed: @Sendable ([PartitionID]) throws(KafkaError) -> [PartitionID: Position]
  private let isAbandoned = Atomic<Bool>(false)
  private var producer: KafkaProducer?
  private let log = Logger(module: "Kafka")

  init(
    settings: ClientSettings, topics: OutputTopics, consumer: KafkaConsumer,
    committed: @escaping @Sendable ([PartitionID]) throws(KafkaError) -> [PartitionID: Position]
  ) {
    self.settings = settings
    self.topics = topics
    self.consumer = consumer
    self.committed = committed
  }

  func close() {
    producer?.destroy()
    producer = nil
  }

  func abandon() { isAbandoned.store(true, ordering: .releasing) }

  func commit(_ transaction: Transaction) throws(SinkFailure) {
    do throws(KafkaError) {
      if producer == nil { producer = try KafkaProducer(settings.producer) }
      guard let producer else { throw KafkaError(code: .destroyed, message: "there is no producer") }
      try deliver(transaction, producer)
      ClientLog.tell(producer.takeNotices(), log)
      try consumer.commit(transaction.offsets)
    } catch {
      isAbandoned.store(false, ordering: .releasing)
      if !refused.isEmpty {
        defer { refused.removeAll() }
        throw .unwritable(refused, "\(error)")
      }
      if error.isPermission { throw .failed(PipelineFailure(.configuration, "\(error)")) }
      if error.isFenced { throw .failed(PipelineFailure(.fenced, "\(error)")) }
      throw .lost("\(error)")
    }
  }

  private var refused: [SinkFailure.Place] = []

  private func deliver(_ transaction: Transaction, _ producer: KafkaProducer) throws(KafkaError) {
    var failure: KafkaError?
    for (pairIndex, pair) in transaction.pairs.enumerated() {
      for (outputIndex, output) in pair.outputs.enumerated() {
        let tag = OutputTag(pair: pairIndex, output: outputIndex)
        do throws(KafkaError) {
          try topics.produce(output, with: producer, tag: tag)
        } catch {
          guard error.isUnwritableRecord else { throw error }
          refused.append(tag.place)
          failure = error
        }
      }
    }
    let began = ContinuousClock.now
    while producer.outstanding > 0 {
      try? producer.flush(timeoutMilliseconds: 500)
      for delivery in producer.pollDeliveries() {
        guard let error = delivery.error else { continue }
        if error.isUnwritableRecord { refused.append(OutputTag(delivery.opaque).place) }
        failure = error
      }
      if began.duration(to: .now) > .milliseconds(Self.deliveryTimeout) || isAbandoned.load(ordering: .acquiring) {
        throw KafkaError(code: .timedOut, message: "delivering outputs")
      }
    }
    if let failure { throw failure }
  }

  func recover(_ partitions: [PartitionID]) throws(SinkFailure) -> [PartitionID: Position] {
    close()
    do throws(KafkaError) {
      return try committed(partitions)
    } catch {
      throw .lost("\(error)")
    }
  }
}
