import Events
import Pipeline

/// `PartitionWorker.work`, one batch a step.
extension Process {
  func step(_ worker: Worker) {
    worker.isWoken = false
    if coordinator.isBlocked(worker.partition) || committerFailure != nil, !world.lacks(.boundIsIgnored) { return }
    // `KafkaPartitionLog.pull`: as many as have come, which is any number.
    let most = 1 + world.random.below(worker.task.records.capacity)
    let pulled = world.broker.records(worker.partition, from: worker.task.nextOffset, most: most)
    for record in pulled { record.append(to: worker.task.records) }
    worker.isWoken = !pulled.isEmpty
    guard !pulled.isEmpty, var pair = worker.task.process(now: world.now) else { return }
    if world.lacks(.outputsBySort) {
      pair.outputs = pair.outputs.enumerated().sorted {
        ($0.element.destination == .alerts ? 0 : 1, -$0.offset) < (
          $1.element.destination == .alerts ? 0 : 1, -$1.offset
        )
      }.map(\.element)
    }
    tell("\(worker.partition) read to \(pair.position.offset), outputs: \(pair.outputs.map(\.cause))")
    checkMemory(worker)
    worker.handedOver.append((pair.position, pair.outputs.reduce(0) { $0 + $1.byteCount }))
    submit(pair, worker)
  }

  /// `Committer.submit`.
  private func submit(_ pair: Pair, _ worker: Worker) {
    guard committerFailure == nil else { return }
    tenures[PairEnd(partition: pair.partition, position: pair.position)] = worker.tenure
    coordinator.add(pair)
    isScheduled = true
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
