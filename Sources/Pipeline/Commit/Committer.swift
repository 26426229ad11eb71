internal import Dispatch
internal import Locking
internal import Telemetry

/// Carries out what `CommitCoordinator` decides, on a serial queue of its own where the sink may block.
public final class Committer: Sendable {
  private struct State {
    var coordinator: CommitCoordinator
    var wakers: [PartitionID: @Sendable () -> Void] = [:]
    var isScheduled = false
    var isDraining = false
    var isStopped = false
    var failure: PipelineFailure?
    var timer: Int64?
    var waiters: [DispatchSemaphore] = []
  }

  /// Between two looks around while a drain waits.
  private static let drainLook = DispatchTimeInterval.milliseconds(200)

  private let sink: any Sink
  private let queue = DispatchQueue(label: "tocsin.committer")
  private let state: Lock<State>
  private let metrics: CommitMetrics
  private let log = Logger(module: "Pipeline")
  private let onSettled: @Sendable (PartitionID, Position) -> Void
  private let onFailure: @Sendable (PipelineFailure) -> Void

  /// A committer; `onSettled` is told how far a partition's pairs are settled, on the committer's queue, and `onFailure` what
  /// ends the process, once.
  public init(
    sink: any Sink, unsettledBytes: Int, timing: CommitCoordinator.Timing = CommitCoordinator.Timing(),
    metrics: CommitMetrics, onSettled: @escaping @Sendable (PartitionID, Position) -> Void = { _, _ in },
    onFailure: @escaping @Sendable (PipelineFailure) -> Void
  ) {
    self.sink = sink
    self.metrics = metrics
    self.onSettled = onSettled
    self.onFailure = onFailure
    state = Lock(State(coordinator: CommitCoordinator(timing: timing, unsettledBytes: unsettledBytes)))
  }

  /// Nanoseconds of a clock that only rises.
  static func now() -> Int64 { Int64(bitPattern: DispatchTime.now().uptimeNanoseconds) }

  // MARK: Partitions

  /// From now on `waker` is called when pairs of the partition are settled.
  public func add(_ partition: PartitionID, waker: @escaping @Sendable () -> Void) {
    state.withLock { $0.wakers[partition] = waker }
  }

  /// Takes a pair in.
  ///
  /// - Returns: whether the partition should not be read on until its waker is called.
  public func submit(_ pair: Pair) -> Bool {
    let (isBlocked, mustSchedule) = state.withLock { state -> (Bool, Bool) in
      guard state.failure == nil else { return (true, false) }
      state.coordinator.add(pair)
      return (state.coordinator.isBlocked(pair.partition), Self.schedule(&state))
    }
    if mustSchedule { queue.async { self.work() } }
    return isBlocked
  }

  /// Whether the partition should not be read on now.
  public func isBlocked(_ partition: PartitionID) -> Bool {
    state.withLock { $0.coordinator.isBlocked(partition) || $0.failure != nil }
  }

  /// Whether anything is unsettled.
  public var hasUnsettled: Bool { state.withLock { $0.coordinator.hasUnsettled() } }

  private static func schedule(_ state: inout State) -> Bool {
    if state.isScheduled { return false }
    state.isScheduled = true
    return true
  }

  /// Waits until nothing of these partitions (nil: of any) is unsettled, then forgets them. Their workers have stopped.
  ///
  /// - Parameter meanwhile: called again and again while it waits.
  /// - Returns: false where that took longer than the bound, or cannot be: what was unsettled is left to whoever reads the
  ///   partitions next.
  public func drain(
    _ partitions: Set<PartitionID>? = nil, timeoutMilliseconds: Int, meanwhile: () -> Void = {}
  ) -> Bool {
    let deadline = DispatchTime.now() + .milliseconds(timeoutMilliseconds)
    var isDrained = false
    while !isDrained {
      let waiter = DispatchSemaphore(value: 0)
      let (isDone, mustSchedule) = state.withLock { state -> (Bool, Bool) in
        if !state.coordinator.hasUnsettled(partitions) { return (true, false) }
        if state.failure != nil { return (false, false) }
        state.isDraining = true
        state.waiters.append(waiter)
        return (false, Self.schedule(&state))
      }
      isDrained = isDone
      if isDone || state.withLock({ $0.failure != nil }) { break }
      if mustSchedule { queue.async { self.work() } }
      var isOver = false
      while !isOver, waiter.wait(timeout: min(deadline, .now() + Self.drainLook)) == .timedOut {
        isOver = DispatchTime.now() >= deadline
        meanwhile()
      }
      if isOver { break }
    }
    if !isDrained { sink.abandon() }
    state.withLock { state in
      state.isDraining = false
      let dropped = partitions ?? Set(state.wakers.keys)
      state.coordinator.drop(dropped)
      for partition in dropped { state.wakers[partition] = nil }
    }
    return isDrained
  }

