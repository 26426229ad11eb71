internal import Kafka
internal import Pipeline

/// What a place in the group means for those who write.
struct Membership {
  /// How one ended.
  enum Ended {
    /// In order, or because the runner has failed.
    case stopped
    /// What was ours may be others': the group took our own second attempt to join for another process, or had forgotten us and
    /// took us in as another. All was dropped, and a new membership begins.
    case void
    /// Partitions belonged to nobody, or a record was gone that was to be read next: a new membership begins, so that the
    /// group gives all of them out again.
    case rejoining
  }

  /// A new assignment is in force.
  var set: (GroupMetadata?) -> Void
  /// Ends an offset that hangs in the group; on the committer's queue.
  var endHangingOffsets: @Sendable (PartitionID, GroupMetadata) -> Void
  /// Whether another process has taken our name; nil: there is no way to know. Blocks.
  var isNameTaken: (PartitionID, GroupMetadata) -> Bool?
}
