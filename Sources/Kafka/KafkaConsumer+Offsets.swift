import CRdkafka
import Glibc

extension KafkaConsumer {
  /// What the group has committed, of these partitions; a partition without a commit is left out.
  ///
  /// With `isolation.level=read_committed` the answer is stable: it waits for transactions that are open on these
  /// partitions (a dead producer's end by their `transaction.timeout.ms`), and fails as `.timedOut`, or with
  /// `.unstableOffsetCommit`, where they are not settled within the time limit. Do not call it on the control thread.
  public func committed(
    _ partitions: [TopicPartition], timeoutMilliseconds: Int32
  ) throws(KafkaError) -> [TopicPartition: CommittedOffset] {
    guard !partitions.isEmpty else { return [:] }
    // librdkafka retries unstable offsets only for partitions that it starts to read by itself.
    return try retrying(timeoutMilliseconds) { left throws(KafkaError) in
      try committedNow(partitions, timeoutMilliseconds: left)
    }
  }

  /// Milliseconds between two questions that were answered at once, but not well.
  private static let retryPause: Int32 = 50

  /// Asks again until there is an answer or an error that waiting does not mend, within a time limit.
  private func retrying<Answer>(
    _ timeoutMilliseconds: Int32, _ body: (Int32) throws(KafkaError) -> Answer
  ) throws(KafkaError) -> Answer {
    let deadline = ContinuousClock.now + .milliseconds(Int64(timeoutMilliseconds))
    while true {
      do {
        return try body(max(1, deadline.millisecondsFromNow))
      } catch  where error.class == .retriable && deadline.millisecondsFromNow > Self.retryPause {
        usleep(UInt32(Self.retryPause) * 1000)
      }
    }
  }

  private func committedNow(
    _ partitions: [TopicPartition], timeoutMilliseconds: Int32
  ) throws(KafkaError) -> [TopicPartition: CommittedOffset] {
    let list = PartitionList(partitions)
    try KafkaError.check(
      rd_kafka_committed(handle, list.native, timeoutMilliseconds), "asking for committed offsets")
    try list.checkEach("the committed offset")
    var committed: [TopicPartition: CommittedOffset] = [:]
    for element in list.elements where element.offset >= 0 {
      let metadata = UnsafeRawBufferPointer(start: element.metadata, count: element.metadata_size)
      committed[TopicPartition(String(cString: element.topic), element.partition)] = CommittedOffset(
        offset: element.offset, metadata: String(decoding: metadata, as: UTF8.self))
    }
    return committed
  }

  /// Commits these offsets, with their metadata, and waits for the broker's answer. For delivery at least once; exactly
  /// once commits them in the producer's transaction.
  public func commit(_ offsets: [TopicPartitionOffset]) throws(KafkaError) {
    guard !offsets.isEmpty else { return }
    let list = PartitionList(offsets)
    try KafkaError.check(rd_kafka_commit(handle, list.native, 0), "committing offsets")
    try list.checkEach("committing the offset")
  }

  /// Asks the partition's leader for its oldest and next offset; waits for a leader within the time limit.
  ///
  /// - Throws: `.unknownPartition` is retriable here: librdkafka says so of each partition that has no leader just now.
  public func watermarkOffsets(
    _ partition: TopicPartition, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> WatermarkOffsets {
    try retrying(timeoutMilliseconds) { left throws(KafkaError) in
      do throws(KafkaError) {
        return try watermarkOffsetsNow(partition, timeoutMilliseconds: left)
      } catch {
        if error.class == .retriable { lookForLeaders(timeoutMilliseconds: min(left, Self.leaderTimeout)) }
        throw error
      }
    }
  }

  /// Milliseconds that a look for leaders may take.
  private static let leaderTimeout: Int32 = 1_000

  /// Has librdkafka ask again who leads the partitions that it knows. By itself it goes on asking the leader that it knew,
  /// who answers that it is none, until its metadata is refreshed: up to five minutes.
  private func lookForLeaders(timeoutMilliseconds: Int32) {
    var metadata: UnsafePointer<rd_kafka_metadata>?
    if rd_kafka_metadata(handle, 0, nil, &metadata, timeoutMilliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR {
      rd_kafka_metadata_destroy(metadata)
    }
  }

  private func watermarkOffsetsNow(
    _ partition: TopicPartition, timeoutMilliseconds: Int32
  ) throws(KafkaError) -> WatermarkOffsets {
    var low: Int64 = 0
    var high: Int64 = 0
    let what = "asking for the offsets of \(partition)"
    let answer = rd_kafka_query_watermark_offsets(
      handle, partition.topic, partition.partition, &low, &high, timeoutMilliseconds)
    if answer == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION {
      throw KafkaError(code: .unknownPartition, class: .retriable, message: "\(what): the partition has no leader now")
    }
    try KafkaError.check(answer, what)
    return WatermarkOffsets(low: low, high: high)
  }

  /// For each partition, the offset of the first record whose timestamp (milliseconds since 1970) is not below the given
  /// one; nil where there is none.
  public func offsetsForTimes(
    _ times: [TopicPartition: Int64], timeoutMilliseconds: Int32
  ) throws(KafkaError) -> [TopicPartition: Int64?] {
    guard !times.isEmpty else { return [:] }
    let list = PartitionList(times.map { TopicPartitionOffset($0.key, offset: $0.value) })
    try KafkaError.check(
      rd_kafka_offsets_for_times(handle, list.native, timeoutMilliseconds), "asking for offsets by time")
    try list.checkEach("the offset by time")
    var offsets: [TopicPartition: Int64?] = [:]
    for element in list.elements {
      let partition = TopicPartition(String(cString: element.topic), element.partition)
      offsets[partition] = .some(element.offset < 0 ? nil : element.offset)
    }
    return offsets
  }

  /// The offset after the last record that was handed out, of these partitions; one that gave none is left out.
  public func position(_ partitions: [TopicPartition]) throws(KafkaError) -> [TopicPartition: Int64] {
    let list = PartitionList(partitions)
    try KafkaError.check(rd_kafka_position(handle, list.native), "asking for positions")
    var positions: [TopicPartition: Int64] = [:]
    for element in list.elements where element.offset >= 0 {
      positions[TopicPartition(String(cString: element.topic), element.partition)] = element.offset
    }
    return positions
  }
}

extension ContinuousClock.Instant {
  /// Milliseconds until then; 0 where it has passed.
  var millisecondsFromNow: Int32 {
    let left = ContinuousClock.now.duration(to: self).components
    let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
    return Int32(clamping: max(0, milliseconds))
  }
}
