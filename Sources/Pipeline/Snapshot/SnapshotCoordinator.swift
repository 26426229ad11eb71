/// Decides when a partition's state is cut and when a cut is written. It does no I/O and is told the time, in nanoseconds of
/// any clock that only rises.
///
/// ```
///            isDue, take            settled at or past the cut          written
///   (none) ─────────────► waiting ───────────────────────────► in flight ─────► (none)
///                            ▲                                     │ failed: after a pause
///                            └─────────────────────────────────────┘
/// ```
///
/// A cut names what changed since the one before, which the detector has forgotten by then: it is written again until it went
/// through, or until the partition is given up. While it is unwritten, the partition is not cut again.
public struct SnapshotCoordinator: Sendable {
  /// When cuts and writes are due, in nanoseconds.
  public struct Timing: Sendable, Hashable {
    /// Between two cuts of a partition.
    public var every: Int64
    /// Between two writes that failed, at first; it doubles each time.
    public var retryFirst: Int64 = 250_000_000
    /// The longest time between two writes that failed.
    public var retryMost: Int64 = 30_000_000_000

    /// The times that are documented.
    public init(every: Int64) { self.every = every }
  }

  /// A cut that is to be written, or was.
  public struct Write: Sendable, Hashable {
    /// Tells it from every other.
    public var number: Int
    /// The assignment under which it is handed out.
    public var fence: Int
    /// What to write.
    public var cut: SnapshotCut
  }

  /// What to do next.
  public enum Action: Sendable, Hashable {
    /// Write this; tell `written` or `failed`.
    case write(Write)
    /// Nothing before this time, unless something is told.
    case wait(until: Int64)
    /// Nothing until something is told.
    case idle
  }

  private struct Entry {
    var settled: Position
    var nextCut: Int64
    var cut: SnapshotCut?
    /// A last cut, made while the one before it was under way.
    var last: SnapshotCut?
    var taken = 0
    var inFlight: Int?
    var notBefore = Int64.min
    var retryDelay: Int64
  }

  private let timing: Timing
  private var entries: [PartitionID: Entry] = [:]
  private var inFlight: Int?
  private var number = 0
  private var fence = 0

  /// A coordinator without partitions.
  public init(timing: Timing) { self.timing = timing }

  // MARK: Partitions

  /// A partition was taken up at a position that is committed. Partitions take turns: their first cuts are spread over the
  /// time between two.
  public mutating func add(_ partition: PartitionID, settled: Position, now: Int64) {
    // Multiples of the golden ratio lie apart, however many there are.
    let share = (Double(partition.number) + 1) * 0.618_033_988_749_895
    let wait = Double(timing.every) * (share - share.rounded(.down))
    entries[partition] = Entry(
      settled: settled, nextCut: now &+ max(1, Int64(wait)), retryDelay: timing.retryFirst)
  }

  /// Partitions were given up: their cuts are not written any more. What is in flight ends as it ends.
  public mutating func drop(_ partitions: some Sequence<PartitionID>) {
    for partition in partitions { entries[partition] = nil }
  }

  /// A new assignment is in force, and what was given up before it has been dropped: what is handed out from now on is handed
  /// out under it.
  ///
  /// - Returns: its number.
  public mutating func renewFence() -> Int {
    fence += 1
    return fence
  }

  /// A partition's pairs are settled up to this position.
  public mutating func settled(_ partition: PartitionID, _ position: Position) {
    guard let entry = entries[partition], position.covers(entry.settled) else { return }
    entries[partition]?.settled = position
  }

  // MARK: Cutting

  /// Whether the partition should be cut at its next batch boundary; `isFinal`: whether it can be, because it is given up;
  /// `isLarge`: so much has changed that its time is not waited for, so that a cut stays small.
  public func isDue(_ partition: PartitionID, now: Int64, isFinal: Bool = false, isLarge: Bool = false) -> Bool {
    guard let entry = entries[partition] else { return false }
    return isFinal ? entry.last == nil : entry.cut == nil && (isLarge || now >= entry.nextCut)
  }

  /// The partition was looked at when its cut was due; nil: nothing has happened since the last one.
  public mutating func take(_ cut: SnapshotCut?, of partition: PartitionID, now: Int64) {
    guard var entry = entries[partition] else { return }
    if let cut, let before = entry.cut {
      // The last one, since no other is asked for while one waits.
      if entry.inFlight == nil { entry.cut = before.followed(by: cut) } else { entry.last = cut }
    } else if let cut {
      entry.cut = cut
      number += 1
      entry.taken = number
    }
    // In step with what it was, however late it is looked at. A cut that was not waited for puts none off.
    if now >= entry.nextCut {
      let late = (now - entry.nextCut) / timing.every
      entry.nextCut += (late + 1) * timing.every
    }
    entries[partition] = entry
  }

  /// Whether a cut of these partitions (nil: of any) is not written yet.
  public func hasUnwritten(_ partitions: Set<PartitionID>? = nil) -> Bool {
    entries.contains { partitions?.contains($0.key) ?? true && $0.value.cut != nil }
  }

  // MARK: Writing

  /// What to do now: the oldest cut that may be written, one at a time.
  public mutating func next(now: Int64) -> Action {
    guard inFlight == nil else { return .idle }
    let ready = entries.filter { entry in
      entry.value.cut.map { entry.value.settled.covers($0.marker.position) } ?? false
    }
    guard let soonest = ready.values.map(\.notBefore).min() else { return .idle }
    guard soonest <= now else { return .wait(until: soonest) }
    let due = ready.filter { $0.value.notBefore <= now }.min { $0.value.taken < $1.value.taken }
    guard let (partition, entry) = due, let cut = entry.cut else { return .idle }
    number += 1
    inFlight = number
    entries[partition]?.inFlight = number
    return .write(Write(number: number, fence: fence, cut: cut))
  }

  /// It went through.
  public mutating func written(_ write: Write) {
    inFlight = nil
    guard var entry = entries[write.cut.partition], entry.inFlight == write.number else { return }
    entry.inFlight = nil
    entry.cut = entry.last
    entry.last = nil
    entry.notBefore = .min
    entry.retryDelay = timing.retryFirst
    entries[write.cut.partition] = entry
  }

  /// It did not, or nobody knows.
  public mutating func failed(_ write: Write, now: Int64) {
    inFlight = nil
    guard var entry = entries[write.cut.partition], entry.inFlight == write.number else { return }
    entry.inFlight = nil
    if let last = entry.last { entry.cut = entry.cut?.followed(by: last) }
    entry.last = nil
    entry.notBefore = now + entry.retryDelay
    entry.retryDelay = min(entry.retryDelay * 2, timing.retryMost)
    entries[write.cut.partition] = entry
  }
}
