internal import Kafka
internal import Pipeline
internal import Telemetry

extension ControlLoop {
  func restored(_ worker: PartitionWorker, _ failure: PipelineFailure?) {
    // It may have been given up since.
    guard let found = restoring[worker.partition], found.worker === worker else { return }
    restoring[worker.partition] = nil
    if let failure { return runner.fail(failure) }
    worker.start(found.log)
  }

  /// Retention was faster than we; or we stood still for so long that others have the partition, have saved what they read and
  /// purged it, and the group could not tell us yet. Either is answered where a partition is taken up.
  func passed(_ worker: PartitionWorker, at offset: Int64) {
    guard held[worker.partition]?.worker === worker else { return }
    log.warning(
      "a record that was to be read next is gone: taking partitions up anew",
      ["partition": "\(worker.partition)", "offset": "\(offset)"])
    beginAnew()
  }

  func makeWorker(_ place: TakeOver.Place) -> PartitionWorker {
    PartitionWorker(task: makeTask(place), committer: committer, snapshotter: snapshotter) {
      [weak runner] worker, event in
      switch event {
      case .failed(let failure): runner?.fail(failure)
      case .passed(let offset): runner?.tell(.passed(worker, at: offset))
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
