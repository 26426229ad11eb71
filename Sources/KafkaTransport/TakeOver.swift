internal import Detection
internal import Dispatch
internal import Glibc
internal import Kafka
internal import Pipeline
internal import Telemetry

/// Finds out where newly assigned partitions are to be taken up: off the control thread, because the stable committed offset
/// waits until a predecessor's transactions are decided.
final class TakeOver: Sendable {
  /// Where one partition is taken up.
  struct Place: Sendable {
    var partition: PartitionID
    var recovery: Recovery
    /// The versions of the pipeline that were in force before.
    var versions: [VersionID: PipelineVersion] = [:]
    /// The offset after its last record now.
    var end: Int64
  }

  /// Microseconds between two questions.
  private static let pause: UInt32 = 200_000
  /// Milliseconds for one question; it is asked again until it is answered.
  private static let timeout: Int32 = 10_000
  /// Unanswered questions after which an open transaction can't be the reason any more.
  private static let failuresUntilStuck = 3

  private let consumer: KafkaConsumer
  private let origin: StartOffset
  private let partitionCounts: [String: Int]
  private let topics: StateTopics
  private let store: any SnapshotStore
  private let keeper: VersionKeeper?
  private let queue = DispatchQueue(label: "tocsin.takeover")
  private let log = Logger(module: "Kafka")

  /// - Parameter partitionCounts: partitions of each topic that is read. Those of exchanges are read from their beginning,
  ///   whatever `origin` says.
  init(
    consumer: KafkaConsumer, origin: StartOffset, partitionCounts: [String: Int], topics: StateTopics,
    store: any SnapshotStore, keeper: VersionKeeper?
  ) {
    self.consumer = consumer
    self.keeper = keeper
    self.origin = origin
    self.partitionCounts = partitionCounts
    self.topics = topics
    self.store = store
  }

  /// Asks, and tells the answer from a thread of its own, or why there is none.
  ///
  /// - Parameter onStuck: called where offsets stay unstable for longer than any transaction may last.
  func begin(
    _ partitions: [TopicPartition], isCancelled: @escaping @Sendable () -> Bool,
    onStuck: @escaping @Sendable (PartitionID, GroupMetadata) -> Void,
    answer: @escaping @Sendable (Result<[Place], PipelineFailure>) -> Void
  ) {
    queue.async {
      var failures = 0
      while !isCancelled() {
        do throws(LookError) {
          return answer(.success(try self.look(partitions, isCancelled: isCancelled)))
        } catch {
          guard case .again(let reason) = error else {
            if case .failed(let failure) = error { answer(.failure(failure)) }
            return
          }
          self.log.warning("asking where to take partitions up failed and is tried again", ["error": reason])
          failures += 1
          usleep(Self.pause)
          if failures.isMultiple(of: Self.failuresUntilStuck), let first = partitions.first,
            let group = self.consumer.groupMetadata()
          {
            onStuck(PartitionID(first.topic, first.partition), group)
          }
        }
      }
    }
  }

  /// What is committed of these partitions now, for the settling of a transaction.
  static func committed(
    _ consumer: KafkaConsumer, _ partitions: [PartitionID]
  ) throws(KafkaError) -> [PartitionID: Position] {
    let asked = partitions.map { TopicPartition($0.topic, $0.number) }
    let found = try consumer.committed(asked, timeoutMilliseconds: 30_000)
    return Dictionary(
      uniqueKeysWithValues: found.map { partition, committed in
        (
          PartitionID(partition.topic, partition.partition),
          Position(offset: committed.offset, metadata: committed.metadata)
        )
      })
  }

  private enum LookError: Error {
    case again(String)
    case failed(PipelineFailure)
  }

  /// The stable committed offsets come first: once the state's partitions are stable, no predecessor's snapshot is under way.
  private func look(
    _ partitions: [TopicPartition], isCancelled: () -> Bool
  ) throws(LookError) -> [Place] {
    let ids = partitions.map { PartitionID($0.topic, $0.partition) }.sorted()
    let committed = try asking { () throws(KafkaError) in
      try consumer.committed(partitions + ids.map { topics.place(of: $0) }, timeoutMilliseconds: Self.timeout)
    }
    let markers = try lastMarkers(of: ids, isCancelled: isCancelled)
    var places: [Place] = []
    for id in ids {
      let partition = TopicPartition(id.topic, id.number)
      let bounds = try asking { () throws(KafkaError) in
        try consumer.watermarkOffsets(partition, timeoutMilliseconds: Self.timeout)
      }
      let position = committed[partition].map { Position(offset: $0.offset, metadata: $0.metadata) }
      do throws(PipelineFailure) {
        let recovery = try Recovery.decide(
          Recovery.Facts(
            partition: id, partitionCount: partitionCounts[id.topic] ?? 0, committed: position, low: bounds.low,
            high: bounds.high,
            marker: markers[id], origin: topics.source == id.topic ? origin : .beginning))
        places.append(Place(partition: id, recovery: recovery, end: bounds.high))
      } catch {
        throw .failed(error)
      }
    }
    if let keeper {
      for place in places.indices {
        places[place].versions = try asking { () throws(KafkaError) in
          try keeper.versions(from: places[place].recovery.start)
        }
      }
    }
    return places
  }

  private func lastMarkers(
    of partitions: [PartitionID], isCancelled: () -> Bool
  ) throws(LookError) -> [PartitionID: StoredMarker] {
    do throws(SnapshotFailure) {
      return try store.lastMarkers(of: partitions, isCancelled: isCancelled)
    } catch {
      switch error {
      case .failed(let failure): throw .failed(failure)
      case .lost(let reason): throw .again(reason)
      case .stale, .cancelled: throw .again("it was interrupted")
      }
    }
  }

  private func asking<Answer>(_ body: () throws(KafkaError) -> Answer) throws(LookError) -> Answer {
    do throws(KafkaError) {
      return try body()
    } catch {
      throw error.class == .retriable ? .again("\(error)") : .failed(PipelineFailure(error))
    }
  }
}
