/// Decides when to commit and what a failure means. It does no I/O and is told the time, in nanoseconds of any clock that
/// only rises.
///
/// ```
///          add            next               committed
///   pairs ─────► waiting ──────► in flight ─────────────► settled
///                   ▲                │ failed: lost
///                   │   recovered    ▼
///                   └────────── to be settled   (next: recover)
/// ```
///
/// A pair is held until a transaction that carried it is known to have gone through. There is never an abort: what is lost
/// is settled by asking what the group has committed.
public struct CommitCoordinator: Sendable {
  /// When commits are due, in nanoseconds.
  public struct Timing: Sendable, Hashable {
    /// Between the end of a commit and the next, while alerts wait.
    public var alertGap: Int64 = 20_000_000
    /// Between the end of a commit and the next, while blocks of exchanges wait.
    public var exchangeGap: Int64 = 100_000_000
    /// Between two commits of positions and other outputs.
    public var interval: Int64 = 1_000_000_000
    /// Waiting outputs, in bytes, from which on a commit is due.
    public var dueBytes = 1 << 20
    /// Between two recoveries that failed, at first; it doubles each time.
    public var retryFirst: Int64 = 100_000_000
    /// The longest time between two recoveries that failed.
    public var retryMost: Int64 = 5_000_000_000

    /// The times that are documented.
    public init() {}
  }

  /// What to do next.
  public enum Action: Sendable, Hashable {
    /// Commit this; tell `committed` or `failed`.
    case commit(Transaction)
    /// Settle what was under way for these partitions; tell `recovered` or `failed`.
    case recover([PartitionID])
    /// Nothing before this time, unless pairs come.
    case wait(until: Int64)
    /// Nothing until pairs come.
    case idle
  }

  private struct Queue {
    var waiting: Pair?
    var inFlight: Pair?
    var bytes = 0
    var hasAlert = false
    var hasBlock = false
    /// Where the last pair that was settled ended.
    var settled: Position?

    mutating func take(_ pair: Pair, bytes: Int, hasAlert: Bool, hasBlock: Bool) {
      self.bytes += bytes
      self.hasAlert = self.hasAlert || hasAlert
      self.hasBlock = self.hasBlock || hasBlock
      if waiting == nil { waiting = pair } else { waiting?.append(pair) }
    }
  }

  private enum Phase {
    case ready, committing
    case settling(notBefore: Int64)
    case recovering
  }

  private let timing: Timing
  /// Unsettled outputs of one partition, in bytes, from which on it should not be read.
  private let unsettledBytes: Int
  private var queues: [PartitionID: Queue] = [:]
  private var phase = Phase.ready
  private var began: Int64 = 0
  private var lastEnd: Int64?
  private var lastDuration: Int64 = 0
  private var retryDelay: Int64
  /// Outputs given up or replaced because they could never be written.
  public private(set) var substituted = 0
  /// Outputs given up without a replacement.
  public private(set) var givenUp = 0

  /// A coordinator without pairs.
  public init(timing: Timing = Timing(), unsettledBytes: Int) {
    self.timing = timing
    self.unsettledBytes = unsettledBytes
    retryDelay = timing.retryFirst
  }

  // MARK: Pairs

  /// Takes a pair in; it is joined to the one that waits.
  public mutating func add(_ pair: Pair) {
    let bytes = pair.outputs.reduce(0) { $0 + $1.byteCount }
    let hasAlert = pair.outputs.contains { $0.destination == .alerts }
    let hasBlock = pair.outputs.contains { $0.destination == .exchange }
    // In place: a waiting pair may hold thousands of outputs.
    queues[pair.partition, default: Queue()].take(pair, bytes: bytes, hasAlert: hasAlert, hasBlock: hasBlock)
  }

  /// Whether a partition has so much unsettled that it should not be read on.
  public func isBlocked(_ partition: PartitionID) -> Bool { (queues[partition]?.bytes ?? 0) > unsettledBytes }

  /// Whether anything of these partitions (nil: of any) is unsettled.
  public func hasUnsettled(_ partitions: Set<PartitionID>? = nil) -> Bool {
    queues.contains { partitions?.contains($0.key) ?? true && ($0.value.waiting != nil || $0.value.inFlight != nil) }
  }

  /// Where the last pair of a partition that was settled ended; nil: none was.
  public func settledPosition(of partition: PartitionID) -> Position? { queues[partition]?.settled }

  /// Forgets partitions that were given up. What of them is in flight stays with its transaction.
  public mutating func drop(_ partitions: some Sequence<PartitionID>) {
    for partition in partitions { queues[partition] = nil }
  }

  // MARK: Deciding

