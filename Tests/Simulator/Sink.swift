import Pipeline

/// `KafkaSink`: its state, and the call it is in the middle of. One request to a broker a step.
struct Sink {
  /// `KafkaProducer`.
  struct Producer {
    var name: ProducerName
    var transactions = 0
  }

  /// `KafkaSink.commit`.
  struct Commit {
    enum Stage {
      case begin
      case output(Int)
      /// AddOffsetsToTxn, and TxnOffsetCommit.
      case join, offsets
      case commit
      /// Only where the mutation `positionsApart` has cut the transaction in two.
      case beginAgain
    }

    var transaction: Transaction
    /// Captured when the commit began.
    var group: Membership
    var began: Int64
    var stage = Stage.begin
    var name: TransactionName
    /// Every output with its place.
    var outputs: [(place: SinkFailure.Place, output: Output)]
    var unwritable: [SinkFailure.Place] = []
  }

  enum Operation {
    /// `KafkaSink.open`.
    case open(began: Int64)
    case commit(Commit)
    /// `KafkaSink.recover`: `renew`, then the committed offsets.
    case initialise([PartitionID], began: Int64)
    case fetch([PartitionID], began: Int64, before: Commit?)
    /// `KafkaSink.endHangingOffsets`; `recovering`: called from `stable`, which then fails.
    case endHanging(PartitionID, Membership, recovering: Transaction?)
    case replace(began: Int64, recovering: Transaction?)
  }

  /// `KafkaSink.setGroup`.
  var group: Membership?
  var isAbandoned = false
  var producer: Producer?
  var operation: Operation?
  /// When the call under way will be looked at again.
  var notBefore: Int64?
  /// Whether the name has been taken over once.
  var isOpen = false
  /// `KafkaSink.doubtful`.
  var doubtful: Set<PartitionID> = []
}

extension Process {
  /// `KafkaSink.commitTimeout`.
  private static let commitTimeout = 60 * second
  /// `KafkaSink.callTimeout`.
  private static let callTimeout = second
  /// Of `TakeOver.committed`.
  private static let fetchTimeout = 30 * second

  func stepSink(_ operation: Sink.Operation) {
    sink.notBefore = nil
    switch operation {
    case .open(let began): open(began)
    case .commit(let commit): step(commit)
    case .initialise(let partitions, let began): initialise(partitions, began)
    case .fetch(let partitions, let began, let commit): fetch(partitions, began, before: commit)
    case .endHanging(let partition, let group, let recovering): endHanging(partition, group, recovering)
    case .replace(let began, let recovering): replace(began, recovering)
    }
  }

  /// `retrying`: whether the call is made again.
  private func retries(_ error: CallError, since began: Int64) -> Bool {
    guard error == .retriable, world.now - began < Self.commitTimeout, !sink.isAbandoned else { return false }
    // Mostly the pause between two tries; the whole call's time where brokers stand still.
    sink.notBefore = world.now + (world.random.chance(500) ? 20 * millisecond : Self.callTimeout)
    return true
  }

  // MARK: Committing

  func beginCommit(_ transaction: Transaction) {
    guard var producer = sink.producer, let group = sink.group else {
      return failed(.lost("there is no producer, or no membership in the group"), transaction)
    }
    producer.transactions += 1
    sink.producer = producer
    let outputs = transaction.pairs.enumerated().flatMap { pair, content in
      content.outputs.enumerated().map { (place: SinkFailure.Place(pair: pair, output: $0.offset), output: $0.element) }
    }
    let commit = Sink.Commit(
      transaction: transaction, group: group, began: world.now,
      name: TransactionName(producer: producer.name, number: producer.transactions), outputs: outputs)
    sink.operation = sink.doubtful.isEmpty ? .commit(commit) : .fetch([], began: world.now, before: commit)
  }

  private func step(_ commit: Sink.Commit) {
    var commit = commit
    do throws(CallError) {
      switch commit.stage {
      case .begin: commit.stage = commit.outputs.isEmpty ? .join : .output(0)
      case .output(let place): try produce(place, &commit)
      case .join:
        try join(commit)
        commit.stage = .offsets
      case .offsets:
        try sendOffsets(commit)
        commit.stage = .commit
      case .commit:
        try commitTransaction(commit)
        if world.lacks(.positionsApart), commit.outputs.isEmpty == false {
          commit.stage = .beginAgain
        } else {
          sink.operation = nil
          sink.isAbandoned = false
          return committed(commit.transaction)
        }
      case .beginAgain:
        sink.producer?.transactions += 1
        commit.name.number += 1
        commit.outputs = []
        commit.stage = .join
      }
      sink.operation = .commit(commit)
    } catch {
      if retries(error, since: commit.began) { return sink.operation = .commit(commit) }
      failed(error, commit)
    }
  }

