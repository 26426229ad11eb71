import Telemetry

/// The modules whose lines of the log have a level of their own: all that write any.
enum LogModules {
  static let names = ["tocsin", "Pipeline", "KafkaTransport", "Kafka", "librdkafka"]

  /// Reads `--log`.
  static func levels(_ text: String) throws(CommandLineError) -> LogLevels {
    do throws(LogLevels.Problem) {
      return try LogLevels(parsing: text, modules: names)
    } catch {
      switch error {
      case .level: throw .conflict("\(error)")
      case .module(let word): throw .unknownLogModule(word)
      }
    }
  }
}
