internal import Detection
internal import Dispatch
internal import Kafka
internal import Pipeline
internal import Telemetry

/// Finds out where newly assigned partitions are to be taken up: off the control thread, because the stable committed offset
/// waits until a predecessor's transactions are decided.
final class TakeOver: Sendable {
  /// Where one partition is taken up.
  struct Place: Sendable {
    var partition: PartitionID
    var start: PartitionTask.Start
    /// The versions of the pipeline that were in force before.
    var versions: [VersionID: PipelineVersion] = [:]
    /// The offset after its last record now.
    var end: Int64
  }

  /// Milliseconds for one question; it is asked again until it is answered.
  private static let timeout: Int32 = 10_000
  /// Unanswered questions after which an open transaction can't be the reason any more.
  private static let failuresUntilStuck = 3

  private let consumer: KafkaConsumer
  private let origin: StartOffset
  private let exchanges: Set<String>
  private let keeper: VersionKeeper?
  private let queue = DispatchQueue(label: "tocsin.takeover")
  private let log = Logger(module: "Kafka")

  /// - Parameter exchanges: the topics of exchanges, which are read from their beginning, whatever `origin` says.
  init(consumer: KafkaConsumer, origin: StartOffset, exchanges: Set<String>, keeper: VersionKeeper?) {
    self.exchanges = exchanges
    self.consumer = consumer
    self.keeper = keeper
    self.origin = origin
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
        do throws(KafkaError) {
          answer(try self.look(partitions))
          return
        } catch {
          guard error.class == .retriable else { return answer(.failure(PipelineFailure(error))) }
          self.log.warning("asking for committed offsets failed and is tried again", ["error": "\(error)"])
          failures += 1
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

  private func look(_ partitions: [TopicPartition]) throws(KafkaError) -> Result<[Place], PipelineFailure> {
    let committed = try consumer.committed(partitions, timeoutMilliseconds: Self.timeout)
    var places: [Place] = []
    for partition in partitions.sorted() {
      let bounds = try consumer.watermarkOffsets(partition, timeoutMilliseconds: Self.timeout)
      let id = PartitionID(partition.topic, partition.partition)
      switch start(id, committed[partition], bounds) {
      case .success(let start): places.append(Place(partition: id, start: start, end: bounds.high))
      case .failure(let failure): return .failure(failure)
      }
    }
    if let keeper {
      for place in places.indices { places[place].versions = try keeper.versions(from: places[place].start) }
    }
    return .success(places)
  }

  private func start(
    _ partition: PartitionID, _ committed: CommittedOffset?, _ bounds: WatermarkOffsets
  ) -> Result<PartitionTask.Start, PipelineFailure> {
    guard let committed else {
      let offset: Int64
      switch exchanges.contains(partition.topic) ? .beginning : origin {
      case .beginning: offset = bounds.low
      case .end: offset = bounds.high
      case .committed:
        return .failure(
          PipelineFailure(
            .configuration,
            "\(partition): the group has committed nothing here; say where to begin with --from beginning or --from end"
          ))
      }
      return .success(PartitionTask.Start(offset: offset, committed: offset))
    }
    let position = Position(offset: committed.offset, metadata: committed.metadata)
    guard position.offset <= bounds.high else {
      return .failure(
        PipelineFailure(
          .fatal,
          "\(partition): the group has committed offset \(position.offset), but the partition ends at \(bounds.high): the "
            + "topic was made anew; reset the group's offsets, or use another group.id"))
    }
    var start = PartitionTask.Start(
      offset: position.replay?.offset ?? position.offset, committed: position.offset, sequence: position.sequence,
      largest: position.replay?.largest ?? .min)
    start.active = position.active
    if position.offset < bounds.low {
      log.error(
        "records are gone before they were read: retention has passed the committed offset",
        ["partition": "\(partition)", "committed": "\(position.offset)", "oldest": "\(bounds.low)"])
      start.committed = bounds.low
    }
    if start.offset < bounds.low {
      log.warning(
        "retention has passed the place from which windows would be made again: they are whole again once their span has gone by",
        ["partition": "\(partition)", "from": "\(start.offset)", "oldest": "\(bounds.low)"])
      start.offset = bounds.low
      start.isTrimmed = true
    }
    return .success(start)
  }
}

/// Where to begin where nothing is committed yet.
public enum StartOffset: String, Sendable, Hashable, CaseIterable {
  /// Nowhere: it is an error.
  case committed
  /// At the oldest record that is kept.
  case beginning
  /// After the newest.
  case end
}
