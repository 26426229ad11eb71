internal import Dispatch
internal import Locking
internal import Telemetry

/// Carries out what `SnapshotCoordinator` decides, on a serial queue of its own, so that no alert ever waits for a snapshot.
public final class Snapshotter: Sendable {
  private struct State {
    var coordinator: SnapshotCoordinator
    var isScheduled = false
    var isStopped = false
    var hasFailed = false
    var timer: Int64?
    var waiters: [DispatchSemaphore] = []
  }

  /// Between two looks at what is going on while it waits.
  private static let drainLook = DispatchTimeInterval.milliseconds(200)

  private let store: any SnapshotStore
  private let queue = DispatchQueue(label: "tocsin.snapshots")
  private let state: Lock<State>
  private let metrics: SnapshotMetrics
  private let log = Logger(module: "Pipeline")
  private let onWritten: @Sendable (PartitionID, Int64) -> Void
  private let onFailure: @Sendable (PipelineFailure) -> Void

  /// A snapshotter.
  ///
  /// - Parameters:
  ///   - onWritten: told when a snapshot of a partition is written and committed, and the offset that it is true at.
  ///   - onFailure: told what ends the process, once.
  public init(
    store: any SnapshotStore, timing: SnapshotCoordinator.Timing, metrics: SnapshotMetrics,
    onWritten: @escaping @Sendable (PartitionID, Int64) -> Void = { _, _ in },
    onFailure: @escaping @Sendable (PipelineFailure) -> Void
  ) {
    self.store = store
    self.onWritten = onWritten
    self.metrics = metrics
    self.onFailure = onFailure
    state = Lock(State(coordinator: SnapshotCoordinator(timing: timing)))
  }

  // MARK: Partitions

  /// A partition was taken up at a position that is committed.
  public func add(_ partition: PartitionID, settled: Position) {
    state.withLock { $0.coordinator.add(partition, settled: settled, now: Committer.now()) }
  }

  /// A partition's pairs are settled up to this position.
  public func settled(_ partition: PartitionID, _ position: Position) {
    tell { $0.settled(partition, position) }
  }

  /// A new assignment is in force; what was given up before it has been drained or dropped. `renew` hands its number to the
  /// store, before anything is handed out under it.
  public func renewFence(_ renew: (Int) -> Void) {
    state.withLock { renew($0.coordinator.renewFence()) }
  }

  /// Forgets partitions that were lost: others may have them already.
  public func drop(_ partitions: Set<PartitionID>) {
    state.withLock { $0.coordinator.drop(partitions) }
  }

  // MARK: Cuts

  /// Whether the partition should be cut at its next batch boundary.
  public func isDue(_ partition: PartitionID, isFinal: Bool = false, isLarge: Bool = false) -> Bool {
    let now = Committer.now()
    return state.withLock {
      $0.coordinator.isDue(partition, now: now, isFinal: isFinal, isLarge: isLarge) && !$0.hasFailed
    }
  }

  /// Takes a cut in; nil: nothing has happened since the last one.
  public func submit(_ cut: SnapshotCut?, of partition: PartitionID) {
    let now = Committer.now()
    tell { $0.take(cut, of: partition, now: now) }
  }

  /// Waits until nothing of these partitions (nil: of any) is unwritten, then forgets them. Their workers have stopped and
  /// their pairs are settled.
  ///
  /// - Parameter meanwhile: called again and again while it waits.
  /// - Returns: false where that took longer than the bound: a restart then reads further back.
  public func drain(
    _ partitions: Set<PartitionID>, timeoutMilliseconds: Int, meanwhile: () -> Void = {}
  ) -> Bool {
    let deadline = DispatchTime.now() + .milliseconds(timeoutMilliseconds)
    var isDrained = false
    while true {
      let waiter = DispatchSemaphore(value: 0)
      isDrained = state.withLock { state in
        if !state.coordinator.hasUnwritten(partitions) { return true }
        state.waiters.append(waiter)
        return false
      }
      if isDrained || state.withLock({ $0.hasFailed }) || DispatchTime.now() >= deadline { break }
      if waiter.wait(timeout: min(deadline, .now() + Self.drainLook)) == .timedOut { meanwhile() }
    }
    drop(partitions)
    return isDrained
  }

  /// Does something with the store between two writes, unless it is stopped before its turn comes.
  public func perform(_ body: @escaping @Sendable () -> Void) {
    queue.async { if !self.state.withLock({ $0.isStopped }) { body() } }
  }

  /// Asks the store something between two writes, and waits for the answer.
  public func asking<Answer: Sendable>(_ body: () -> Answer) -> Answer { queue.sync(execute: body) }

  /// Ends it: what is under way fails or is finished, nothing new begins.
  public func stop() {
    state.withLock { $0.isStopped = true }
    store.abandon()
    queue.sync {}
  }

  // MARK: Work

  private func tell(_ change: (inout SnapshotCoordinator) -> Void) {
    let mustSchedule = state.withLock { state in
      change(&state.coordinator)
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
    if mustSchedule { queue.async { self.work() } }
  }

  private func work() {
    state.withLock { $0.isScheduled = false }
    while let action = nextAction() {
      switch action {
      case .write(let write): carryOut(write)
      case .wait(let until): return schedule(at: until)
      case .idle: return
      }
    }
  }

  private func nextAction() -> SnapshotCoordinator.Action? {
    state.withLock { $0.hasFailed || $0.isStopped ? nil : $0.coordinator.next(now: Committer.now()) }
  }

  private func schedule(at time: Int64) {
    let isNeeded = state.withLock { state -> Bool in
      if let timer = state.timer, timer <= time, timer > Committer.now() { return false }
      state.timer = time
      return true
    }
    guard isNeeded else { return }
    queue.asyncAfter(deadline: DispatchTime(uptimeNanoseconds: UInt64(bitPattern: time))) {
      self.state.withLock { $0.timer = nil }
      self.work()
    }
  }

  private func carryOut(_ write: SnapshotCoordinator.Write) {
    let began = Committer.now()
    do throws(SnapshotFailure) {
      try store.write(write.cut, fence: write.fence)
      metrics.written(write.cut, nanoseconds: Committer.now() - began)
      ended { $0.written(write) }
      onWritten(write.cut.partition, write.cut.marker.offset)
    } catch {
      switch error {
      case .lost(let reason):
        log.warning(
          "a snapshot was not written and is tried again",
          ["partition": "\(write.cut.partition)", "offset": "\(write.cut.marker.offset)", "reason": reason])
        metrics.failures.add()
        ended { $0.failed(write, now: Committer.now()) }
      case .stale, .cancelled: ended { $0.failed(write, now: Committer.now()) }
      case .failed(let failure): end(failure)
      }
    }
  }

  private func ended(_ change: (inout SnapshotCoordinator) -> Void) {
    let waiters = state.withLock { state in
      change(&state.coordinator)
      defer { state.waiters.removeAll() }
      return state.waiters
    }
    for waiter in waiters { waiter.signal() }
  }

  private func end(_ failure: PipelineFailure) {
    let isFirst = state.withLock { state in
      defer { state.hasFailed = true }
      return !state.hasFailed
    }
    if isFirst { onFailure(failure) }
    ended { _ in }
  }
}
