internal import Events
internal import Kafka
internal import Pipeline
internal import Telemetry

/// A partition's queue as the pipeline pulls it.
final class KafkaPartitionLog: PartitionLog, @unchecked Sendable {
  // Unchecked: all calls come from the worker's one queue.
  /// Milliseconds that librdkafka's main thread may take to answer.
  private static let answerPatience: Int32 = 10_000

  private let queue: PartitionQueue
  private let start: Int64
  private let log = Logger(module: "Kafka")
  private var headers: [UInt8] = []

  /// - Parameter start: where the partition is read from.
  init(_ queue: PartitionQueue, from start: Int64) {
    self.queue = queue
    self.start = start
  }

  func pull(into batch: RecordBatch) -> PullOutcome {
    let pulled = queue.pull(max: batch.capacity - batch.count) { message in append(message, to: batch) }
    var outcome = PullOutcome(isDrained: pulled.isDrained)
    for notice in pulled.notices {
      switch notice {
      case .end(let offset): outcome.end = offset
      case .error(let error) where error.code == .offsetOutOfRange || error.code == .autoOffsetReset:
        outcome.passed = "\(error)"
      case .error(let error): outcome.failure = failure(error)
      }
    }
    return outcome
  }

  private func append(_ message: borrowing KafkaMessage, to batch: RecordBatch) {
    headers.removeAll(keepingCapacity: true)
    message.forEachHeader { name, value in RecordBatch.appendHeader(name: name, value: value, to: &headers) }
    let (offset, timestamp, key, value) = (message.offset, message.timestamp, message.key, message.value)
    headers.withUnsafeBytes {
      batch.append(offset: offset, timestamp: timestamp, key: key, value: value, headers: $0)
    }
  }

  /// nil where it passes by itself.
  private func failure(_ error: KafkaError) -> PipelineFailure? {
    switch error.class {
    case .retriable:
      log.warning("reading \(queue.topicPartition) failed and is tried again", ["error": "\(error)"])
      return nil
    case .configuration: return PipelineFailure(.configuration, "\(queue.topicPartition): \(error)")
    case .abortTransaction, .fatal, .refused:
      return PipelineFailure(.fatal, "\(queue.topicPartition) at offset \(queue.nextOffset ?? -1): \(error)")
    }
  }

  func keepPlace() -> PipelineFailure? {
    do throws(KafkaError) {
      try queue.keepPlace(from: start, timeoutMilliseconds: Self.answerPatience)
      return nil
    } catch {
      return PipelineFailure(.fatal, "\(error)")
    }
  }

  func close() { queue.close() }
}
