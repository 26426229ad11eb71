internal import Events
internal import Kafka
internal import Pipeline

extension KafkaRunner {
  /// One membership in the group, from joining it to its end.
  func session(
    _ topics: OutputTopics, _ stateTopics: StateTopics, _ counts: ExchangeCounts, _ keeper: VersionKeeper?
  ) throws(PipelineFailure) -> Membership.Ended {
    let consumer: KafkaConsumer
    do throws(KafkaError) {
      consumer = try KafkaConsumer(settings.consumer)
    } catch {
      throw PipelineFailure(error)
    }
    let store = KafkaSnapshotStore(settings: settings, topics: stateTopics, format: plan.snapshot.format)
    try open(store)
    defer { store.close() }
    let committed: @Sendable ([PartitionID]) throws(KafkaError) -> [PartitionID: Position] = {
      partitions throws(KafkaError) in
      try TakeOver.committed(consumer, partitions)
    }
    let parts = Parts(consumer: consumer, store: store, topics: stateTopics, counts: counts, keeper: keeper)
    switch plan.delivery {
    case .exactlyOnce:
      let sink = KafkaSink(settings: settings, topics: topics, committed: committed)
      try open(sink, counts)
      defer { sink.close() }
      return try control(
        parts, sink, setGroup: { sink.setGroup($0) }, endHangingOffsets: { sink.endHangingOffsets($0, $1) },
        isNameTaken: { sink.isNameTaken($0, $1) })
    case .atLeastOnce:
      let sink = AtLeastOnceSink(settings: settings, topics: topics, consumer: consumer, committed: committed)
      defer { sink.close() }
      // Without transactions, no offset hangs.
      return try control(
        parts, sink, setGroup: { _ in }, endHangingOffsets: { _, _ in }, isNameTaken: { _, _ in nil })
    }
  }

  /// What a session is made of, besides its sink.
  private struct Parts {
    var consumer: KafkaConsumer
    var store: KafkaSnapshotStore
    var topics: StateTopics
    var counts: ExchangeCounts
    var keeper: VersionKeeper?
  }

  /// Partitions of each topic that is read, by its name.
  func partitionCounts(_ counts: ExchangeCounts) -> [String: Int] {
    var found = [plan.source.topic: counts.source]
    for (exchange, count) in zip(topology.exchanges, counts.exchanges) { found[exchange.topic] = count }
    return found
  }

  private func open(_ sink: KafkaSink, _ counts: ExchangeCounts) throws(PipelineFailure) {
    do throws(SinkFailure) {
      let topics = [(plan.source.topic, counts.source)] + zip(topology.exchanges.map(\.topic), counts.exchanges)
      try sink.open(topics.flatMap { topic, count in (0..<count).map { PartitionID(topic, Int32($0)) } })
    } catch {
      switch error {
      case .failed(let failure): throw failure
      case .lost(let reason), .unwritable(_, let reason): throw PipelineFailure(.unreachable, reason)
      }
    }
  }

  private func open(_ store: KafkaSnapshotStore) throws(PipelineFailure) {
    do throws(SnapshotFailure) {
      try store.open()
    } catch {
      switch error {
      case .failed(let failure): throw failure
      case .lost(let reason): throw PipelineFailure(.unreachable, reason)
      case .stale, .cancelled: return
      }
    }
  }

  private func control(
    _ parts: Parts, _ sink: any Sink, setGroup: @escaping (GroupMetadata?) -> Void,
    endHangingOffsets: @escaping @Sendable (PartitionID, GroupMetadata) -> Void,
    isNameTaken: @escaping @Sendable (PartitionID, GroupMetadata) -> Bool?
  ) throws(PipelineFailure) -> Membership.Ended {
    let store = parts.store
    let purge = ExchangePurge(settings.consumer, topology)
    let snapshotter = Snapshotter(
      store: store, timing: SnapshotCoordinator.Timing(every: plan.snapshot.every), metrics: SnapshotMetrics(registry),
      onWritten: { [weak self] partition, offset in
        purge.saved(partition, at: offset)
        self?.tell(.snapshotWritten(partition, offset))
      }, onFailure: { [weak self] in self?.fail($0) })
    let committer = Committer(
      sink: sink, unsettledBytes: plan.limits.unsettledBytes, metrics: CommitMetrics(registry),
      onSettled: { snapshotter.settled($0, $1) }
    ) { [weak self] in self?.fail($0) }
    let control = ControlLoop(
      runner: self, consumer: parts.consumer, committer: committer, snapshotter: snapshotter,
      restorer: StateRestorer(store: store, registry: registry),
      takeOver: TakeOver(
        consumer: parts.consumer, origin: options.origin, partitionCounts: partitionCounts(parts.counts),
        topics: parts.topics, store: store, keeper: parts.keeper),
      keeper: parts.keeper,
      membership: Membership(
        set: { group in
          setGroup(group)
          snapshotter.renewFence { store.setGroup(group, fence: $0) }
        },
        endHangingOffsets: { partition, group in
          // Both ids have offsets in the group; which of them hangs is not told.
          snapshotter.perform { store.endHangingOffsets(partition, group) }
          endHangingOffsets(partition, group)
        },
        isNameTaken: { place, group in
          // A process that takes our name takes both ids before it joins the group: either producer can tell.
          sink.abandon()
          store.abandon()
          return snapshotter.asking { store.isNameTaken(place, group) }
            ?? committer.asking { isNameTaken(place, group) }
        }), counts: parts.counts)
    defer {
      committer.stop()
      snapshotter.stop()
    }
    return try control.run()
  }
}
