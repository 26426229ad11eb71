/// What is wrong with a record of the state topic. It is never guessed at: the partition is not taken up.
public struct SnapshotError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Sendable, Hashable {
    /// It was written by a newer program, in a format that this one does not know.
    case newerFormat(found: Int, newest: Int)
    /// It is not what was written; a few words say in what way.
    case damaged(String)
  }

  /// What is wrong.
  public var reason: Reason
  /// The partition of the state topic.
  public var partition: PartitionID
  /// The record's offset there.
  public var offset: Int64

  /// An error of the record at this place.
  public init(_ reason: Reason, partition: PartitionID, offset: Int64) {
    self.reason = reason
    self.partition = partition
    self.offset = offset
  }

  /// What is wrong, where, and what to do.
  public var description: String {
    let place = "the state record in \(partition) at offset \(offset)"
    switch reason {
    case .newerFormat(let found, let newest):
      return
        "\(place) is of format \(found), and this program reads none above \(newest): run the newer program, or let "
        + "it write `snapshot: {format: \(newest)}` again until every record has been rewritten"
    case .damaged(let how):
      return
        "\(place) is damaged (\(how)): stop every process of the pipeline, delete the topic \(partition.topic), and "
        + "start again; windows are then made again from the input, as far as it reaches back"
    }
  }
}
