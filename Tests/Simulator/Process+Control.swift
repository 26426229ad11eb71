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
    guard case .draining(let names, _, _) = control else { return true }
    return !coordinator.hasUnsettled(Set(names)) || committerFailure != nil
  }

  var isControlReady: Bool {
    switch control {
    case .running: isStopRequested || client.event != nil || !inbox.isEmpty
    case .draining: isDrained || world.now >= nextLook
    case .stoppingCommitter: sink.operation == nil
    case .ended: false
    }
  }

  func stepControl() {
    switch control {
    case .running:
      if isStopRequested { return beginStop() }
      if let event = client.takeEvent() { return handle(event) }
      if !inbox.isEmpty { begin(inbox.removeFirst()) }
    case .draining(let names, let deadline, let answer):
      if isDrained || world.now >= deadline { return endDrain(names, answer) }
      // `Committer.drain`'s look around.
      if !world.lacks(.drainsWithOldGroup) { renewGroup() }
      nextLook = min(deadline, world.now + Self.drainLook)
    case .stoppingCommitter: end()
    case .ended: break
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
    if partitions.isEmpty {
      client.assign([], world.broker.group.isCooperative)
      renewGroup()
      return
    }
    pending = partitions
    takeOver = TakeOverState(epoch: epoch, partitions: partitions, notBefore: world.now)
  }

  /// `ControlLoop.renewGroup`.
  private func renewGroup() {
    if world.lacks(.groupStays), sink.group != nil { return }
    if client.membership.isMember || world.lacks(.noMemberMaySend) { sink.group = client.membership }
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
      let task = PartitionTask(
        plan: world.scenario.plan, tables: [], partition: place.partition, start: place.start,
        productVersion: world.lacks(.alertsNameProcess) ? "\(name)-\(number)" : "simulated",
        registry: MetricsRegistry())
      let worker = Worker(partition: place.partition, task: task, tenure: world.takesUp(place.partition))
      tell("takes \(place.partition) up at \(place.start.offset), muted to \(place.start.committed)")
      started.append(worker)
    }
    client.assign(places.map(\.partition), world.broker.group.isCooperative)
    renewGroup()
    held += started
  }

  /// `ControlLoop.revoked`.
  private func revoked(_ partitions: [PartitionID], isLost: Bool) {
    epoch += 1
    takeOver = nil
    if !isLost, !world.lacks(.drainsWithOldGroup) { renewGroup() }
    pending.removeAll { partitions.contains($0) }
    tell("\(isLost ? "lost" : "revoked") \(partitions)")
    giveUp(partitions, isLost: isLost, patience: Self.revokePatience, then: .unassign(partitions))
  }

  /// `ControlLoop.give(up:)`: stops workers, waits until what they handed over is settled, and forgets the partitions.
  private func giveUp(_ partitions: [PartitionID], isLost: Bool, patience: Int64, then answer: Answer) {
    let names = held.filter { partitions.contains($0.partition) }.map(\.partition)
    if !world.lacks(.workersGoOn) {
      for worker in held where names.contains(worker.partition) { worker.isStopped = true }
      held.removeAll { names.contains($0.partition) }
    }
    guard !names.isEmpty else { return self.answer(answer) }
    if isLost || world.lacks(.noDrain) {
      if !isLost { checkHandOver(names) }
      drop(names)
      return self.answer(answer)
    }
    isDraining = true
    isScheduled = true
    nextLook = min(world.now + patience, world.now + Self.drainLook)
    control = .draining(names, deadline: world.now + patience, then: answer)
  }

  /// The end of `Committer.drain`.
  private func endDrain(_ names: [PartitionID], _ answer: Answer) {
    if coordinator.hasUnsettled(Set(names)) {
      tell("gives up \(names) unsettled")
      checkHandOver(names)
      sink.isAbandoned = true
    }
    isDraining = false
    drop(names)
    control = .running
    self.answer(answer)
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
      // `Committer.stop`.
      isCommitterStopped = true
      control = .stoppingCommitter
    }
  }

  /// `ControlLoop.stop`.
  private func beginStop() {
    tell("stops\(failure.map { ": \($0)" } ?? "")")
    epoch += 1
    takeOver = nil
    if !world.lacks(.drainsWithOldGroup) { renewGroup() }
    giveUp(held.map(\.partition), isLost: false, patience: Self.stopPatience, then: .stop)
  }

  private func end() {
    client.close(world.broker, now: world.now)
    control = .ended
    hasEnded = true
    tell("has ended")
  }
}
