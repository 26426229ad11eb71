import Detection
import Pipeline

/// `KafkaSnapshotStore`: its state, and the call it is in the middle of. One request to a broker a step.
struct Store {
  /// `KafkaSnapshotStore.write`.
  struct Writing {
    enum Stage {
      case begin
      case records(Int)
      /// AddOffsetsToTxn, and TxnOffsetCommit.
      case join, offsets
      case commit
    }

    var write: SnapshotCoordinator.Write
    /// Captured when it was handed out.
    var group: Membership
    var began: Int64
    var stage = Stage.begin
    var name: TransactionName
    var records: [StateLog.Record]
  }

  enum Operation {
    /// `KafkaSnapshotStore.open`.
    case open(began: Int64)
    /// Handed out by the coordinator, and not looked at yet.
    case handed(SnapshotCoordinator.Write)
    case initialise(SnapshotCoordinator.Write, Membership, began: Int64)
    case write(Writing)
    /// `KafkaSnapshotStore.endHangingOffsets`, and what follows it.
    case endHanging(PartitionID, Membership, began: Int64)
    case replace(began: Int64)
  }

  var group: Membership?
  var fence = 0
  var isAbandoned = false
  var producer: Sink.Producer?
  var operation: Operation?
  /// When the call under way will be looked at again.
  var notBefore: Int64?
}

extension Process {
  /// `KafkaSnapshotStore.callTimeout`.
  private static let callTimeout = second

  private var stateName: String { Broker.stateName(name) }

  func stepStore(_ operation: Store.Operation) {
    store.notBefore = nil
    switch operation {
    case .open(let began): openStore(began)
    case .handed(let write): beginWrite(write)
    case .initialise(let write, let group, let began): initialise(write, group, began)
    case .write(let writing): step(writing)
    case .endHanging(let partition, let group, let began): endHangingState(partition, group, began)
    case .replace(let began):
      guard let made = makeStoreProducer(began) else { return }
      store.operation = nil
      if case .success(let producer) = made { store.producer = producer }
    }
  }

  private func endHangingState(_ partition: PartitionID, _ group: Membership, _ began: Int64) {
    if store.producer == nil {
      guard let made = makeStoreProducer(began) else { return }
      guard case .success(let producer) = made else { return store.operation = nil }
      store.producer = producer
    }
    guard var producer = store.producer, group.isMember else { return store.operation = nil }
    tell("ends what may hang in the group of its state")
    store.operation = .replace(began: world.now)
    producer.transactions += 1
    let name = TransactionName(producer: producer.name, number: producer.transactions)
    let offsets = [Broker.statePlace(of: partition): CommittedOffset(offset: 0, metadata: "")]
    let (broker, world) = (world.broker, world)
    do throws(CallError) {
      try world.call(.sendOffsets, at: .transactions) { () throws(CallError) in
        try broker.addOffsets(name, now: world.now)
      }
      try world.call(.sendOffsets, at: .group, late: { broker.takeUpLate(offsets, name, group) }) {
        () throws(CallError) in try broker.sendOffsets(offsets, name, group)
      }
    } catch { tell("a hanging offset of state could not be ended: \(error)") }
    store.producer = nil
  }

  /// `KafkaSnapshotStore.isGoingOn`.
  private func retries(_ error: CallError, since began: Int64) -> Bool {
    guard error == .retriable, world.now - began < Broker.stateTransactionTimeout, !store.isAbandoned else {
      return false
    }
    store.notBefore = world.now + (world.random.chance(500) ? 20 * millisecond : Self.callTimeout)
    return true
  }

  /// `TransactionalProducer.renew`; nil: it is still being tried.
  private func makeStoreProducer(_ began: Int64) -> Result<Sink.Producer, SnapshotFailure>? {
    do throws(CallError) {
      let (broker, name, world) = (world.broker, stateName, world)
      let made = try world.call(.initialise, at: .transactions) { () throws(CallError) in
        broker.initialise(name, now: world.now)
      }
      return .success(Sink.Producer(name: made))
    } catch {
      if retries(error, since: began) { return nil }
      switch error {
      case .fenced: return .failure(.failed(PipelineFailure(.fenced, "another process runs as \(stateName)")))
      case .denied: return .failure(.failed(PipelineFailure(.configuration, "no permission")))
      default: return .failure(.lost("\(error)"))
      }
    }
  }

  /// `KafkaRunner.open`: the sink comes next; where it fails, the process ends.
  private func openStore(_ began: Int64) {
    guard let made = makeStoreProducer(began) else { return }
    store.operation = nil
    switch made {
    case .success(let producer):
      store.producer = producer
      sink.operation = .open(began: world.now)
    case .failure(.failed(let failure)): fail(failure)
    case .failure(let other): fail(PipelineFailure(.unreachable, "\(other)"))
    }
  }

  private func beginWrite(_ write: SnapshotCoordinator.Write) {
    let isOurs = store.fence == write.fence || world.lacks(.fenceIsIgnored)
    guard isOurs, let group = store.group, group.isMember else { return writeFailed(.stale, write) }
    guard let producer = store.producer else {
      return store.operation = .initialise(write, group, began: world.now)
    }
    begin(write, group, producer)
  }

