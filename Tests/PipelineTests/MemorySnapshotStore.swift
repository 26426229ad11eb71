import Detection
import Locking

@testable import Pipeline

/// A state topic in memory: a log of records for each partition, written in the real format.
final class MemorySnapshotStore: SnapshotStore {
  struct State {
    var logs: [PartitionID: [(key: [UInt8], value: [UInt8]?)]] = [:]
    /// What the next writes do: nil goes through.
    var failures: [SnapshotFailure?] = []
    /// Whether a failing write takes effect all the same.
    var takesEffect = false
    var fence = 0
    var writes = 0
    /// What the next reads do.
    var readFailures: [SnapshotFailure] = []
  }

  let state = Lock(State())
  private let codec = SnapshotCodec()

  func write(_ cut: SnapshotCut, fence: Int) throws(SnapshotFailure) {
    let failure = state.withLock { state -> SnapshotFailure? in
      guard fence == state.fence else { return .stale }
      state.writes += 1
      let failure = state.failures.isEmpty ? nil : state.failures.removeFirst()
      guard failure == nil || state.takesEffect else { return failure }
      var log = state.logs[cut.partition] ?? []
      for key in cut.obsolete { log.append((key, nil)) }
      for record in cut.records {
        let key = codec.key(record.key, series: cut.marker.series)
        log.append((key, record.value.map { codec.seal(key, $0) }))
      }
      log.append((SnapshotCodec.markerKey, codec.value(of: cut.marker)))
      state.logs[cut.partition] = log
      return failure
    }
    if let failure { throw failure }
  }

  func lastMarkers(
    of partitions: [PartitionID], isCancelled: () -> Bool
  ) throws(SnapshotFailure) -> [PartitionID: StoredMarker] {
    var markers: [PartitionID: StoredMarker] = [:]
    for partition in partitions { markers[partition] = lastMarker(of: partition) }
    return markers
  }

  private func lastMarker(of partition: PartitionID) -> StoredMarker? {
    let log = state.withLock { $0.logs[partition] ?? [] }
    for (offset, record) in log.enumerated().reversed() where record.key == SnapshotCodec.markerKey {
      let found = record.key.withUnsafeBytes { key in
        (record.value ?? []).withUnsafeBytes { try? SnapshotCodec.read(key: key, value: $0, in: partition, at: 0) }
      }
      if case .marker(let marker)? = found { return StoredMarker(marker, at: Int64(offset)) }
    }
    return nil
  }

  func read(
    _ partition: PartitionID, upTo marker: StoredMarker, into reading: any SnapshotReading
  ) throws(SnapshotFailure) {
    if let failure = state.withLock({ $0.readFailures.isEmpty ? nil : $0.readFailures.removeFirst() }) { throw failure }
    let log = state.withLock { $0.logs[partition] ?? [] }
    var latest: [[UInt8]: [UInt8]?] = [:]
    for record in log.prefix(Int(marker.place)) { latest[record.key] = .some(record.value) }
    for (key, value) in latest {
      if reading.isCancelled { throw .cancelled }
      guard key != SnapshotCodec.markerKey, let value else { continue }
      let outcome: Result<Void, any Error> = key.withUnsafeBytes { key in
        value.withUnsafeBytes { value in
          Result {
            guard
              case .state(let series, let own, let payload?) = try SnapshotCodec.read(
                key: key, value: value, in: partition, at: 0)
            else { return }
            if series == marker.marker.series {
              try reading.restore(key: own, value: payload)
            } else {
              reading.obsolete(key: key)
            }
          }
        }
      }
      if case .failure(let error) = outcome { throw .failed(PipelineFailure(.configuration, "\(error)")) }
    }
    reading.progress(records: Int64(latest.count), bytes: 0, remaining: 0)
  }

  func abandon() {}
}
