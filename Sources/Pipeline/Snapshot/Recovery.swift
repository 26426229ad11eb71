internal import Detection

/// Where a partition is taken up and from what its state comes: decided from what is known before the first read. It does no
/// I/O; every case has a name and an answer that an operator reads.
public struct Recovery: Sendable, Hashable {
  /// What is known of a partition that is to be taken up.
  public struct Facts: Sendable, Hashable {
    /// The input partition.
    public var partition: PartitionID
    /// How many partitions its topic has.
    public var partitionCount: Int
    /// What the group has committed; nil: nothing.
    public var committed: Position?
    /// The oldest offset that is kept.
    public var low: Int64
    /// The offset after the newest record.
    public var high: Int64
    /// The last snapshot's marker; nil: there is none.
    public var marker: StoredMarker?
    /// Where to begin where nothing is known.
    public var origin: StartOffset

    /// Facts about a partition.
    public init(
      partition: PartitionID, partitionCount: Int, committed: Position?, low: Int64, high: Int64,
      marker: StoredMarker?, origin: StartOffset
    ) {
      self.partition = partition
      self.partitionCount = partitionCount
      self.committed = committed
      self.low = low
      self.high = high
      self.marker = marker
      self.origin = origin
    }
  }

  /// What is out of the ordinary about it.
  public enum Note: Sendable, Hashable {
    /// There is a snapshot, but the group has committed nothing: alerts after the snapshot may come again.
    case committedOffsetLost(snapshot: Int64)
    /// The group was set back to before the snapshot, which is from its future.
    case snapshotFromFuture(snapshot: Int64, committed: Int64)
    /// The group was once set back to before the snapshot, and has not had one of its own since.
    case snapshotOfOtherHistory(snapshot: Int64)
    /// Retention has passed the snapshot's offset: events between it and the oldest that is kept would be missing from it.
    case snapshotBeforeLog(snapshot: Int64, oldest: Int64)
    /// The snapshot is of another input topic.
    case snapshotOfOtherTopic(String)
    /// The group's offset was set by hand, or not by Tocsin: what came before it is not known.
    case groupSetByHand(offset: Int64)
    /// Nothing is stored, but something was read: windows are made again by reading the input from the offset that was
    /// committed for that.
    case replayedFromInput(from: Int64)
    /// Retention has passed the place from which windows would be made again: they are held back.
    case windowsHeldBack(from: Int64, oldest: Int64)
    /// Retention has passed the committed offset: records are gone that nobody has read.
    case recordsLost(committed: Int64, oldest: Int64)
  }

  /// Where it begins.
  public var start: PartitionTask.Start
  /// The snapshot that its state comes from; nil: it begins without.
  public var marker: StoredMarker?
  /// What is out of the ordinary.
  public var notes: [Note]

  /// Decides.
  ///
  /// - Throws: why the partition can't be taken up.
  public static func decide(_ facts: Facts) throws(PipelineFailure) -> Recovery {
    if let marker = facts.marker?.marker, marker.topic == facts.partition.topic,
      Int(marker.partitionCount) != facts.partitionCount
    {
      throw PipelineFailure(
        .configuration,
        "\(facts.partition.topic) has \(facts.partitionCount) partitions, and the state was written when it had "
          + "\(marker.partitionCount): keys have moved between partitions, so that no window would be whole; begin anew "
          + "with another `pipeline` name (or group.id), or delete the state topic and reset the group's offsets")
    }
    var notes: [Note] = []
    let marker = usable(facts, &notes)
    var recovery = Recovery(
      start: try place(facts, marker, &notes), marker: marker, notes: notes)
    recovery.start.seed = marker?.marker.seed
    recovery.start.active = facts.committed?.active ?? marker?.marker.ledger ?? VersionLedger()
    recovery.start.partitionCount = facts.partitionCount
    if marker == nil, let stored = facts.marker {
      // The group will come past its offset: it must not be taken for a snapshot of this history then.
      let isOfFuture = facts.committed.map { $0.offset < stored.marker.offset } ?? false
      recovery.start.past = isOfFuture ? Int64(stored.marker.series) : facts.committed?.past
    }
    return recovery
  }

