internal import Dispatch
internal import Events
internal import Locking
internal import Synchronization
internal import Telemetry

/// Drives one partition on a serial queue of its own: woken, it pulls a batch, has it worked on, hands the pair over, and goes
/// on until nothing waits or the committer is behind.
public final class PartitionWorker: Sendable {
  /// What a worker tells its runner.
  public enum Event: Sendable {
    /// Nothing more will come from the partition, or its log went wrong.
    case failed(PipelineFailure)
    /// The record at this offset was to come next and is gone; why. All before it has been handed over. Whoever takes the
    /// partition up anew finds where to go on.
    case passed(Int64, String)
    /// All that was to be replayed has been.
    case caughtUp(records: Int64)
  }

  /// Changed pieces of state from which on a snapshot is cut before its time: a cut takes about 180 bytes for each.
  private static let changesInCut = 200_000
  /// Batches in a row before others get a turn.
  private static let batchesInTurn = 32

  /// Whose.
  public let partition: PartitionID
  private let queue: DispatchQueue
  private let isWoken = Atomic<Bool>(false)
  private let isStopped = Atomic<Bool>(false)
  private let progress: Lock<Progress>
  private let leadLimit = Atomic<Int64>(.max)
  /// Confined to `queue`.
  private nonisolated(unsafe) let task: PartitionTask
  private nonisolated(unsafe) var log: (any PartitionLog)?
  private nonisolated(unsafe) var isReplaying: Bool
  /// All records below this offset have come; nil: the log has not said yet.
  private nonisolated(unsafe) var end: Int64?
  /// When it will look again because events wait for the rest of their block.
  private nonisolated(unsafe) var alarm: Int64?
  private let firstOffset: Int64
  private let committer: Committer
  private let snapshotter: Snapshotter?
  private let settled: Position
  private let onEvent: @Sendable (PartitionWorker, Event) -> Void

  /// How a worker stands.
  public struct Progress: Sendable, Hashable {
    /// The offset of the next record to be read.
    public var nextOffset: Int64
    /// In nanoseconds since 1970; `Int64.min` before the first event.
    public var watermark: Int64
    /// When the last record came, in nanoseconds of a clock that only rises.
    public var lastRecord: Int64
    /// Whether it waits for the committer, or for partitions that lag behind.
    public var isBlocked: Bool
    /// Whether nothing waited to be read when it last looked.
    public var isDrained = false
    /// Whether events wait for the rest of their block.
    public var isGathering = false
    /// All records below this offset have come, so far as the log has said; control records may lie before it.
    public var end: Int64
  }

  /// A worker; it begins once it has a log. Without a snapshotter its state is not kept.
  public init(
    task: sending PartitionTask, committer: Committer, snapshotter: Snapshotter? = nil,
    onEvent: @escaping @Sendable (PartitionWorker, Event) -> Void
  ) {
    partition = task.partition
    firstOffset = task.nextOffset
    isReplaying = task.isReplaying
    progress = Lock(
      Progress(
        nextOffset: task.nextOffset, watermark: .min, lastRecord: Committer.now(), isBlocked: false,
        end: task.nextOffset))
    queue = DispatchQueue(label: "tocsin.partition.\(task.partition)")
    settled = Position(offset: task.start.committed, sequence: task.start.sequence, replay: nil)
    self.task = task
    self.committer = committer
    self.snapshotter = snapshotter
    self.onEvent = onEvent
  }

  /// How it stands.
  public var state: Progress { progress.withLock { $0 } }

  /// Whether it was told to stop.
  public var isStopping: Bool { isStopped.load(ordering: .acquiring) }

  /// Lets `body` work on its task before it begins.
  func prepare<Failure: Error>(_ body: (PartitionTask) throws(Failure) -> Void) throws(Failure) {
    let outcome: Result<Void, Failure> = queue.sync { Result { () throws(Failure) in try body(task) } }
    try outcome.get()
  }

  /// Lets it read on only while its watermark is not beyond this one; may be called from any thread.
  public func setLeadLimit(_ watermark: Int64) {
    leadLimit.store(watermark, ordering: .releasing)
    wake()
  }

  /// Gives it its log and lets it begin.
  public func start(_ log: any PartitionLog) {
    committer.add(partition) { [weak self] in self?.wake() }
    snapshotter?.add(partition, settled: settled)
    queue.sync {
      self.log = log
      // Of what was restored it has a watermark before its first record: it must not be taken for infinitely far behind.
      progress.withLock { $0.watermark = task.watermark }
    }
    wake()
  }

  /// Says that there may be something to do; may be called from any thread, often, and returns at once.
  public func wake() {
    guard !isWoken.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.async { self.work() }
  }

