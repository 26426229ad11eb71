/// A record's header; names may repeat.
public struct KafkaHeader: Hashable, Sendable {
  /// The header's name.
  public var name: String
  /// The header's bytes; nil: null.
  public var value: [UInt8]?

  /// A header with bytes, or null.
  public init(_ name: String, _ value: [UInt8]?) {
    self.name = name
    self.value = value
  }

  /// A header with text.
  public init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }
}
