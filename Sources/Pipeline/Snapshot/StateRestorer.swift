internal import Detection
internal import Dispatch
internal import Glibc
internal import Synchronization
public import Telemetry

/// Restores the state of partitions that were taken up, a few at a time, on queues of its own: neither the control thread nor
/// partitions that run wait for it.
public final class StateRestorer: Sendable {
  /// Partitions that are restored at the same time.
  private static let atOnce = 2
  /// Milliseconds between two tries.
  private static let retryPause: UInt32 = 1_000

  private let store: any SnapshotStore
  private let registry: MetricsRegistry
  private let queues = (0..<atOnce).map { DispatchQueue(label: "tocsin.restore.\($0)") }
  private let next = Atomic<Int>(0)
  private let log = Logger(module: "Pipeline")

  /// A restorer from this store.
  public init(store: any SnapshotStore, registry: MetricsRegistry) {
    self.store = store
    self.registry = registry
  }

  /// Restores a worker's task before the worker begins; a worker that is stopped ends it.
  ///
  /// - Parameter done: told, on a queue of the restorer, that it is restored, or why it can't be; not told where the worker was
  ///   stopped.
  public func restore(
    _ worker: PartitionWorker, from marker: StoredMarker,
    done: @escaping @Sendable (PartitionWorker, PipelineFailure?) -> Void
  ) {
    let turn = next.wrappingAdd(1, ordering: .relaxed).oldValue
    queues[turn % queues.count].async {
      while !worker.isStopping {
        do throws(SnapshotFailure) {
          try worker.prepare { task throws(SnapshotFailure) in try self.restore(task, marker) { worker.isStopping } }
          return done(worker, nil)
        } catch {
          switch error {
          case .cancelled, .stale: return
          case .failed(let failure): return done(worker, failure)
          case .lost(let reason):
            self.log.warning(
              "reading a snapshot failed and is tried again", ["partition": "\(worker.partition)", "reason": reason])
            usleep(Self.retryPause * 1_000)
          }
        }
      }
    }
  }

  private func restore(
    _ task: PartitionTask, _ stored: StoredMarker, isCancelled: @escaping () -> Bool
  ) throws(SnapshotFailure) {
    let began = ContinuousClock.now
    let marker = stored.marker
    do throws(PipelineFailure) {
      try task.beginRestore(marker)
    } catch {
      throw .failed(error)
    }
    let reading = Reading(task, registry, isCancelled: isCancelled)
    try store.read(task.partition, upTo: stored, into: reading)
    let outcome = task.finishRestore(marker)
    let seconds = began.duration(to: .now) / .seconds(1)
    registry.histogram(PipelineMetrics.restoreSeconds).observe(seconds)
    log.info(
      "state was restored",
      [
        "partition": "\(task.partition)", "offset": "\(marker.offset)", "records": "\(reading.records)",
        "bytes": "\(reading.bytes)", "keys": "\(outcome.keys)", "episodes": "\(outcome.episodes)",
        "seconds": "\((seconds * 1000).rounded() / 1000)",
      ])
    tell(outcome, task)
  }

  private func tell(_ outcome: RestoreOutcome, _ task: PartitionTask) {
    for number in outcome.startedAnew where task.stages.plan.rules.indices.contains(number) {
      log.warning(
        "a rule has no state in the snapshot (it is new, or its state identity changed) and begins anew",
        ["partition": "\(task.partition)", "rule": task.stages.plan.rules[number].id])
    }
    let dropped = outcome.dropped.reduce(0) { $0 + $1.records }
    if dropped > 0 {
      log.warning(
        "state of rules that are no longer there, or whose state identity changed, was left out",
        ["partition": "\(task.partition)", "rules": "\(outcome.dropped.count)", "records": "\(dropped)"])
    }
  }
}

/// Hands what is read to a task, and counts it.
private final class Reading: SnapshotReading {
  /// Between two lines of progress.
  private static let tellEvery = Duration.seconds(5)

  private let task: PartitionTask
  private let cancelled: () -> Bool
  private let recordCounter: Counter
  private let byteCounter: Counter
  private let remainingGauge: Gauge
  private var lastTold = ContinuousClock.now
  private let log = Logger(module: "Pipeline")
  private(set) var records: Int64 = 0
  private(set) var bytes: Int64 = 0

  init(_ task: PartitionTask, _ registry: MetricsRegistry, isCancelled: @escaping () -> Bool) {
    self.task = task
    cancelled = isCancelled
    let labels = [task.partition.topic, "\(task.partition.number)"]
    recordCounter = registry.counter(PipelineMetrics.restoredRecords, labels)
    byteCounter = registry.counter(PipelineMetrics.restoredBytes, labels)
    remainingGauge = registry.gauge(PipelineMetrics.restoreRemaining, labels)
  }

  var isCancelled: Bool { cancelled() }

  func restore(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(StateError) {
    try task.restore(key: key, value: value)
  }

  func obsolete(key: UnsafeRawBufferPointer) { task.noteObsolete(key: key) }

  func progress(records: Int64, bytes: Int64, remaining: Int64) {
    self.records += records
    self.bytes += bytes
    recordCounter.add(records)
    byteCounter.add(bytes)
    remainingGauge.set(Double(remaining))
    guard lastTold.duration(to: .now) >= Self.tellEvery else { return }
    lastTold = .now
    log.info(
      "restoring state",
      [
        "partition": "\(task.partition)", "records": "\(self.records)", "bytes": "\(self.bytes)",
        "remaining": "\(remaining)",
      ])
  }
}
