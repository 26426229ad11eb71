import Detection
import Events
import Pipeline

/// `TakeOver.Place`.
struct TakeOverPlace {
  var partition: PartitionID
  var recovery: Recovery
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
  /// `KafkaSnapshotReader.waitForDecided`: what is waited for, and since when.
  var hidden: (end: Int64, began: Int64)?
  /// Of the first partitions.
  var markers: [StoredMarker?] = []
}

extension Process {
  /// `TakeOver.timeout`.
  private static let questionTimeout = 10 * second
  /// `TakeOver.failuresUntilStuck`.
  private static let failuresUntilStuck = 3
  /// `KafkaSnapshotReader.hiddenTimeout`.
  private static let hiddenTimeout = Broker.stateTransactionTimeout + 15 * second

  func stepTakeOver() {
    guard var state = takeOver, state.epoch == epoch, !isStopRequested else {
      takeOver = nil
      return
    }
    do throws(CallError) {
      if let committed = state.committed {
        if state.markers.count < state.partitions.count { return try lookForMarker(&state) }
        try look(state, committed)
        takeOver = nil
      } else {
        let isStable = !world.lacks(.noStableFetch)
        let states = state.partitions.map { Broker.statePlace(of: $0) }
        let asked = state.partitions + (world.lacks(.stateIsNotAsked) ? [] : states)
        state.committed = try world.call(.fetchOffsets, at: .group) { () throws(CallError) in
          try world.broker.fetchOffsets(asked, isStable: isStable)
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
        inbox.append(.places(.failure(PipelineFailure(.configuration, "asking where to begin: \(error)"))))
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
        if !world.lacks(.hangingStateStays) { storeToPerform.append((first, client.membership)) }
      }
    }
    takeOver = state
  }

  /// `KafkaSnapshotReader.lastMarkers`, a question a step.
  private func lookForMarker(_ state: inout TakeOverState) throws(CallError) {
    let (world, broker) = (world, world.broker)
    let partition = state.partitions[state.markers.count]
    if let (end, began) = state.hidden {
      let stable = try world.call(.readState, at: .transactions) { () throws(CallError) in
        broker.state(partition).stable(world.now)
      }
      if stable < end, world.now - began < (world.lacks(.hiddenIsLeftSoon) ? 5 * second : Self.hiddenTimeout),
        !world.lacks(.markerIsReadEarly)
      {
        state.notBefore = world.now + 20 * millisecond
      } else {
        state.markers.append(broker.state(partition).lastMarker(of: partition, world.now))
        state.hidden = nil
      }
    } else {
      let end = try world.call(.readState, at: .transactions) { () throws(CallError) in broker.state(partition).high }
      state.hidden = (end, world.now)
    }
    state.asked = nil
    takeOver = state
  }

  /// `TakeOver.look`: where each partition is taken up.
  private func look(_ state: TakeOverState, _ committed: [PartitionID: CommittedOffset]) throws(CallError) {
    try world.call(.bounds, at: .group) { () throws(CallError) in }
    var places: [TakeOverPlace] = []
    for (partition, marker) in zip(state.partitions, state.markers) {
      do throws(PipelineFailure) {
        places.append(
          TakeOverPlace(partition: partition, recovery: try recovery(partition, marker, committed[partition])))
      } catch {
        inbox.append(.places(.failure(error)))
        return
      }
    }
    inbox.append(.places(.success(places)))
  }

  private func recovery(
    _ partition: PartitionID, _ marker: StoredMarker?, _ committed: CommittedOffset?
  ) throws(PipelineFailure) -> Recovery {
    var position = committed.map { Position(offset: $0.offset, metadata: $0.metadata) }
    if world.lacks(.setBackIsNotNoticed), let marker, let found = position, found.offset < marker.marker.offset {
      position = marker.marker.position
    }
    if world.lacks(.pastIsForgotten) { position?.past = nil }
    if world.lacks(.heldBackIsForgotten) {
      position?.replay?.floor = .min
      position?.replay?.isTrimmed = false
    }
    var recovery = try Recovery.decide(
      Recovery.Facts(
        partition: partition, partitionCount: world.scenario.count(of: partition.topic), committed: position,
        low: world.broker.low[partition] ?? 0, high: world.broker.high(partition), marker: marker,
        origin: .beginning))
    if !world.scenario.keepsState { recovery.start.partitionCount = 0 }
    // A fresh start draws a seed; here it comes from the run's.
    let seed = HashSeed(first: world.random.next(), second: world.random.next())
    recovery.start.seed = recovery.start.seed ?? (world.lacks(.seedIsKept) ? HashSeed(first: 1, second: 2) : seed)
    if world.lacks(.mutingIsOff) { recovery.start.committed = recovery.start.offset }
    if world.lacks(.noReplay) { recovery.start.offset = recovery.start.committed }
    if world.lacks(.replayForgetsLargest) { recovery.start.largest = .min }
    return recovery
  }
}
