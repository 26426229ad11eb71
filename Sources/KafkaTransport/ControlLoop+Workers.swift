internal import Kafka
internal import Pipeline
internal import Telemetry

extension ControlLoop {
  /// Tells of event time that is ahead of the clock.
  func lookForWrongClocks(_ sources: [PartitionID: PartitionWorker]) {
    let found = clocks.look(sources.mapValues { $0.state.watermark }, time: WrongClockWatch.time(), now: .now)
    guard let found else { return }
    log.error(
      "event time is ahead of the clock: an event came with a wrong time, as did its record; until then, events with a right "
        + "time are late there",
      [
        "partition": "\(found.partition)", "partitions": "\(found.count)",
        "ahead_seconds": "\(found.ahead / 1_000_000_000)",
      ])
  }

  func restored(_ worker: PartitionWorker, _ failure: PipelineFailure?) {
    // It may have been given up since.
    guard let found = restoring[worker.partition], found.worker === worker else { return }
    restoring[worker.partition] = nil
    if let failure { return runner.fail(failure) }
    worker.start(found.log)
  }

  /// Why partitions can't be taken up that a topic did not have at the start: keys have moved there, away from their state.
  func growth(_ partitions: [TopicPartition]) -> PipelineFailure? {
    let counts = runner.partitionCounts(counts)
    let beyond = partitions.filter { partition in counts[partition.topic].map { partition.partition >= $0 } ?? false }
    guard let last = beyond.max(by: { $0.partition < $1.partition }), let count = counts[last.topic] else { return nil }
    return PipelineFailure(
      .configuration,
      "\(last.topic) has \(last.partition + 1) partitions or more now, and had \(count) at the start: keys have moved away "
        + "from their state; begin anew with another `pipeline` name (or group.id), or stop every process, delete the state "
        + "topic and reset the group's offsets")
  }

  /// Retention was faster than we; or we stood still for so long that others have the partition, have saved what they read and
  /// purged it, and the group could not tell us yet. Either is answered where a partition is taken up. What was read before
  /// goes out first, because nobody can make it again; the group refuses it where the partition is not ours any more.
  func passed(_ worker: PartitionWorker, at offset: Int64, _ reason: String) {
    guard held[worker.partition]?.worker === worker else { return }
    log.warning(
      "a record that was to be read next is gone: taking partitions up anew",
      ["partition": "\(worker.partition)", "offset": "\(offset)", "error": reason])
    ended = .rejoining
  }

  /// Partitions that stay go on where they were, once the group is answered: see `PartitionQueue.keepPlace`.
  func keepPlaces() {
    for held in held.values { held.worker.keepPlace() }
  }

  func makeWorker(_ place: TakeOver.Place) -> PartitionWorker {
    PartitionWorker(task: makeTask(place), committer: committer, snapshotter: snapshotter) {
      [weak runner] worker, event in
      switch event {
      case .failed(let failure): runner?.fail(failure)
      case .passed(let offset, let reason): runner?.tell(.passed(worker, at: offset, reason))
      case .caughtUp(let records):
        runner?.log.info(
          "windows are as they were at the stop", ["partition": "\(worker.partition)", "records": "\(records)"])
      }
    }
  }

  func makeTask(_ place: TakeOver.Place) -> sending PartitionTask {
    guard let keeper else {
      return PartitionTask(
        plan: runner.plan, tables: runner.tables, partition: place.partition, start: place.recovery.start,
        productVersion: runner.productVersion, registry: runner.registry, topology: runner.topology, counts: counts)
    }
    return PartitionTask(
      versions: TaskVersions(
        newest: keeper.newest, earlier: place.versions, group: runner.settings.group,
        exchanges: runner.topology.exchanges.map(\.topic)),
      partition: place.partition,
      start: place.recovery.start, productVersion: runner.productVersion, registry: runner.registry, counts: counts)
  }
}
