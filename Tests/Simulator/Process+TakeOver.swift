import Pipeline

/// `TakeOver.Place`.
struct TakeOverPlace {
  var partition: PartitionID
  var start: PartitionTask.Start
}

/// `TakeOver.begin`, on its way.
struct TakeOverState {
  var epoch: Int
  var partitions: [PartitionID]
  var notBefore: Int64
  /// Since when this one question has not been answered.
  var asked: Int64?
  var failures = 0
  var committed: [PartitionID: CommittedOffset]?
}

extension Process {
  /// `TakeOver.timeout`.
  private static let questionTimeout = 10 * second
  /// `TakeOver.failuresUntilStuck`.
  private static let failuresUntilStuck = 3

  func stepTakeOver() {
    guard var state = takeOver, state.epoch == epoch, !isStopRequested else {
      takeOver = nil
      return
    }
    do throws(CallError) {
      if let committed = state.committed {
        try look(state, committed)
        takeOver = nil
      } else {
        let isStable = !world.lacks(.noStableFetch)
        state.committed = try world.call(.fetchOffsets, at: .group) { () throws(CallError) in
          try world.broker.fetchOffsets(state.partitions, isStable: isStable)
        }
        state.asked = nil
        takeOver = state
      }
    } catch {
      unanswered(&state, error)
    }
  }

  /// librdkafka asks again until the question's time is over; then `TakeOver.begin` does.
  private func unanswered(_ state: inout TakeOverState, _ error: CallError) {
    if error != .retriable || world.lacks(.takeOverIsNotRetried) {
      takeOver = nil
      if !world.lacks(.takeOverIsNotRetried) {
        inbox.append(.failure(PipelineFailure(.configuration, "asking for committed offsets: \(error)")))
      }
      return
    }
    state.notBefore = world.now + second
    let asked = state.asked ?? world.now
    state.asked = asked
    if world.now - asked >= Self.questionTimeout {
      state.asked = nil
      state.failures += 1
      if state.failures.isMultiple(of: Self.failuresUntilStuck), let first = state.partitions.first,
        !world.lacks(.hangingOffsetsStay)
      {
        // `ControlLoop.assigned`'s onStuck, through `Committer.perform`.
        toPerform.append((first, client.membership))
      }
    }
    takeOver = state
  }

  /// `TakeOver.look`: where each partition is taken up.
  private func look(_ state: TakeOverState, _ committed: [PartitionID: CommittedOffset]) throws(CallError) {
    try world.call(.bounds, at: .group) { () throws(CallError) in }
    var places: [TakeOverPlace] = []
    for partition in state.partitions {
      let position = committed[partition].map { Position(offset: $0.offset, metadata: $0.metadata) }
      do throws(PipelineFailure) {
        let takeUp = try TakeUp(
          partition, committed: position, low: world.broker.low[partition] ?? 0,
          high: world.broker.high(partition))
        places.append(TakeOverPlace(partition: partition, start: mutated(takeUp.start)))
      } catch {
        inbox.append(.failure(error))
        return
      }
    }
    inbox.append(.success(places))
  }

  private func mutated(_ start: PartitionTask.Start) -> PartitionTask.Start {
    var start = start
    if world.lacks(.mutingIsOff) { start.committed = start.offset }
    if world.lacks(.noReplay) { start.offset = start.committed }
    if world.lacks(.replayForgetsLargest) { start.largest = .min }
    return start
  }
}