  private func initialise(_ write: SnapshotCoordinator.Write, _ group: Membership, _ began: Int64) {
    guard let made = makeStoreProducer(began) else { return }
    switch made {
    case .success(let producer): begin(write, group, producer)
    case .failure(let failure): writeFailed(failure, write)
    }
  }

  private func begin(_ write: SnapshotCoordinator.Write, _ group: Membership, _ producer: Sink.Producer) {
    var producer = producer
    producer.transactions += 1
    store.producer = producer
    let writing = Store.Writing(
      write: write, group: group, began: world.now,
      name: TransactionName(producer: producer.name, number: producer.transactions), records: records(of: write.cut))
    store.operation = .write(writing)
  }

  /// `KafkaSnapshotStore.produce`.
  private func records(of cut: SnapshotCut) -> [StateLog.Record] {
    let codec = SnapshotCodec(format: world.scenario.plan.snapshot.format)
    var records = cut.obsolete.map { StateLog.Record(key: $0, value: nil) }
    for record in cut.records where record.value != nil || !world.lacks(.noTombstones) {
      let key = codec.key(record.key, series: cut.marker.series)
      records.append(StateLog.Record(key: key, value: record.value.map { codec.seal(key, $0) }))
    }
    let marker = StateLog.Record(key: SnapshotCodec.markerKey, value: codec.value(of: cut.marker))
    return world.lacks(.markerGoesFirst) ? [marker] + records : records + [marker]
  }

  private func step(_ writing: Store.Writing) {
    var writing = writing
    do throws(CallError) {
      switch writing.stage {
      case .begin: writing.stage = .records(0)
      case .records(let place): try produce(place, &writing)
      case .join:
        try join(writing)
        writing.stage = .offsets
      case .offsets:
        try sendOffsets(writing)
        writing.stage = .commit
      case .commit:
        try commit(writing)
        return writeEnded(&writing)
      }
      store.operation = .write(writing)
    } catch {
      if retries(error, since: writing.began) { return store.operation = .write(writing) }
      failed(error, writing)
    }
  }

  private func writeEnded(_ writing: inout Store.Writing) {
    if world.lacks(.markerGoesFirst), writing.records.first?.key == SnapshotCodec.markerKey, writing.records.count > 1 {
      writing.records.removeFirst()
      store.producer?.transactions += 1
      writing.name.number += 1
      writing.stage = .begin
      return store.operation = .write(writing)
    }
    store.operation = nil
    written(writing.write)
  }

  /// Some records; their requests may be taken up late.
  private func produce(_ place: Int, _ writing: inout Store.Writing) throws(CallError) {
    var end = min(writing.records.count, place + 1 + world.random.below(24))
    if world.lacks(.markerGoesFirst), writing.records[place].key == SnapshotCodec.markerKey { end = place + 1 }
    let (broker, world, name) = (world.broker, world, writing.name)
    let (records, partition) = (writing.records[place..<end], writing.write.cut.partition)
    try world.call(
      .produce, at: .transactions, late: { try? broker.produce(records, to: partition, name, now: world.now) }
    ) { () throws(CallError) in try broker.produce(records, to: partition, name, now: world.now) }
    let isMarkerAlone = world.lacks(.markerGoesFirst) && records.first?.key == SnapshotCodec.markerKey
    writing.stage = end < writing.records.count && !isMarkerAlone ? .records(end) : .join
  }

  private func join(_ writing: Store.Writing) throws(CallError) {
    let (broker, world) = (world.broker, world)
    try world.call(.sendOffsets, at: .transactions) { () throws(CallError) in
      try broker.addOffsets(writing.name, now: world.now)
    }
  }

  private func sendOffsets(_ writing: Store.Writing) throws(CallError) {
    let (broker, name) = (world.broker, writing.name)
    let group = world.lacks(.cutIsNotFenced) ? Membership.none : writing.group
    let offsets = [Broker.statePlace(of: writing.write.cut.partition): CommittedOffset(offset: 0, metadata: "")]
    try world.call(
      .sendOffsets, at: .group,
      late: { [isTakenUp = world.random.chance(500)] in
        if isTakenUp { broker.takeUpLate(offsets, name, group) }
      }
    ) { () throws(CallError) in try broker.sendOffsets(offsets, name, group) }
  }

  private func commit(_ writing: Store.Writing) throws(CallError) {
    let (broker, name, world) = (world.broker, writing.name, world)
    try world.call(.commit, at: .transactions, late: { try? broker.commit(name, now: world.now) }) {
      () throws(CallError) in try broker.commit(name, now: world.now)
    }
  }

  /// `KafkaSnapshotStore.settle`.
  private func failed(_ error: CallError, _ writing: Store.Writing) {
    store.producer = nil
    var trouble = SnapshotTrouble(
      TransactionTrouble(
        reason: "\(error)", age: (world.now - writing.began) / millisecond,
        transactionTimeout: Broker.stateTransactionTimeout / millisecond))
    if error == .denied { trouble.transaction.denial = "no permission" }
    if error == .generation { trouble.isStale = true }
    if error == .fenced, !world.lacks(.fencedGoesOn) {
      trouble.transaction.fence = "another process runs as \(stateName)"
    }
    writeFailed(trouble.failure, writing.write)
  }
}
