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

  func makeWorker(_ place: TakeOver.Place) -> PartitionWorker {
    PartitionWorker(task: makeTask(place), committer: committer, snapshotter: snapshotter) {
      [weak runner] worker, event in
      switch event {
      case .failed(let failure): runner?.fail(failure)
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