  /// Forgets partitions that were lost: others may have them already.
  public func drop(_ partitions: Set<PartitionID>) {
    state.withLock { state in
      state.coordinator.drop(partitions)
      for partition in partitions { state.wakers[partition] = nil }
    }
  }

  /// Does something with the sink between two transactions, unless it is stopped before its turn comes.
  public func perform(_ body: @escaping @Sendable () -> Void) {
    queue.async { if !self.state.withLock({ $0.isStopped }) { body() } }
  }

  /// Asks the sink something between two transactions, and waits for the answer.
  public func asking<Answer: Sendable>(_ body: () -> Answer) -> Answer { queue.sync(execute: body) }

  /// Ends it: what is under way is finished or fails, nothing new begins.
  public func stop() {
    state.withLock { $0.isStopped = true }
    queue.sync {}
  }

  // MARK: Work

  /// Carries actions out until there is nothing to do now.
  private func work() {
    state.withLock { $0.isScheduled = false }
    while let action = nextAction() {
      switch action {
      case .commit(let transaction): commit(transaction)
      case .recover(let partitions): recover(partitions)
      case .wait(let until): return schedule(at: until)
      case .idle: return
      }
    }
  }

  private func nextAction() -> CommitCoordinator.Action? {
    state.withLock { state in
      guard state.failure == nil, !state.isStopped else { return nil }
      return state.coordinator.next(now: Self.now(), isDraining: state.isDraining)
    }
  }

  private func schedule(at time: Int64) {
    let isNeeded = state.withLock { state -> Bool in
      if let timer = state.timer, timer <= time, timer > Self.now() { return false }
      state.timer = time
      return true
    }
    guard isNeeded else { return }
    queue.asyncAfter(deadline: DispatchTime(uptimeNanoseconds: UInt64(bitPattern: time)), flags: .enforceQoS) {
      self.state.withLock { $0.timer = nil }
      self.work()
    }
  }

  private func commit(_ transaction: Transaction) {
    let began = Self.now()
    do throws(SinkFailure) {
      try sink.commit(transaction)
      let now = Self.now()
      metrics.committed(transaction, nanoseconds: now - began)
      settled { $0.committed(now: now) }
    } catch {
      failed(error, transaction)
    }
  }

  private func recover(_ partitions: [PartitionID]) {
    do throws(SinkFailure) {
      let positions = try sink.recover(partitions)
      metrics.recoveries.add()
      log.info("what was under way is settled; going on")
      settled { $0.recovered(positions, now: Self.now()) }
    } catch {
      failed(error, Transaction(pairs: []))
    }
  }

  private func settled(_ change: (inout CommitCoordinator) -> [PartitionID]) {
    var places: [(PartitionID, Position)] = []
    let (wakers, waiters) = state.withLock { state -> ([@Sendable () -> Void], [DispatchSemaphore]) in
      let partitions = change(&state.coordinator)
      places = partitions.compactMap { partition in
        state.coordinator.settledPosition(of: partition).map { (partition, $0) }
      }
      defer { state.waiters.removeAll() }
      return (partitions.compactMap { state.wakers[$0] }, state.waiters)
    }
    for (partition, position) in places { onSettled(partition, position) }
    for waker in wakers { waker() }
    for waiter in waiters { waiter.signal() }
  }

  private func failed(_ failure: SinkFailure, _ transaction: Transaction) {
    switch failure {
    case .lost(let reason):
      log.warning("a transaction has to be settled anew", ["reason": reason])
      state.withLock { $0.coordinator.lost(now: Self.now()) }
    case .unwritable(let places, let reason):
      log.error(
        "outputs that can never be written give way to smaller ones", ["reason": reason, "outputs": "\(places.count)"])
      metrics.unwritable.add(Int64(places.count))
      for place in places { tellLost(place, transaction) }
      state.withLock { state in
        state.coordinator.replace(places, of: transaction)
        state.coordinator.lost(now: Self.now())
      }
    case .failed(let failure): end(failure)
    }
  }

  private func tellLost(_ place: SinkFailure.Place, _ transaction: Transaction) {
    guard transaction.pairs.indices.contains(place.pair) else { return }
    let pair = transaction.pairs[place.pair]
    guard pair.outputs.indices.contains(place.output), let lost = pair.outputs[place.output].substitute?.lost else {
      return
    }
    metrics.oversized.add()
    log.error(
      "an event is too large to cross an exchange: rules behind it go without it",
      [
        "topic": pair.partition.topic, "partition": "\(pair.partition.number)", "offset": "\(lost.offset)",
        "exchange": lost.exchange, "bytes": "\(lost.blockBytes)",
      ])
  }

  private func end(_ failure: PipelineFailure) {
    let (isFirst, waiters) = state.withLock { state -> (Bool, [DispatchSemaphore]) in
      let isFirst = state.failure == nil
      state.failure = state.failure ?? failure
      defer { state.waiters.removeAll() }
      return (isFirst, state.waiters)
    }
    for waiter in waiters { waiter.signal() }
    if isFirst { onFailure(failure) }
  }
}
