public import Detection
internal import Tables

extension PartitionTask {
  /// Obsolete keys that one cut takes away at most; the rest is left to the next restore.
  static let obsoleteKeysMax = 100_000

  /// Pieces of state that changed since the last cut.
  public var changeCount: Int { stages.detect.detector.changeCount }

  /// What changed in the state since the last cut, at the offset that was reached: a batch boundary. The state's marks of what
  /// changed are cleared: the cut must be kept until it is written.
  ///
  /// - Returns: nil where nothing has happened since, and while records are read again: a snapshot never falls behind one that
  ///   a predecessor may have made.
  public func cutSnapshot() -> SnapshotCut? {
    guard !isReplaying, start.partitionCount > 0 else { return nil }
    let detector = stages.detect.detector
    guard lastCut != (next, sequence) || detector.changeCount > 0 || !obsolete.isEmpty else { return nil }
    lastCut = (next, sequence)
    firstCut = firstCut ?? next
    let cut = detector.cutState()
    defer { obsolete = [] }
    let marker = SnapshotMarker(
      offset: next, sequence: sequence, series: SnapshotMarker.series(of: detector.seed), seed: detector.seed,
      topic: partition.topic,
      partitionCount: Int32(clamping: start.partitionCount), versions: versions,
      recordCount: Int64(cut.records.count + obsolete.count), header: snapshotHeader(cut.header))
    return SnapshotCut(partition: partition, marker: marker, records: cut.records, obsolete: obsolete)
  }

  /// What is in force, for the marker.
  private var versions: [String: String] {
    var versions = ["pipeline": stages.plan.version]
    for table in stages.tables { versions["table \(table.name)"] = table.version }
    if let ledger { versions[SnapshotMarker.ledgerName] = ledger.word }
    return versions
  }

  // MARK: Restoring

  /// Prepares the state for what a snapshot holds, before the first batch.
  public func beginRestore(_ marker: SnapshotMarker) throws(PipelineFailure) {
    do {
      let header = try restore(snapshotHeader: marker.header)
      try stages.detect.detector.beginRestore(header: header, replay: start.replay, isTrimmed: start.isTrimmed)
    } catch {
      throw PipelineFailure(.configuration, "the snapshot of \(partition): \(error)")
    }
    obsolete = []
  }

  /// Takes a piece of state in.
  public func restore(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(StateError) {
    try stages.detect.detector.restore(key: key, value: value)
  }

  /// A key of the store that nobody needs any more: the next cut takes it away.
  public func noteObsolete(key: UnsafeRawBufferPointer) {
    if obsolete.count < Self.obsoleteKeysMax { obsolete.append(Array(key)) }
  }

  /// All of it is there.
  public func finishRestore(_ marker: SnapshotMarker) -> RestoreOutcome {
    lastCut = (marker.offset, marker.sequence)
    noteSnapshot(writtenAt: marker.offset)
    return stages.detect.detector.finishRestore()
  }
}
