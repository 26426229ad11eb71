import Pipeline
import Telemetry

/// `ControlLoop`: takes partitions over and gives them up.
extension Process {
  /// `KafkaRunner.revokePatience`.
  private static let revokePatience = 10 * second
  /// `KafkaRunner.stopPatience`.
  private static let stopPatience = 30 * second

  /// `Committer.drainLook`.
  private static let drainLook = 200 * millisecond

  private var isDrained: Bool {
    switch control {
    case .draining(let names, _, _): !coordinator.hasUnsettled(Set(names)) || committerFailure != nil
    case .savingState(let names, _, _): !snapshots.hasUnwritten(Set(names)) || hasSnapshotterFailed
    case .running, .stopping, .ended: true
    }
  }

  var isControlReady: Bool {
    switch control {
    case .running: isStopRequested || isForgotten || client.event != nil || !inbox.isEmpty
    case .draining, .savingState: isDrained || world.now >= nextLook
    case .stopping: sink.operation == nil && store.operation == nil
    case .ended: false
    }
  }

  func stepControl() {
    switch control {
    case .running:
      if isForgotten { return forgotten() }
      if isStopRequested { return beginStop() }
      if let event = client.takeEvent() { return handle(event) }
      if !inbox.isEmpty { handle(inbox.removeFirst()) }
    case .draining(let names, let deadline, let answer):
      if isDrained || world.now >= deadline { return endDrain(names, answer) }
      lookAround(deadline)
    case .savingState(let names, let deadline, let answer):
      if isDrained || world.now >= deadline { return endSaving(names, answer) }
      lookAround(deadline)
    case .stopping: end()
    case .ended: break
    }
  }

  /// What a drain does while it waits.
  private func lookAround(_ deadline: Int64) {
    if !world.lacks(.drainsWithOldGroup) { renewGroup() }
    nextLook = min(deadline, world.now + Self.drainLook)
  }

  private func handle(_ message: Message) {
    switch message {
    case .places(let answer): begin(answer)
    case .restored(let worker, let failure): restored(worker, failure)
    }
  }

  private func handle(_ event: Client.Event) {
    switch event {
    case .assign(let partitions): assigned(partitions)
    case .revoke(let partitions, let isLost): revoked(partitions, isLost: isLost)
    }
  }

  /// `ControlLoop.assigned`.
  private func assigned(_ partitions: [PartitionID]) {
    epoch += 1
    takeOver = nil
    tell("assigned \(partitions) in generation \(client.membership.generation)")
    if !world.lacks(.drainsWithOldGroup) { renewGroup() }
    if isForgotten { return }
    if partitions.isEmpty {
      client.assign([], world.broker.group.isCooperative)
      renewGroup()
      return
    }
    pending = partitions
    assignedIn = client.membership.generation
    takeOver = TakeOverState(epoch: epoch, partitions: partitions, notBefore: world.now)
  }

  /// `ControlLoop.renewGroup`.
  private func renewGroup() {
    if world.lacks(.groupStays), sink.group != nil { return }
    guard client.membership.isMember || world.lacks(.noMemberMaySend) else { return }
    if isGivingUp || !held.isEmpty, client.membership.isMember, let last = sink.group,
      last.member != client.membership.member, !world.lacks(.forgottenGoesOn)
    {
      isForgotten = true
      return
    }
    sink.group = client.membership
    // `Snapshotter.renewFence`.
    store.fence = snapshots.renewFence()
    store.group = client.membership
  }

  private var isGivingUp: Bool {
    switch control {
    case .draining, .savingState: true
    case .running, .stopping, .ended: false
    }
  }

  /// `ControlLoop.forgotten`; that the process is started again stands for the new membership.
  private func forgotten() {
    tell("was forgotten by the group")
    isForgotten = false
    epoch += 1
    takeOver = nil
    pending = []
    giveUp(held.map(\.partition), isLost: true, patience: 0, then: .stop)
  }

  /// `ControlLoop.begin`: starts workers where their partitions are to be taken up.
  private func begin(_ answer: Result<[TakeOverPlace], PipelineFailure>) {
    let places: [TakeOverPlace]
    switch answer {
    case .failure(let failure): return fail(failure)
    case .success(let found): places = found
    }
    guard Set(places.map(\.partition)) == Set(pending) else { return }
    pending = []
    var started: [Worker] = []
    for place in places {
      let start = place.recovery.start
      let task = world.scenario.makeTask(
        place.partition, start, world.scenario.plan,
        productVersion: world.lacks(.alertsNameProcess) ? "\(name)-\(number)" : "simulated",
        counts: mutatedCounts(place.partition))
      let worker = Worker(
        partition: place.partition, task: task, tenure: world.takesUp(place.partition, in: assignedIn),
        settled: Position(offset: start.committed, sequence: start.sequence, replay: nil))
      worker.restore = place.recovery.marker.map { RestoreState($0) }
      tell(
        "takes \(place.partition) up at \(start.offset), muted to \(start.committed), "
          + (place.recovery.marker == nil ? "without state" : "with state") + " \(place.recovery.notes)")
      started.append(worker)
    }
    held += started
    client.assign(places.map(\.partition), world.broker.group.isCooperative)
    renewGroup()
    for worker in started where worker.restore == nil { start(worker) }
  }

