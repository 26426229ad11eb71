import Events
import Pipeline

/// `PartitionWorker.work`, one batch a step.
extension Process {
  func step(_ worker: Worker) {
    worker.isWoken = false
    worker.alarm = nil
    cutIfDue(worker)
    if coordinator.isBlocked(worker.partition) || committerFailure != nil, !world.lacks(.boundIsIgnored) {
      worker.isBlocked = true
      if world.lacks(.busyIsQuiet) { return rest(worker, isQuiet: true) }
      return worker.task.noteBusy(now: world.now)
    }
    if worker.task.watermark > worker.leadLimit {
      worker.isBlocked = true
      return rest(worker, isQuiet: world.lacks(.busyIsQuiet))
    }
    // It may have nothing because the rest has not come yet.
    if world.scenario.topology != nil, world.random.chance(50) {
      worker.isDrained = false
      worker.isWoken = true
      return rest(worker, isQuiet: world.lacks(.busyIsQuiet))
    }
    // `KafkaPartitionLog.pull`: as many as have come, which is any number.
    let most = 1 + world.random.below(worker.task.records.capacity)
    let isRead = pull(worker, most: most)
    if isRead { process(worker) }
    if let failure = worker.task.failure {
      worker.isStopped = true
      return fail(failure)
    }
    guard !isRead else { return worker.isWoken = true }
    reachEnd(worker)
    worker.isDrained = true
    worker.isBlocked = false
    rest(worker, isQuiet: true)
  }

  private func pull(_ worker: Worker, most: Int) -> Bool {
    let (broker, partition, next) = (world.broker, worker.partition, worker.task.nextOffset)
    if world.scenario.isSource(partition) {
      for record in broker.records(partition, from: next, most: most) { record.append(to: worker.task.records) }
    } else {
      let blocks = broker.blocks(
        partition, from: next, most: most, now: world.now, undecided: world.lacks(.undecidedIsRead))
      for block in blocks { block.append(to: worker.task.records) }
    }
    return worker.task.records.count > 0
  }

  private func process(_ worker: Worker) {
    let made = worker.task.process(now: world.now)
    worker.lastRecord = world.now
    worker.isBlocked = false
    worker.isDrained = false
    guard var pair = made else { return }
    if world.lacks(.outputsBySort) {
      pair.outputs = pair.outputs.enumerated().sorted {
        ($0.element.destination == .alerts ? 0 : 1, -$0.offset) < (
          $1.element.destination == .alerts ? 0 : 1, -$1.offset
        )
      }.map(\.element)
    }
    tell("\(worker.partition) read to \(pair.position.offset), outputs: \(pair.outputs.map(\.cause))")
    checkMemory(worker)
    submit(pair, worker)
  }

  /// `PartitionWorker.reach`: nothing was left to be pulled at this moment.
  private func reachEnd(_ worker: Worker) {
    let end = world.broker.end(worker.partition, now: world.now, undecided: world.lacks(.undecidedIsRead))
    guard let pair = worker.task.pass(to: end, now: world.now) else { return }
    tell("\(worker.partition) goes past marks to \(end)")
    submit(pair, worker)
  }

  /// `PartitionWorker.rest`: hands over what is due besides records.
  private func rest(_ worker: Worker, isQuiet: Bool) {
    if world.lacks(.noTick) { return }
    if let pair = worker.task.tick(now: world.now, isQuiet: isQuiet) {
      tell("\(worker.partition) tells exchanges\(pair.position.isIdle ? " that it is idle" : "")")
      submit(pair, worker)
    }
    worker.alarm = worker.task.dueTime
  }

  /// `PartitionWorker.stop`: what waits for the rest of its block.
  func flush(_ worker: Worker) {
    guard !world.lacks(.noFlush), let pair = worker.task.flush(now: world.now) else { return }
    submit(pair, worker)
  }

  /// `Committer.submit`.
  private func submit(_ pair: Pair, _ worker: Worker) {
    worker.handedOver.append((pair.position, pair.outputs.reduce(0) { $0 + $1.byteCount }))
    guard committerFailure == nil else { return }
    tenures[PairEnd(partition: pair.partition, position: pair.position)] = worker.tenure
    coordinator.add(pair)
    isScheduled = true
    if coordinator.isBlocked(pair.partition) { worker.isBlocked = true }
  }

  private func checkMemory(_ worker: Worker) {
    guard !world.scenario.refusesSome else { return }
    let bound = world.scenario.plan.limits.unsettledBytes
    guard worker.handedOver.reduce(0, { $0 + $1.bytes }) > bound else { return }
    if let committed = world.broker.position(worker.partition) {
      worker.handedOver.removeAll { committed.isAtLeast($0.position) }
    }
    let bytes = worker.handedOver.reduce(0) { $0 + $1.bytes }
    if bytes > bound {
      world.checker.fail(.memory, "\(worker.partition) is read on with \(bytes) unsettled bytes of \(bound)")
    }
  }

  /// The log has something new.
  func wake(_ partition: PartitionID) {
    for worker in held where worker.partition == partition { worker.isWoken = true }
  }
}

extension Position {
  func isAtLeast(_ other: Position) -> Bool { (offset, sequence) >= (other.offset, other.sequence) }
}