  /// Keeps its place in the log while its partition is held still; nothing comes after this where that can't be.
  public func keepPlace() {
    queue.sync {
      if let failure = log?.keepPlace() { finish(.failed(failure)) }
    }
  }

  /// Takes a newer version of the pipeline, for the next batch of new records; returns at once.
  public func offer(_ version: PipelineVersion) { queue.async { self.task.offer(version) } }

  /// A snapshot that is true at this offset is written: a restart goes on from there; returns at once.
  public func noteSnapshot(writtenAt offset: Int64) { queue.async { self.task.noteSnapshot(writtenAt: offset) } }

  /// Stops it and closes its log. When it returns, no record is being worked on and all pairs have been handed over.
  ///
  /// - Parameter isCut: whether its state is cut a last time, as for a successor.
  public func stop(isCut: Bool = false) {
    isStopped.store(true, ordering: .releasing)
    queue.sync {
      if log != nil, let pair = task.flush(now: Committer.now()) { _ = committer.submit(pair) }
      if isCut, log != nil { cutIfDue(isFinal: true) }
      log?.close()
      log = nil
    }
  }

  private func work() {
    isWoken.store(false, ordering: .releasing)
    for _ in 0..<Self.batchesInTurn {
      guard !isStopped.load(ordering: .acquiring), let log else { return }
      cutIfDue()
      if committer.isBlocked(partition) {
        task.noteBusy(now: Committer.now())
        return note(isBlocked: true)
      }
      if task.watermark > leadLimit.load(ordering: .acquiring) {
        note(isBlocked: true)
        return rest(isQuiet: false)
      }
      let pulled = log.pull(into: task.records)
      let count = task.records.count
      if count > 0 { process() }
      if let end = pulled.end { reach(end) }
      if let failure = pulled.failure { return finish(.failed(failure)) }
      if let failure = task.failure { return finish(.failed(failure)) }
      if let reason = pulled.passed {
        if let pair = task.flush(now: Committer.now()) { _ = committer.submit(pair) }
        return finish(.passed(task.nextOffset, reason))
      }
      if pulled.isDrained {
        // It may be drained only because it has not come by the rest yet.
        let isAtEnd = end.map { $0 >= task.nextOffset } ?? false
        progress.withLock {
          $0.isDrained = isAtEnd
          $0.isBlocked = false
        }
        return rest(isQuiet: isAtEnd)
      }
    }
    rest(isQuiet: false)
    wake()
  }

  /// Between two batches.
  private func cutIfDue(isFinal: Bool = false) {
    guard let snapshotter, !task.isReplaying else { return }
    let isLarge = task.changeCount >= Self.changesInCut
    guard snapshotter.isDue(partition, isFinal: isFinal, isLarge: isLarge) else { return }
    snapshotter.submit(task.cutSnapshot(), of: partition)
  }

  /// Hands over what is due besides records, and sees to it that what is not yet due will be.
  private func rest(isQuiet: Bool) {
    let now = Committer.now()
    if let pair = task.tick(now: now, isQuiet: isQuiet), committer.submit(pair) { note(isBlocked: true) }
    progress.withLock { $0.isGathering = task.isHolding }
    guard let due = task.dueTime, alarm.map({ $0 > due || $0 <= now }) ?? true else { return }
    alarm = due
    queue.asyncAfter(deadline: DispatchTime(uptimeNanoseconds: UInt64(max(due, now)))) { self.work() }
  }

  private func finish(_ reason: Event) {
    log?.close()
    log = nil
    onEvent(self, reason)
  }

  /// All records below this offset have come.
  private func reach(_ end: Int64) {
    self.end = end
    let pair = task.pass(to: end, now: Committer.now())
    progress.withLock {
      $0.nextOffset = task.nextOffset
      $0.isGathering = task.isHolding
      $0.end = max($0.end, end)
    }
    moved(pair)
  }

  private func process() {
    let now = Committer.now()
    let pair = task.process(now: now)
    progress.withLock {
      $0.nextOffset = task.nextOffset
      $0.watermark = task.watermark
      $0.lastRecord = now
      $0.isBlocked = false
      $0.isDrained = false
      $0.isGathering = task.isHolding
      $0.end = max($0.end, task.nextOffset)
    }
    moved(pair)
  }

  private func moved(_ pair: Pair?) {
    if isReplaying, !task.isReplaying {
      isReplaying = false
      onEvent(self, .caughtUp(records: task.nextOffset - firstOffset))
    }
    if let pair, committer.submit(pair) { note(isBlocked: true) }
  }

  private func note(isBlocked: Bool) { progress.withLock { $0.isBlocked = isBlocked } }
}
