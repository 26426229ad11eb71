import Kafka

/// Which program this is.
enum ProgramVersion {
  /// Tocsin's version.
  static let number = "0.1.0"

  /// What `--version` shows; librdkafka is the one that is loaded now.
  static var text: String { "tocsin \(number)\nlibrdkafka \(KafkaLibrary.version)\n" }
}
