/// A partition of the input.
public struct PartitionID: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The topic's name.
  public var topic: String
  /// The partition's number.
  public var number: Int32

  /// A partition.
  public init(_ topic: String, _ number: Int32) {
    self.topic = topic
    self.number = number
  }

  /// By topic, then by number.
  public static func < (left: PartitionID, right: PartitionID) -> Bool {
    (left.topic, left.number) < (right.topic, right.number)
  }

  /// `topic/number`.
  public var description: String { "\(topic)/\(number)" }
}
