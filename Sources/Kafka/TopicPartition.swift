/// A partition of a topic.
public struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The topic's name.
  public var topic: String
  /// The partition's number, from 0.
  public var partition: Int32

  /// The partition `partition` of `topic`.
  public init(_ topic: String, _ partition: Int32) {
    self.topic = topic
    self.partition = partition
  }

  /// By topic, then by partition.
  public static func < (left: Self, right: Self) -> Bool {
    (left.topic, left.partition) < (right.topic, right.partition)
  }

  /// `topic/partition`.
  public var description: String { "\(topic)/\(partition)" }
}

/// An offset in a partition, with the metadata string that goes with a committed one.
public struct TopicPartitionOffset: Hashable, Sendable, CustomStringConvertible {
  /// Start at the oldest record there is (for `assign`).
  public static let beginning: Int64 = -2
  /// Start after the newest record (for `assign`).
  public static let end: Int64 = -1
  /// Start at the committed offset, which librdkafka fetches (for `assign`).
  public static let stored: Int64 = -1000

  /// The topic's name.
  public var topic: String
  /// The partition's number.
  public var partition: Int32
  /// The offset; for a commit: of the next record to be read.
  public var offset: Int64
  /// Text that is committed with the offset (4 KB by default); nil: none.
  public var metadata: String?

  /// An offset of `partition`.
  public init(_ topic: String, _ partition: Int32, offset: Int64, metadata: String? = nil) {
    self.topic = topic
    self.partition = partition
    self.offset = offset
    self.metadata = metadata
  }

  /// An offset of `partition`.
  public init(_ partition: TopicPartition, offset: Int64, metadata: String? = nil) {
    self.init(partition.topic, partition.partition, offset: offset, metadata: metadata)
  }

  /// Where the offset is.
  public var topicPartition: TopicPartition { TopicPartition(topic, partition) }

  /// `topic/partition@offset`.
  public var description: String { "\(topic)/\(partition)@\(offset)" }
}

/// What a group has committed for a partition.
public struct CommittedOffset: Hashable, Sendable {
  /// The offset of the next record to be read.
  public var offset: Int64
  /// The text committed with it; empty where there was none.
  public var metadata: String

  /// An offset with its metadata.
  public init(offset: Int64, metadata: String = "") {
    self.offset = offset
    self.metadata = metadata
  }
}

/// The oldest offset there is in a partition and the one after the newest.
public struct WatermarkOffsets: Hashable, Sendable {
  /// The offset of the oldest record that is kept.
  public var low: Int64
  /// The offset that the next record will get.
  public var high: Int64

  /// Low and high.
  public init(low: Int64, high: Int64) {
    self.low = low
    self.high = high
  }
}
