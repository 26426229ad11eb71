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
  /// Milliseconds for which records may be hidden: by then the coordinator has ended every transaction of ours that was left
  /// open, which it looks for every ten seconds. What is hidden for longer is not ours.
  private static let hiddenTimeout = ClientSettings.stateTransactionTimeout + 15_000
  /// Milliseconds after which somebody should hear why it takes so long.
  private static let hiddenPatience: Int64 = 5_000
  /// Microseconds between two looks.
  private static let hiddenPause: useconds_t = 20_000
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
  private let log = Logger(module: "Kafka")

  init(settings: ClientSettings, topics: StateTopics) {
    self.settings = settings
    self.topics = topics
  }

  func lastMarkers(
    of partitions: [PartitionID], isCancelled: () -> Bool
  ) throws(SnapshotFailure) -> [PartitionID: StoredMarker] {
    let reader = try asking { () throws(KafkaError) in try KafkaRangeReader(settings.stateReader) }
    let all = try asking { () throws(KafkaError) in
      try KafkaRangeReader(settings.stateReader.merging(["isolation.level": "read_uncommitted"]))
    }
    var markers: [PartitionID: StoredMarker] = [:]
    for partition in partitions {
      try waitForDecided(topics.place(of: partition), reader, all, isCancelled: isCancelled)
      markers[partition] = try lastMarker(of: partition, reader)
    }
    return markers
  }

  /// A snapshot that is decided is hidden until its mark stands in the partition, a few milliseconds later; and while a process
  /// that died has left a transaction open there, so is everything behind its first record, snapshots of others too. Were one
  /// not seen here and stood there afterwards, the next cut would lack the tombstones of what it alone had told.
  private func waitForDecided(
    _ place: TopicPartition, _ reader: KafkaRangeReader, _ all: KafkaRangeReader, isCancelled: () -> Bool
  ) throws(SnapshotFailure) {
    let end = try bounds(place, all).high
    let began = ContinuousClock.now
    var isTold = false
    while try bounds(place, reader).high < end {
      if isCancelled() { throw .cancelled }
      let waited = began.duration(to: .now)
      if !isTold, waited >= .milliseconds(Self.hiddenPatience) {
        isTold = true
        log.warning(
          "a process has left a transaction open in the state's partition: waiting until the broker ends it",
          ["partition": "\(place)", "at_most_seconds": "\(Self.hiddenTimeout / 1_000)"])
      }
      guard waited < .milliseconds(Self.hiddenTimeout) else {
        return log.error(
          "a transaction in the state's partition stays open: the last snapshot may be one before it",
          ["partition": "\(place)"])
      }
      usleep(Self.hiddenPause)
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
        if case .marker(let marker) = try SnapshotScan.parse(key, value, in: id, at: offset) {
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
    let reader = try asking { () throws(KafkaError) in try KafkaRangeReader(settings.stateReader) }
    let bounds = try bounds(place, reader)
    guard bounds.low <= marker.place, marker.place < bounds.high else {
      throw .lost(
        "the snapshot at offset \(marker.place) of \(place) can't be found any more; start again if it stays away")
    }
    var scan = SnapshotScan(marker.marker, in: id)
    try readBackwards(place, reader, bounds.low..<marker.place, isCancelled: { reading.isCancelled }) {
      run, start throws(SnapshotFailure) in
      try run.forEachReversed { offset, key, value throws(SnapshotFailure) in
        try scan.take(offset: offset, key: key, value: value, into: reading)
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

  /// A topic or partition that is not known may have no leader just now, or be so new that not every broker has heard of it:
  /// to take that for "no state" would lose it. An offset that is out of range asks for the bounds again.
  private static func failure(_ error: KafkaError) -> SnapshotFailure {
    switch error.class {
    case .configuration where !error.isUnknownTopic: .failed(PipelineFailure(.configuration, "\(error)"))
    default: .lost("\(error)")
    }
  }
}
