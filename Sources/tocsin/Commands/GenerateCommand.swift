import Kafka
import Tables

/// `tocsin generate`: seeded events into a file or a topic.
enum GenerateCommand {
  /// Carries it out.
  static func run(_ invocation: Invocation) -> ExitCode {
    do {
      try GenerateTask(invocation).run()
      return .success
    } catch let error as CommandLineError {
      return Program.report(error, command: .generate)
    } catch {
      Program.writeError("tocsin generate: \(error)")
      return exitCode(error)
    }
  }

  private static func exitCode(_ error: any Error) -> ExitCode {
    switch error {
    case is TableLoadError: .environment
    case GenerateError.topic: .environment
    case GenerateError.kafka(let error):
      switch error.class {
      case .configuration: .environment
      case .retriable: .unreachable
      case .abortTransaction, .fatal, .refused: .fatal
      }
    default: .fatal
    }
  }
}

/// One call of `generate`, its options read.
private struct GenerateTask {
  /// Times are written as whole milliseconds since 1970, and events are dated up to two minutes back.
  private static let earliestStart: Int64 = 86_400_000

  let invocation: Invocation
  let kind: GeneratedKind
  let events: Int
  let seed: UInt64
  let startMilliseconds: Int64
  /// Where Kafka is; nil: the events go to a file.
  let target: (configuration: KafkaConfiguration, topic: String)?

  init(_ invocation: Invocation) throws(CommandLineError) {
    self.invocation = invocation
    kind = invocation.positional(GenerateOptions.kind).flatMap { GeneratedKind(rawValue: $0) } ?? .transfers
    events = invocation.integer(GenerateOptions.events) ?? 0
    seed = UInt64(invocation.integer(GenerateOptions.seed) ?? 0)
    startMilliseconds = (invocation.timestamp(GenerateOptions.start) ?? 0) / 1_000_000
    target = try Self.target(invocation)
    if startMilliseconds < Self.earliestStart { throw .conflict("`--start` has to be 1970-01-02 or later") }
    try checkKind()
  }

  func run() throws {
    switch kind {
    case .transfers:
      let listed = try SanctionsList.wallets(path: invocation.text(GenerateOptions.sanctions) ?? "")
      var generator = TransferGenerator(plantingSettings(partitions: try partitions()), listed: listed)
      try pump(&generator)
    case .cards:
      var generator = CardGenerator(plantingSettings(partitions: try partitions()))
      try pump(&generator)
    case .bench:
      let settings = BenchGenerator.Settings(
        events: events, seed: seed, partitions: try partitions(), startMilliseconds: startMilliseconds,
        hasTruth: invocation.isGiven(GenerateOptions.truth))
      var generator = BenchGenerator(settings)
      if let path = invocation.text(GenerateOptions.watchlist) {
        var file = try LineFile(path: path)
        try file.append(generator.watchlist())
        try file.flush()
      }
      try pump(&generator)
    }
  }

  private func plantingSettings(partitions: Int) -> PlantingSettings {
    PlantingSettings(events: events, seed: seed, partitions: partitions, startMilliseconds: startMilliseconds)
  }

  private func pump(_ generator: inout some EventGenerator) throws(GenerateError) {
    let truth = invocation.text(GenerateOptions.truth)
    let rate = invocation.integer(GenerateOptions.rate)
    if let target {
      var writer = try KafkaEventWriter(target.configuration, topic: target.topic, checksOffsets: truth != nil)
      try EventPump.run(&generator, into: &writer, truth: truth, rate: rate)
    } else {
      var writer = try FileEventWriter(path: invocation.text(GenerateOptions.out) ?? "-")
      try EventPump.run(&generator, into: &writer, truth: truth, rate: rate)
    }
  }

  /// How many partitions the events are spread over; the topic, if there is one, is there afterwards.
  private func partitions() throws(GenerateError) -> Int {
    let asked = invocation.integer(GenerateOptions.partitions) ?? 1
    guard let target else { return asked }
    return try GeneratedTopic.prepare(
      target.configuration, topic: target.topic, partitions: asked,
      isExact: invocation.isGiven(GenerateOptions.partitions),
      mayCreate: invocation.flag(GenerateOptions.createTopic))
  }

  private func checkKind() throws(CommandLineError) {
    if kind != .bench && invocation.isGiven(GenerateOptions.watchlist) {
      throw .conflict("`--watchlist` belongs to `generate bench`")
    }
    if kind != .transfers && invocation.isGiven(GenerateOptions.sanctions) {
      throw .conflict("`--sanctions` belongs to `generate transfers`")
    }
  }

  private static func target(
    _ invocation: Invocation
  ) throws(CommandLineError) -> (configuration: KafkaConfiguration, topic: String)? {
    let settings = try properties(invocation)
    guard let topic = invocation.text(GenerateOptions.topic) else {
      for option in [KafkaOptions.bootstrap, KafkaOptions.set, GenerateOptions.createTopic]
      where invocation.isGiven(option) {
        throw .conflict("`\(option.spelling)` is about Kafka: give `--topic NAME` too")
      }
      return nil
    }
    if invocation.isGiven(GenerateOptions.out) {
      throw .conflict("`--out` writes to a file and `--topic` to Kafka: give one of them")
    }
    var configuration = KafkaConfiguration(settings)
    if let bootstrap = invocation.text(KafkaOptions.bootstrap) { configuration["bootstrap.servers"] = bootstrap }
    if configuration["bootstrap.servers"] == nil { throw .conflict("`--topic` needs `--bootstrap HOST:PORT`") }
    return (configuration, topic)
  }

  /// The librdkafka properties of `--set`.
  private static func properties(_ invocation: Invocation) throws(CommandLineError) -> [String: String] {
    var properties: [String: String] = [:]
    for (name, value) in invocation.assignments(KafkaOptions.set) {
      let prefix = "librdkafka."
      guard name.hasPrefix(prefix), name.count > prefix.count else {
        throw .conflict("`--set \(name)`: write `--set librdkafka.PROPERTY=VALUE`")
      }
      properties[String(name.dropFirst(prefix.count))] = value
    }
    return properties
  }
}
