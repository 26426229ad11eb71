/// The options by which a command finds its Kafka; several commands have them.
enum KafkaOptions {
  static let bootstrap = OptionDeclaration(
    "bootstrap", .text, "HOST:PORT,...", "Kafka's brokers (bootstrap.servers)", example: "localhost:9092")
  static let set = OptionDeclaration(
    "set", .assignment, "NAME=VALUE", "Set a librdkafka property: librdkafka.PROPERTY=VALUE", isRepeatable: true,
    example: "librdkafka.security.protocol=SSL")
}

/// `run`: its options.
enum RunOptions {
  static let file = PositionalDeclaration("FILE", .file, "the pipeline file")
  static let instance = OptionDeclaration(
    "instance", .text, "NAME", "This process's stable name among those that share the pipeline", example: "tocsin-0")
  static let log = OptionDeclaration(
    "log", .text, "LEVELS",
    "How much is logged: a level, then levels by module (\(LogModules.names.joined(separator: ", ")))", default: "info",
    example: "info,kafka=debug")
  static let logFormat = OptionDeclaration(
    "log-format", .choice(["text", "json", "auto"]), "FORMAT", "How it is logged; auto: text on a terminal, else JSON",
    default: "auto", example: "json")
  static let metricsFile = OptionDeclaration(
    "metrics-file", .file, "PATH", "Write the metrics here every few seconds, as Prometheus text",
    example: "/run/tocsin/metrics.prom")
  static let from = OptionDeclaration(
    "from", .choice(["committed", "beginning", "end"]), "WHERE",
    "Where to start in a partition of which nothing is committed; committed: not at all, it is an error",
    default: "beginning", example: "end")
  static let createTopics = OptionDeclaration.flag("create-topics", "Create the output topics that are missing")
  static let stopAtEnd = OptionDeclaration.flag(
    "stop-at-end",
    "Stop in order once every partition's end, as it was at the start, is reached: for backfills and benchmarks")
  static let leave = OptionDeclaration.flag(
    "leave",
    "Leave the group at SIGTERM too, as SIGINT does, so that other processes take the partitions over at once; for scaling in"
  )
  static let quiet = OptionDeclaration.flag("quiet", "Show no progress and no closing summary")

  static let command = CommandDeclaration(
    command: .run, summary: "run a pipeline until it is stopped",
    paragraphs: [
      "Reads the pipeline file, checks it and its lists, then reads the source topic, and writes alerts, late events "
        + "and dead letters together with the offsets they came of, exactly once.",
      "SIGINT or SIGTERM stops it in order: what is finished is committed, and nothing is lost or doubled. SIGTERM keeps the "
        + "place in the group for a restart within session.timeout.ms; SIGINT leaves the group, so that other processes take "
        + "the partitions over at once.",
    ],
    positionals: [file],
    options: [
      KafkaOptions.bootstrap, KafkaOptions.set, instance, log, logFormat, metricsFile, from, createTopics, stopAtEnd,
      leave, quiet,
    ],
    examples: [
      "tocsin run pipelines/crypto-transfers.yaml --bootstrap localhost:9092",
      "tocsin run pipeline.yaml --set librdkafka.security.protocol=SSL --metrics-file /run/tocsin/metrics.prom",
    ])
}
