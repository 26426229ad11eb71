public import Detection
public import Events

extension PartitionTask {
  /// Where a partition is taken up.
  public struct Start: Sendable, Hashable {
    /// The offset of the first record that will be read.
    public var offset: Int64
    /// Outputs caused before this offset are muted: they were written before.
    public var committed: Int64
    /// The sequence number that was committed.
    public var sequence: Int64
    /// The largest event time before `offset`, in nanoseconds since 1970; `Int64.min`: there was none.
    public var largest: Int64
    /// Whether records before `offset` are gone that windows would have needed: they are held back until they lie wholly
    /// after the first event.
    public var isTrimmed = false
    /// Events up to this time are missing too: windows are held back until they lie wholly after it; `Int64.min`: none are.
    public var floor = Int64.min
    /// The series of snapshots of a history that was given up; nil: there is none.
    public var past: Int64?
    /// Which version of the pipeline was in force where, as it was committed.
    public var active = VersionLedger()
    /// From where the input would have to be read to make the state at `offset`; nil: from `offset`, with `largest`.
    public var replay: ReplayPoint?
    /// How many partitions the topic has; 0: not known, and no snapshot is made.
    public var partitionCount = 0
    /// What the hashes of the state that is restored start from; nil: there is none, and new ones are drawn.
    public var seed: HashSeed?

    /// Where a partition is taken up.
    public init(offset: Int64, committed: Int64, sequence: Int64 = 0, largest: Int64 = .min) {
      self.offset = offset
      self.committed = committed
      self.sequence = sequence
      self.largest = largest
    }

    /// Where what was committed is taken up without stored state: at the place from which a replay rebuilds every window.
    public init(_ committed: Position) {
      self.init(
        offset: committed.replay?.offset ?? committed.offset, committed: committed.offset, sequence: committed.sequence,
        largest: committed.replay?.largest ?? .min)
      floor = committed.replay?.floor ?? .min
      isTrimmed = committed.replay?.isTrimmed ?? false
      active = committed.active
    }
  }
}
