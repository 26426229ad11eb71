import Pipeline

/// `Committer`: carries out what `CommitCoordinator` decides.
extension Process {
  var isCommitterReady: Bool {
    if sink.operation != nil { return sink.notBefore.map { $0 <= world.now } ?? true }
    if !toPerform.isEmpty { return true }
    guard committerFailure == nil, !isCommitterStopped else { return false }
    return isScheduled || committerTimer.map { $0 <= world.now } ?? false
  }

  /// `Committer.work`: one action, or one step of the action that is under way.
  func stepCommitter() {
    if let operation = sink.operation { return stepSink(operation) }
    if !toPerform.isEmpty {
      let (partition, group) = toPerform.removeFirst()
      sink.operation = .endHanging(partition, group, recovering: nil)
      return
    }
    guard committerFailure == nil, !isCommitterStopped else { return }
    isScheduled = false
    committerTimer = nil
    switch coordinator.next(now: world.now, isDraining: isDraining) {
    case .commit(let transaction):
      isScheduled = true
      tell("commits \(transaction.pairs.map { "\($0.partition) to \($0.position.offset)" })")
      checkSettled(transaction)
      beginCommit(transaction)
    case .recover(let partitions):
      isScheduled = true
      tell("settles")
      beginRecover(partitions)
    case .wait(let until): committerTimer = until
    case .idle: break
    }
  }

  /// What is settled is not sent again by the one whose partition it is. (A zombie may try; it is fenced.)
  private func checkSettled(_ transaction: Transaction) {
    for pair in transaction.pairs {
      let tenure = tenures[PairEnd(partition: pair.partition, position: pair.position)]
      guard let tenure, tenure == world.owners[pair.partition] else { continue }
      if let committed = world.broker.position(pair.partition), committed.isAtLeast(pair.position) {
        world.checker.fail(.settled, "\(name)#\(number) sends \(pair.partition) to \(pair.position.offset) again")
      }
    }
  }

  func committed(_ transaction: Transaction) {
    tell("committed")
    world.committed(name, number)
    let settled = coordinator.committed(now: world.now)
    wake(settled)
  }

  func recovered(_ positions: [PartitionID: Position]) {
    var positions = positions
    if world.lacks(.recoverTreatsAllAsUnsettled) { positions = [:] }
    if world.lacks(.recoverTreatsAllAsSettled) {
      for partition in world.scenario.partitions {
        positions[partition] = Position(offset: .max, sequence: .max, replay: nil)
      }
    }
    tell("settled: \(positions.sorted { $0.key < $1.key }.map { "\($0.key) at \($0.value.offset)" })")
    let settled = coordinator.recovered(positions, now: world.now)
    wake(settled)
  }

  private func wake(_ partitions: [PartitionID]) {
    isScheduled = true
    for partition in partitions {
      if let position = coordinator.settledPosition(of: partition) { settled(partition, position) }
    }
    if world.lacks(.noWakeWhenSettled) { return }
    for partition in partitions { wake(partition) }
  }

  /// `Committer.failed`.
  func failed(_ failure: SinkFailure, _ transaction: Transaction) {
    isScheduled = true
    tell("failed: \(failure)")
    switch failure {
    case .lost:
      if transaction.pairs.isEmpty, world.lacks(.recoveryIsNotRetried) { return }
      if !transaction.pairs.isEmpty, world.lacks(.lostIsSentAgain) || world.lacks(.lostCountsAsCommitted) {
        return goOnWithoutSettling()
      }
      coordinator.lost(now: world.now)
    case .unwritable(let places, _):
      coordinator.replace(places, of: transaction)
      coordinator.lost(now: world.now)
    case .failed(let failure):
      committerFailure = failure
      fail(failure)
    }
  }

  /// The mutations that do not ask what became of a lost transaction.
  private func goOnWithoutSettling() {
    sink.producer = Sink.Producer(name: world.broker.initialise(name, now: world.now))
    if world.lacks(.lostCountsAsCommitted) {
      wake(coordinator.committed(now: world.now))
    } else {
      wake(coordinator.recovered([:], now: world.now))
    }
  }
}
