import CRdkafka

/// librdkafka's properties by their own names; nothing is renamed, nothing is added behind the owner's back except what
/// the type that takes it says.
///
/// The names and their meaning: librdkafka's `CONFIGURATION.md`.
public struct KafkaConfiguration: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// What a configuration is for; some properties belong to one of them only.
  public enum Role: Sendable, Hashable {
    case consumer, producer
  }

  /// Property to value, both as librdkafka spells them.
  public var properties: [String: String]

  /// Properties by name; what is wrong with them shows in `validate` or where a client is made.
  public init(_ properties: [String: String] = [:]) { self.properties = properties }

  /// Properties by name; of a name that stands twice, the last counts.
  public init(dictionaryLiteral elements: (String, String)...) {
    properties = Dictionary(elements) { $1 }
  }

  /// The value of a property; nil where it is not set here.
  public subscript(name: String) -> String? {
    get { properties[name] }
    set { properties[name] = newValue }
  }

  /// These properties, with those of `other` in front.
  public func merging(_ other: [String: String]) -> KafkaConfiguration {
    KafkaConfiguration(properties.merging(other) { $1 })
  }

  /// Asks librdkafka whether it takes these properties: names, values, their interplay, and the certificates they name.
  /// Opens no connection.
  ///
  /// - Throws: `KafkaError` of class `.configuration`, with librdkafka's own answer, and the property where it is one.
  public func validate(as role: Role) throws(KafkaError) {
    _ = try NativeConfiguration(self)
    var offline = self
    for name in ["bootstrap.servers", "metadata.broker.list", "test.mock.num.brokers"] { offline[name] = nil }
    let native = try NativeConfiguration(offline)
    native.silence()
    let handle = try native.makeHandle(role == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER)
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
  }

  /// librdkafka's value for a property, its own default where the property is not set here.
  ///
  /// - Throws: `KafkaError` of class `.configuration` where a property is wrong or there is none of this name.
  public func effectiveValue(of name: String) throws(KafkaError) -> String {
    try NativeConfiguration(self).value(of: name)
  }
}
