import Detection
import Pipeline

/// `TakeOver.start`: where a partition is taken up, from what the group has committed and what the log still holds.
struct TakeUp: Sendable, Hashable {
  /// Where the task begins.
  var start: PartitionTask.Start

  /// Decides.
  ///
  /// - Parameters:
  ///   - committed: the stable committed position; nil: the group has none.
  ///   - low, high: the offsets of the oldest record that is kept, and after the newest.
  /// - Throws: `.configuration` where somebody must say where to begin; `.fatal` where the topic was made anew.
  init(
    _ partition: PartitionID, committed: Position?, low: Int64, high: Int64
  ) throws(PipelineFailure) {
    guard let committed else {
      start = PartitionTask.Start(offset: low, committed: low)
      return
    }
    guard committed.offset <= high else {
      throw PipelineFailure(
        .fatal,
        "\(partition): the group has committed offset \(committed.offset), but the partition ends at \(high): the "
          + "topic was made anew; reset the group's offsets, or use another group.id")
    }
    start = PartitionTask.Start(
      offset: committed.replay?.offset ?? committed.offset, committed: committed.offset, sequence: committed.sequence,
      largest: committed.replay?.largest ?? .min)
    if committed.offset < low {
      start.committed = low
    }
    if start.offset < low {
      start.offset = low
      start.isTrimmed = true
    }
  }
}