  /// `KafkaSink.produce`, one output.
  private func produce(_ place: Int, _ commit: inout Sink.Commit) throws(CallError) {
    let (at, output) = commit.outputs[place]
    let pair = commit.transaction.pairs[at.pair]
    let tenure = tenures[PairEnd(partition: pair.partition, position: pair.position)] ?? 0
    let entry = LogEntry(transaction: commit.name, place: at, partition: pair.partition, output: output, tenure: tenure)
    let (broker, world) = (world.broker, world)
    let isApart = world.lacks(.blocksApart)
    do throws(CallError) {
      try world.call(
        .produce, at: .transactions, late: { try? broker.produce(entry, now: world.now, isApart: isApart) }
      ) { () throws(CallError) in try broker.produce(entry, now: world.now, isApart: isApart) }
    } catch {
      guard error == .unwritable else { throw error }
      commit.unwritable.append(at)
    }
    if place + 1 < commit.outputs.count { return commit.stage = .output(place + 1) }
    // Something can never be written: the transaction is not committed.
    guard commit.unwritable.isEmpty else { throw .unwritable }
    commit.stage = world.lacks(.positionsApart) ? .commit : .join
  }

  /// The first half of `KafkaProducer.sendOffsets`: the group takes part in the transaction.
  private func join(_ commit: Sink.Commit) throws(CallError) {
    let (broker, world) = (world.broker, world)
    try world.call(.sendOffsets, at: .transactions) { () throws(CallError) in
      try broker.addOffsets(commit.name, now: world.now)
    }
  }

  /// `KafkaProducer.sendOffsets`.
  private func sendOffsets(_ commit: Sink.Commit) throws(CallError) {
    let group = world.lacks(.groupIsReadLate) ? client.membership : commit.group
    guard group.isMember || world.lacks(.noMemberMaySend) else { throw .abortable }
    var offsets: [PartitionID: CommittedOffset] = [:]
    for pair in commit.transaction.pairs {
      var position = pair.position
      if world.lacks(.positionAhead), let worker = held.first(where: { $0.partition == pair.partition }) {
        position.offset = max(position.offset, worker.task.nextOffset)
      }
      offsets[pair.partition] = CommittedOffset(offset: position.offset, metadata: position.metadata)
    }
    let (broker, name, sent) = (world.broker, commit.name, offsets)
    let isTakenUp = world.random.chance(500)
    try world.call(
      .sendOffsets, at: .group, late: { if isTakenUp { broker.takeUpLate(sent, name, group) } }
    ) { () throws(CallError) in try broker.sendOffsets(sent, name, group) }
  }

  private func commitTransaction(_ commit: Sink.Commit) throws(CallError) {
    let (broker, name, world) = (world.broker, commit.name, world)
    try world.call(.commit, at: .transactions, late: { try? broker.commit(name, now: world.now) }) {
      () throws(CallError) in
      try broker.commit(name, now: world.now)
    }
  }

  /// `KafkaSink.failure`.
  private func failed(_ error: CallError, _ commit: Sink.Commit) {
    sink.operation = nil
    sink.isAbandoned = false
    doubt(commit.transaction.pairs.map(\.partition))
    var trouble = TransactionTrouble(
      reason: "\(error)", age: (world.now - commit.began) / millisecond,
      transactionTimeout: Broker.transactionTimeout / millisecond)
    if !world.lacks(.unwritableIsLost) { trouble.unwritable = commit.unwritable }
    if error == .denied { trouble.denial = "no permission" }
    if error == .fenced, !world.lacks(.fencedGoesOn) { trouble.fence = "another process runs as \(name)" }
    failed(trouble.failure, commit.transaction)
  }

  // MARK: Settling

  private func doubt(_ partitions: [PartitionID]) {
    if !world.lacks(.doubtIsForgotten) { sink.doubtful.formUnion(partitions) }
  }

  func beginRecover(_ partitions: [PartitionID]) {
    sink.producer = nil
    sink.operation = .initialise(partitions, began: world.now)
  }