  /// What to do now. With `isDraining`, whatever waits is due.
  public mutating func next(now: Int64, isDraining: Bool = false) -> Action {
    switch phase {
    case .committing, .recovering: return .idle
    case .settling(let notBefore):
      if now < notBefore { return .wait(until: notBefore) }
      phase = .recovering
      return .recover(queues.keys.sorted())
    case .ready:
      guard let due = due(now, isDraining) else { return .idle }
      if due > now { return .wait(until: due) }
      phase = .committing
      began = now
      return .commit(takeTransaction())
    }
  }

  private func due(_ now: Int64, _ isDraining: Bool) -> Int64? {
    var isWaiting = false
    var hasAlert = false
    var hasBlock = false
    var bytes = 0
    for queue in queues.values where queue.waiting != nil {
      isWaiting = true
      hasAlert = hasAlert || queue.hasAlert
      hasBlock = hasBlock || queue.hasBlock
      bytes += queue.bytes
    }
    guard isWaiting else { return nil }
    guard let lastEnd, !isDraining else { return now }
    if hasAlert || bytes >= timing.dueBytes {
      return lastEnd + max(timing.alertGap, lastDuration)
    }
    return lastEnd + (hasBlock ? max(timing.exchangeGap, lastDuration) : timing.interval)
  }

  private mutating func takeTransaction() -> Transaction {
    var pairs: [Pair] = []
    for partition in queues.keys.sorted() {
      guard let pair = queues[partition]?.waiting else { continue }
      queues[partition]?.waiting = nil
      queues[partition]?.inFlight = pair
      queues[partition]?.hasAlert = false
      queues[partition]?.hasBlock = false
      pairs.append(pair)
    }
    return Transaction(pairs: pairs)
  }

  // MARK: What came of it

  /// The transaction went through.
  ///
  /// - Returns: the partitions whose pairs are settled.
  public mutating func committed(now: Int64) -> [PartitionID] {
    phase = .ready
    ended(now)
    retryDelay = timing.retryFirst
    return settle { _ in true }
  }

  private mutating func ended(_ now: Int64) {
    lastEnd = now
    lastDuration = now - began
  }

  /// Takes what is in flight and covered out; puts the rest back to be sent again.
  private mutating func settle(_ isCovered: (Pair) -> Bool) -> [PartitionID] {
    var settled: [PartitionID] = []
    for (partition, var queue) in queues {
      guard var pair = queue.inFlight else { continue }
      queue.inFlight = nil
      if isCovered(pair) {
        settled.append(partition)
        queue.settled = pair.position
      } else {
        if let later = queue.waiting { pair.append(later) }
        queue.waiting = pair
      }
      let outputs = queue.waiting?.outputs ?? []
      queue.bytes = outputs.reduce(0) { $0 + $1.byteCount }
      queue.hasAlert = outputs.contains { $0.destination == .alerts }
      queue.hasBlock = outputs.contains { $0.destination == .exchange }
      queues[partition] = queue
    }
    return settled.sorted()
  }

  /// The commit, or the recovery, did not go through and has to be settled.
  public mutating func lost(now: Int64) {
    if case .committing = phase {
      ended(now)
      // A first loss is settled at once: mostly one replacement is all it takes.
      phase = .settling(notBefore: now)
      return
    }
    phase = .settling(notBefore: now + retryDelay)
    retryDelay = min(retryDelay * 2, timing.retryMost)
  }

  /// These outputs of the transaction can never be written: their substitutes take their place.
  public mutating func replace(_ places: [SinkFailure.Place], of transaction: Transaction) {
    for place in places.sorted(by: { ($0.pair, $0.output) > ($1.pair, $1.output) }) {
      guard transaction.pairs.indices.contains(place.pair) else { continue }
      let partition = transaction.pairs[place.pair].partition
      guard var pair = queues[partition]?.inFlight, pair.outputs.indices.contains(place.output) else { continue }
      // From the last one on, so that those before it stay in their places.
      let substitutes = pair.outputs[place.output].substituted()
      pair.outputs.replaceSubrange(place.output...place.output, with: substitutes)
      if substitutes.isEmpty { givenUp += 1 } else { substituted += 1 }
      queues[partition]?.inFlight = pair
    }
  }

  /// What the group has committed, by partition, now that what was under way is settled.
  ///
  /// - Returns: the partitions whose pairs turn out to be settled.
  public mutating func recovered(_ positions: [PartitionID: Position], now: Int64) -> [PartitionID] {
    phase = .ready
    retryDelay = timing.retryFirst
    return settle { pair in positions[pair.partition]?.covers(pair.position) ?? false }
  }
}
