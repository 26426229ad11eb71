import Pipeline

/// `Snapshotter`: carries out what `SnapshotCoordinator` decides.
extension Process {
  var isSnapshotterReady: Bool {
    if store.operation != nil { return store.notBefore.map { $0 <= world.now } ?? true }
    if !storeToPerform.isEmpty { return true }
    guard !hasSnapshotterFailed, !isSnapshotterStopped else { return false }
    return isSnapshotterScheduled || snapshotterTimer.map { $0 <= world.now } ?? false
  }

  /// `Snapshotter.work`: one action, or one step of the action that is under way.
  func stepSnapshotter() {
    if let operation = store.operation { return stepStore(operation) }
    if !storeToPerform.isEmpty {
      // `Snapshotter.perform`.
      let (partition, group) = storeToPerform.removeFirst()
      if !isSnapshotterStopped { store.operation = .endHanging(partition, group, began: world.now) }
      return
    }
    guard !hasSnapshotterFailed, !isSnapshotterStopped else { return }
    isSnapshotterScheduled = false
    snapshotterTimer = nil
    switch snapshots.next(now: world.now) {
    case .write(let write):
      isSnapshotterScheduled = true
      tell("writes the cut of \(write.cut.partition) at \(write.cut.marker.offset), \(write.cut.records.count) records")
      store.operation = .handed(write)
    case .wait(let until): snapshotterTimer = until
    case .idle: break
    }
  }

  /// `Snapshotter.settled`.
  func settled(_ partition: PartitionID, _ position: Position) {
    snapshots.settled(partition, position)
    isSnapshotterScheduled = true
  }

  /// `Snapshotter.add`.
  func addToSnapshots(_ worker: Worker) {
    var settled = worker.settled
    if world.lacks(.cutBeforeCommit) { settled = Position(offset: .max, sequence: .max, replay: nil) }
    snapshots.add(worker.partition, settled: settled, now: world.now)
  }

  /// `PartitionWorker.cutIfDue`.
  func cutIfDue(_ worker: Worker, isFinal: Bool = false) {
    worker.nextLook = world.now + second
    guard !worker.task.isReplaying, !hasSnapshotterFailed else { return }
    // Any number of changes may be large.
    let isLarge = worker.task.changeCount > 0 && world.random.chance(20)
    guard snapshots.isDue(worker.partition, now: world.now, isFinal: isFinal, isLarge: isLarge) else { return }
    var cut = worker.task.cutSnapshot()
    if world.lacks(.emptyCutIsLeftOut), cut?.records.isEmpty ?? false { cut = nil }
    if let cut { tell("\(worker.partition) is cut at \(cut.marker.offset)\(isFinal ? ", a last time" : "")") }
    snapshots.take(cut, of: worker.partition, now: world.now)
    isSnapshotterScheduled = true
  }

  /// A quiet partition is cut too (`ControlLoop.tick`).
  func isCutDue(_ worker: Worker) -> Bool {
    world.now >= worker.nextLook && snapshots.isDue(worker.partition, now: world.now)
  }

  /// `Snapshotter.carryOut`: it went through.
  func written(_ write: SnapshotCoordinator.Write) {
    tell("has written the cut of \(write.cut.partition) at \(write.cut.marker.offset)")
    snapshots.written(write)
    isSnapshotterScheduled = true
    guard !world.scenario.isSource(write.cut.partition), write.cut.marker.offset > 0 else { return }
    // `ExchangePurge`, which does it once a minute.
    guard world.random.chance(500) else { return }
    let read = held.first { $0.partition == write.cut.partition }?.task.nextOffset
    let offset = world.lacks(.purgeToPosition) ? read ?? write.cut.marker.offset : write.cut.marker.offset
    tell("deletes what lies before \(offset) of \(write.cut.partition)")
    world.broker.purge(write.cut.partition, before: offset)
  }

  /// `Snapshotter.carryOut`: it did not.
  func writeFailed(_ failure: SnapshotFailure, _ write: SnapshotCoordinator.Write) {
    store.operation = nil
    isSnapshotterScheduled = true
    tell("the cut of \(write.cut.partition) at \(write.cut.marker.offset) was not written: \(failure)")
    switch failure {
    case .lost, .stale, .cancelled:
      if world.lacks(.cutIsNotRepeated) { snapshots.written(write) } else { snapshots.failed(write, now: world.now) }
    case .failed(let failure):
      hasSnapshotterFailed = true
      fail(failure)
    }
  }
}