  /// The snapshot, where the input can be read on from it.
  private static func usable(_ facts: Facts, _ notes: inout [Note]) -> StoredMarker? {
    guard let stored = facts.marker else { return nil }
    let offset = stored.marker.offset
    guard stored.marker.topic == facts.partition.topic else {
      notes.append(.snapshotOfOtherTopic(stored.marker.topic))
      return nil
    }
    if let committed = facts.committed, committed.offset < offset {
      notes.append(.snapshotFromFuture(snapshot: offset, committed: committed.offset))
      return nil
    }
    if facts.committed?.past == Int64(stored.marker.series) {
      notes.append(.snapshotOfOtherHistory(snapshot: offset))
      return nil
    }
    guard offset >= facts.low else {
      notes.append(.snapshotBeforeLog(snapshot: offset, oldest: facts.low))
      return nil
    }
    if facts.committed == nil { notes.append(.committedOffsetLost(snapshot: offset)) }
    return stored
  }

  private static func place(
    _ facts: Facts, _ marker: StoredMarker?, _ notes: inout [Note]
  ) throws(PipelineFailure) -> PartitionTask.Start {
    if let next = facts.committed?.offset ?? marker?.marker.offset, next > facts.high {
      throw PipelineFailure(
        .fatal,
        "\(facts.partition): the group has come to offset \(next), but the partition ends at \(facts.high): the topic was "
          + "made anew; reset the group's offsets and delete the state topic, or use another group.id")
    }
    if let marker = marker?.marker {
      let committed = facts.committed ?? marker.position
      var start = PartitionTask.Start(
        offset: marker.offset, committed: committed.offset, sequence: max(committed.sequence, marker.sequence))
      start.replay = committed.replay
      return start
    }
    guard let committed = facts.committed else { return try begin(facts) }
    return replay(facts, committed, &notes)
  }

  /// Nothing is known.
  private static func begin(_ facts: Facts) throws(PipelineFailure) -> PartitionTask.Start {
    switch facts.origin {
    case .beginning: return PartitionTask.Start(offset: facts.low, committed: facts.low)
    case .end: return PartitionTask.Start(offset: facts.high, committed: facts.high)
    case .committed:
      throw PipelineFailure(
        .configuration,
        "\(facts.partition): the group has committed nothing here; say where to begin with --from beginning or --from end"
      )
    }
  }

  /// From the place that was committed for that, as far as it is still kept.
  private static func replay(
    _ facts: Facts, _ committed: Position, _ notes: inout [Note]
  ) -> PartitionTask.Start {
    var start = PartitionTask.Start(committed)
    if committed.replay == nil, committed.offset > facts.low {
      notes.append(.groupSetByHand(offset: committed.offset))
      start.isTrimmed = true
    }
    if committed.offset < facts.low {
      notes.append(.recordsLost(committed: committed.offset, oldest: facts.low))
      start.committed = facts.low
    }
    if start.offset < facts.low {
      notes.append(.windowsHeldBack(from: start.offset, oldest: facts.low))
      start.offset = facts.low
      start.isTrimmed = true
    } else if start.offset < start.committed {
      notes.append(.replayedFromInput(from: start.offset))
    }
    return start
  }
}

extension Recovery.Note {
  /// Whether somebody should look at it.
  public var isGrave: Bool {
    switch self {
    case .replayedFromInput: false
    default: true
    }
  }

  /// In one line: what is the matter, and what is done.
  public var text: String {
    switch self {
    case .committedOffsetLost(let snapshot):
      "the group's committed offset is gone, but there is a snapshot at offset \(snapshot): going on from there; alerts after "
        + "it may come a second time, with equal ids"
    case .snapshotFromFuture(let snapshot, let committed):
      "the group was reset to offset \(committed), before the snapshot at \(snapshot), whose state is from the future: it is "
        + "left out"
    case .snapshotOfOtherHistory(let snapshot):
      "the group was once reset to before the snapshot at offset \(snapshot): it is left out until there is another"
    case .snapshotBeforeLog(let snapshot, let oldest):
      "retention has passed the snapshot at offset \(snapshot) (the oldest record is \(oldest)): events are missing after it, "
        + "so that it is left out"
    case .snapshotOfOtherTopic(let topic):
      "the snapshot is of topic \(topic): it is left out"
    case .groupSetByHand(let offset):
      "the group's offset \(offset) was set by hand: rules hold back until their windows lie wholly after it"
    case .replayedFromInput(let from):
      "there is no snapshot to go on from: windows are made again by reading from offset \(from)"
    case .windowsHeldBack(let from, let oldest):
      "retention has passed offset \(from), from which windows would be made again (the oldest record is \(oldest)): rules "
        + "hold back until their windows lie wholly after that"
    case .recordsLost(let committed, let oldest):
      "records are gone before they were read: retention has passed the committed offset \(committed) (the oldest record is "
        + "\(oldest))"
    }
  }
}
