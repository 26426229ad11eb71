import Detection
import Pipeline

/// `StateRestorer` and `KafkaSnapshotReader.read`, on their way with one partition.
final class RestoreState {
  let marker: StoredMarker
  /// nil: the state is not prepared yet.
  var scan: SnapshotScan?
  /// What lies from here on has been read.
  var end: Int64 = 0
  let notBefore: Int64

  init(_ marker: StoredMarker, notBefore: Int64 = 0) {
    self.marker = marker
    self.notBefore = notBefore
  }
}

/// Hands what is read to a task.
final class Reading: SnapshotReading {
  private let task: PartitionTask
  private let cancelled: () -> Bool

  init(_ task: PartitionTask, isCancelled: @escaping () -> Bool = { false }) {
    self.task = task
    cancelled = isCancelled
  }

  var isCancelled: Bool { cancelled() }

  func restore(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(StateError) {
    try task.restore(key: key, value: value)
  }

  func obsolete(key: UnsafeRawBufferPointer) { task.noteObsolete(key: key) }

  func progress(records: Int64, bytes: Int64, remaining: Int64) {}
}

extension SnapshotScan {
  mutating func take(
    _ record: StateLog.Record, at offset: Int64, into reading: Reading
  ) throws(SnapshotFailure) {
    let result: Result<Void, SnapshotFailure> = record.key.withUnsafeBytes { key in
      (record.value ?? []).withUnsafeBytes { value in
        Result { () throws(SnapshotFailure) in
          try take(offset: offset, key: key, value: record.value == nil ? nil : value, into: reading)
        }
      }
    }
    try result.get()
  }
}

extension Process {
  /// `StateRestorer.retryPause`.
  private static let retryPause = second

  /// One run of records, or what comes before and after them.
  func stepRestore(_ worker: Worker, _ restore: RestoreState) {
    do throws(SnapshotFailure) {
      try read(worker, restore)
    } catch {
      switch error {
      case .cancelled, .stale: worker.restore = nil
      case .failed(let failure):
        worker.restore = nil
        inbox.append(.restored(worker, failure))
      case .lost:
        if world.lacks(.halfIsAdopted), restore.scan != nil { return finish(worker, restore.marker) }
        tell("reading the state of \(worker.partition) is interrupted")
        worker.restore = RestoreState(restore.marker, notBefore: world.now + Self.retryPause)
      }
    }
  }

  private func read(_ worker: Worker, _ restore: RestoreState) throws(SnapshotFailure) {
    let (world, broker) = (world, world.broker)
    let (partition, now) = (worker.partition, world.now)
    guard restore.scan != nil else {
      do throws(PipelineFailure) {
        try worker.task.beginRestore(restore.marker.marker)
      } catch { throw .failed(error) }
      let stable = try asking { () throws(CallError) in
        try world.call(.readState, at: .transactions) { () throws(CallError) in broker.state(partition).stable(now) }
      }
      guard restore.marker.place < stable else { throw .lost("the snapshot can't be found any more") }
      restore.scan = SnapshotScan(restore.marker.marker, in: Broker.statePlace(of: partition))
      restore.end = restore.marker.place
      return
    }
    let (end, most) = (restore.end, 1 + world.random.below(40))
    let records = try asking { () throws(CallError) in
      try world.call(.readState, at: .transactions) { () throws(CallError) in
        broker.state(partition).records(below: end, most: most, now)
      }
    }
    guard !records.isEmpty else { return finish(worker, restore.marker) }
    let reading = Reading(worker.task) { worker.isStopped }
    for (offset, record) in records {
      try restore.scan?.take(record, at: offset, into: reading)
      restore.end = offset
    }
  }

  private func finish(_ worker: Worker, _ marker: StoredMarker) {
    worker.restore = nil
    _ = worker.task.finishRestore(marker.marker)
    tell("\(worker.partition) is restored at \(marker.marker.offset)")
    inbox.append(.restored(worker, nil))
  }

  /// `KafkaSnapshotReader.failure`.
  private func asking<Answer>(
    _ body: () throws(CallError) -> Answer
  ) throws(SnapshotFailure) -> Answer {
    do throws(CallError) {
      return try body()
    } catch {
      if error == .denied { throw .failed(PipelineFailure(.configuration, "no permission to read state")) }
      throw .lost("\(error)")
    }
  }
}
