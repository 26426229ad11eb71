/// Where the record of an event stands in the source topic. A task that reads the source has it from the record itself; one
/// that reads an exchange has it from the block that the event came in.
public struct EventOrigin: Hashable, Sendable {
  /// The source topic's partition.
  public var partition: Int32
  /// The record's offset in it.
  public var offset: Int64

  /// A place in the source topic.
  @inlinable
  public init(partition: Int32, offset: Int64) {
    self.partition = partition
    self.offset = offset
  }
}
