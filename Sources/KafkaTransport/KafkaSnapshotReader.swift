internal import Detection
internal import Glibc
internal import Kafka
internal import Pipeline
internal import Telemetry

/// Reads the state topic from its end backwards, run by run, so that of each key only the latest record is ever looked at
/// and nothing but the keys' hashes is kept.
final class KafkaSnapshotReader: Sendable {
  /// Milliseconds for one question.
  private static let askTimeout: Int32 = 5_000
  /// Milliseconds for which records may be hidden before they are taken for never committed.
  private static let hiddenTimeout = 5_000
  /// Milliseconds for which nothing may come before it is looked whether reading goes on.
  private static let readTimeout: Int32 = 1_000
  /// So many of these in a row, and reading begins again.
  private static let silencesMax = 20
  /// Offsets of the first run.
  private static let firstRun: Int64 = 1_024
  /// Offsets of a run at most.
  private static let longestRun: Int64 = 64 << 10
  /// Bytes of a run at most; a longer one is read in halves.
  private static let runBytes = 64 << 20

  private let settings: ClientSettings
  private let topics: StateTopics

  init(settings: ClientSettings, topics: StateTopics) {
    self.settings = settings
    self.topics = topics
  }

  func lastMarkers(of partitions: [PartitionID]) throws(SnapshotFailure) -> [PartitionID: StoredMarker] {
    let reader = try asking { () throws(KafkaError) in try KafkaRangeReader(settings.stateReader) }
    let all = try asking { () throws(KafkaError) in
      try KafkaRangeReader(settings.stateReader.merging(["isolation.level": "read_uncommitted"]))
    }
    var markers: [PartitionID: StoredMarker] = [:]
    for partition in partitions {
      try waitForDecided(topics.place(of: partition), reader, all)
      markers[partition] = try lastMarker(of: partition, reader)
    }
    return markers
  }

  /// A snapshot that is decided is hidden until its mark stands in the partition, a few milliseconds later. Were it not seen
  /// here and stood there afterwards, the next cut would lack the tombstones of what it alone had told. What is hidden for
  /// longer belongs to a transaction that was left open before it had sent its offset, and never comes to be.
  private func waitForDecided(
    _ place: TopicPartition, _ reader: KafkaRangeReader, _ all: KafkaRangeReader
  ) throws(SnapshotFailure) {
    let end = try bounds(place, all).high
    let began = ContinuousClock.now
    while try bounds(place, reader).high < end, began.duration(to: .now) < .milliseconds(Self.hiddenTimeout) {
      usleep(20_000)
    }
  }

  private func lastMarker(
    of partition: PartitionID, _ reader: KafkaRangeReader
  ) throws(SnapshotFailure) -> StoredMarker? {
    let place = topics.place(of: partition)
    let id = PartitionID(place.topic, place.partition)
    let bounds = try bounds(place, reader)
    var found: StoredMarker?
    try readBackwards(place, reader, bounds.low..<bounds.high, isCancelled: { false }) {
      run, _ throws(SnapshotFailure) in
      try run.forEachReversed { offset, key, value throws(SnapshotFailure) in
        if case .marker(let marker) = try Self.parse(key, value, id, offset) {
          found = StoredMarker(marker, at: offset)
        }
        return found == nil
      }
      return found == nil
    }
    return found
  }

  func read(
    _ partition: PartitionID, upTo marker: StoredMarker, into reading: any SnapshotReading
  ) throws(SnapshotFailure) {
    let place = topics.place(of: partition)
    let id = PartitionID(place.topic, place.partition)
    let series = marker.marker.series
    let reader = try asking { () throws(KafkaError) in try KafkaRangeReader(settings.stateReader) }
    let bounds = try bounds(place, reader)
    guard bounds.low <= marker.place, marker.place < bounds.high else {
      throw .lost(
        "the snapshot at offset \(marker.place) of \(place) can't be found any more; start again if it stays away")
    }
    var seen = SeenKeys()
    try readBackwards(place, reader, bounds.low..<marker.place, isCancelled: { reading.isCancelled }) {
      run, start throws(SnapshotFailure) in
      try run.forEachReversed { offset, key, value throws(SnapshotFailure) in
        if let key, !seen.insert(key) { return true }
        guard case .state(let found, let own, let value?) = try Self.parse(key, value, id, offset) else { return true }
        guard found == series else {
          if let key { reading.obsolete(key: key) }
          return true
        }
        do throws(StateError) {
          try reading.restore(key: own, value: value)
        } catch {
          throw .failed(PipelineFailure(.configuration, "\(id) at offset \(offset): \(error)"))
        }
        return true
      }
      reading.progress(records: Int64(run.count), bytes: Int64(run.byteCount), remaining: start - bounds.low)
      return true
    }
  }

  /// Calls `body` with run after run, the last first, and the offset at which each begins, until it says false.
  private func readBackwards(
    _ place: TopicPartition, _ reader: KafkaRangeReader, _ range: Range<Int64>, isCancelled: () -> Bool,
    _ body: (RecordRun, Int64) throws(SnapshotFailure) -> Bool
  ) throws(SnapshotFailure) {
    var run = RecordRun()
    var end = range.upperBound
    var length = Self.firstRun
    var silences = 0
    while end > range.lowerBound {
      if isCancelled() { throw .cancelled }
      let start = max(range.lowerBound, end - length)
      run.removeAll()
      do throws(KafkaError) {
        let isWhole = try reader.read(place, start..<end, timeoutMilliseconds: Self.readTimeout) { message in
          run.append(message)
          return run.byteCount < Self.runBytes || end - start == 1
        }
        silences = 0
        guard isWhole else {
          length = max(1, (end - start) / 2)
          continue
        }
      } catch {
        silences += 1
        guard error.code == .timedOut, silences < Self.silencesMax else { throw Self.failure(error) }
        continue
      }
      guard try body(run, start) else { return }
      end = start
      length = run.byteCount > Self.runBytes / 4 ? length : min(length * 2, Self.longestRun)
    }
  }

  private func bounds(
    _ place: TopicPartition, _ reader: KafkaRangeReader
  ) throws(SnapshotFailure) -> WatermarkOffsets {
    try asking { () throws(KafkaError) in try reader.bounds(place, timeoutMilliseconds: Self.askTimeout) }
  }

  private func asking<Answer>(
    _ body: () throws(KafkaError) -> Answer
  ) throws(SnapshotFailure) -> Answer {
    do throws(KafkaError) {
      return try body()
    } catch {
      throw Self.failure(error)
    }
  }

  private static func parse(
    _ key: UnsafeRawBufferPointer?, _ value: UnsafeRawBufferPointer?, _ partition: PartitionID, _ offset: Int64
  ) throws(SnapshotFailure) -> SnapshotCodec.Record {
    do throws(SnapshotError) {
      return try SnapshotCodec.read(key: key, value: value, in: partition, at: offset)
    } catch {
      throw .failed(PipelineFailure(.configuration, "\(error)"))
    }
  }

  /// A topic or partition that is not known may have no leader just now, or be so new that not every broker has heard of it:
  /// to take that for "no state" would lose it. An offset that is out of range asks for the bounds again.
  private static func failure(_ error: KafkaError) -> SnapshotFailure {
    switch error.class {
    case .configuration where !error.isUnknownTopic: .failed(PipelineFailure(.configuration, "\(error)"))
    default: .lost("\(error)")
    }
  }
}