  /// `TransactionalProducer.renew`; nil: it is still being tried.
  private func makeProducer(_ began: Int64) -> Result<Sink.Producer, SinkFailure>? {
    do throws(CallError) {
      let (broker, name, world) = (world.broker, name, world)
      let made = try world.call(.initialise, at: .transactions) { () throws(CallError) in
        broker.initialise(name, now: world.now)
      }
      return .success(Sink.Producer(name: made))
    } catch {
      if retries(error, since: began) { return nil }
      sink.isAbandoned = false
      switch error {
      case .fenced: return .failure(.failed(PipelineFailure(.fenced, "another process runs as \(name)")))
      case .denied: return .failure(.failed(PipelineFailure(.configuration, "no permission")))
      default: return .failure(.lost("\(error)"))
      }
    }
  }

  /// `KafkaRunner.open`: where that fails, the process ends.
  private func open(_ began: Int64) {
    guard let made = makeProducer(began) else { return }
    sink.operation = nil
    switch made {
    case .success(let producer):
      sink.producer = producer
      sink.isOpen = true
      doubt(world.scenario.partitions)
    case .failure(.failed(let failure)):
      fail(failure)
    case .failure(let other):
      fail(PipelineFailure(.unreachable, "\(other)"))
    }
  }

  private func initialise(_ partitions: [PartitionID], _ began: Int64) {
    guard let made = makeProducer(began) else { return }
    switch made {
    case .success(let producer):
      sink.producer = producer
      sink.operation = .fetch(partitions, began: world.now, before: nil)
    case .failure(let failure):
      sink.operation = nil
      failed(failure, Transaction(pairs: []))
    }
  }

  /// `KafkaSink.stable`: before the first commit (`commit`), or to recover.
  private func fetch(_ partitions: [PartitionID], _ began: Int64, before commit: Sink.Commit?) {
    let asked = sink.doubtful.union(partitions).sorted()
    do throws(CallError) {
      let isStable = !world.lacks(.noStableRecovery)
      let found = try world.call(.fetchOffsets, at: .group) { () throws(CallError) in
        try world.broker.fetchOffsets(asked, isStable: isStable)
      }
      sink.doubtful = []
      if var commit {
        commit.began = world.now
        return sink.operation = .commit(commit)
      }
      sink.operation = nil
      recovered(found.mapValues { Position(offset: $0.offset, metadata: $0.metadata) })
    } catch {
      if error == .retriable, world.now - began < Self.fetchTimeout {
        return sink.notBefore = world.now + Self.callTimeout
      }
      let transaction = commit?.transaction ?? Transaction(pairs: [])
      guard let first = asked.first, let group = sink.group, !world.lacks(.hangingOffsetsStay) else {
        sink.operation = nil
        return failed(.lost("\(error)"), transaction)
      }
      sink.operation = .endHanging(first, group, recovering: transaction)
    }
  }

  /// `KafkaSink.endHangingOffsets`: a transaction that takes part in the group and is left to the next producer.
  private func endHanging(_ partition: PartitionID, _ group: Membership, _ recovering: Transaction?) {
    if sink.producer == nil {
      guard let made = makeProducer(world.now) else { return }
      guard case .success(let producer) = made else {
        sink.operation = nil
        if let recovering { failed(.lost("stable offsets can't be had"), recovering) }
        return
      }
      sink.producer = producer
    }
    sink.operation = .replace(began: world.now, recovering: recovering)
    guard var producer = sink.producer, group.isMember else { return }
    tell("ends what may hang in the group")
    doubt([partition])
    producer.transactions += 1
    let name = TransactionName(producer: producer.name, number: producer.transactions)
    let offsets = [partition: CommittedOffset(offset: 0, metadata: "")]
    let (broker, world) = (world.broker, world)
    do throws(CallError) {
      try world.call(.sendOffsets, at: .transactions) { () throws(CallError) in
        try broker.addOffsets(name, now: world.now)
      }
      try world.call(.sendOffsets, at: .group, late: { broker.takeUpLate(offsets, name, group) }) {
        () throws(CallError) in try broker.sendOffsets(offsets, name, group)
      }
    } catch { tell("a hanging offset could not be ended: \(error)") }
    sink.producer = nil
  }

  private func replace(_ began: Int64, _ recovering: Transaction?) {
    guard let made = makeProducer(began) else { return }
    sink.operation = nil
    if case .success(let producer) = made { sink.producer = producer }
    if let recovering { failed(.lost("stable offsets can't be had"), recovering) }
  }
}