  private func mutatedCounts(_ partition: PartitionID) -> ExchangeCounts {
    var counts = world.scenario.counts
    if world.lacks(.unheardHoldsNobody) { counts.source = Int(partition.number) + 1 }
    return counts
  }

  /// `PartitionWorker.start`.
  private func start(_ worker: Worker) {
    addToSnapshots(worker)
    worker.lastRecord = world.now
    worker.hasStarted = true
    worker.isWoken = true
  }

  /// `ControlLoop.restored`.
  private func restored(_ worker: Worker, _ failure: PipelineFailure?) {
    guard held.contains(where: { $0 === worker }) else { return }
    if let failure { return fail(failure) }
    start(worker)
  }

  /// `ControlLoop.revoked`.
  private func revoked(_ partitions: [PartitionID], isLost: Bool) {
    epoch += 1
    takeOver = nil
    if !isLost, !world.lacks(.drainsWithOldGroup) { renewGroup() }
    if isForgotten { return }
    pending.removeAll { partitions.contains($0) }
    tell("\(isLost ? "lost" : "revoked") \(partitions)")
    giveUp(partitions, isLost: isLost, patience: Self.revokePatience, then: .unassign(partitions))
  }

  /// `ControlLoop.give(up:)`: stops workers, waits until what they handed over is settled, and forgets the partitions.
  private func giveUp(_ partitions: [PartitionID], isLost: Bool, patience: Int64, then answer: Answer) {
    let workers = held.filter { partitions.contains($0.partition) }
    let names = workers.map(\.partition)
    if !world.lacks(.workersGoOn) {
      for worker in workers {
        // `PartitionWorker.stop`.
        worker.isStopped = true
        if worker.hasStarted { flush(worker) }
        if !isLost, worker.hasStarted, !world.lacks(.noLastCut) { cutIfDue(worker, isFinal: true) }
      }
      held.removeAll { names.contains($0.partition) }
    }
    guard !names.isEmpty else { return self.answer(answer) }
    if isLost || world.lacks(.noDrain) {
      if !isLost { checkHandOver(names) }
      drop(names)
      snapshots.drop(names)
      return self.answer(answer)
    }
    isDraining = true
    isScheduled = true
    nextLook = min(world.now + patience, world.now + Self.drainLook)
    control = .draining(names, deadline: world.now + patience, then: answer)
    self.patience = patience
    givenUp = workers.filter(\.hasStarted)
  }

  /// The end of `Committer.drain`.
  private func endDrain(_ names: [PartitionID], _ answer: Answer) {
    let isDrained = !coordinator.hasUnsettled(Set(names))
    if !isDrained {
      tell("gives up \(names) unsettled")
      checkHandOver(names)
      sink.isAbandoned = true
    }
    isDraining = false
    drop(names)
    guard isDrained else {
      snapshots.drop(names)
      control = .running
      return self.answer(answer)
    }
    nextLook = min(world.now + patience, world.now + Self.drainLook)
    control = .savingState(names, deadline: world.now + patience, then: answer)
  }

  /// The end of `Snapshotter.drain`.
  private func endSaving(_ names: [PartitionID], _ answer: Answer) {
    if snapshots.hasUnwritten(Set(names)) { tell("gives up \(names) without a last snapshot") }
    checkSaved()
    snapshots.drop(names)
    control = .running
    self.answer(answer)
  }

  private func checkSaved() {
    guard world.rates.isCalm, world.scenario.keepsState, !hasSnapshotterFailed else { return }
    for worker in givenUp where !worker.task.isReplaying {
      let marker = world.broker.state(worker.partition).lastMarker(of: worker.partition, world.now)
      guard let committed = world.broker.position(worker.partition), committed.offset > worker.settled.offset else {
        continue
      }
      if marker.map({ $0.marker.offset < worker.task.nextOffset }) ?? true {
        world.checker.fail(
          .handOver,
          "\(name)#\(number) gives up \(worker.partition) at \(worker.task.nextOffset) with a snapshot at "
            + "\(marker?.marker.offset ?? -1)")
      }
    }
  }

  private func checkHandOver(_ names: [PartitionID]) {
    guard world.rates.isCalm, committerFailure == nil, coordinator.hasUnsettled(Set(names)) else { return }
    world.checker.fail(.handOver, "\(name)#\(number) gives up \(names) with outputs that are not settled")
  }

  private func drop(_ names: [PartitionID]) {
    if !world.lacks(.pairsAreKept) { coordinator.drop(names) }
  }

  private func answer(_ answer: Answer) {
    switch answer {
    case .unassign(let partitions): client.unassign(partitions, world.broker.group.isCooperative)
    case .stop:
      // `Committer.stop`, `Snapshotter.stop`.
      isCommitterStopped = true
      isSnapshotterStopped = true
      store.isAbandoned = true
      control = .stopping
    }
  }

  /// `ControlLoop.stop`.
  private func beginStop() {
    tell("stops\(failure.map { ": \($0)" } ?? "")")
    epoch += 1
    takeOver = nil
    if !world.lacks(.drainsWithOldGroup) { renewGroup() }
    giveUp(held.map(\.partition), isLost: isForgotten, patience: Self.stopPatience, then: .stop)
  }

  private func end() {
    client.close(world.broker, now: world.now)
    control = .ended
    hasEnded = true
    tell("has ended")
  }
}
