/// `generate`: its options.
enum GenerateOptions {
  static let kind = PositionalDeclaration(
    "KIND", .choice(GeneratedKind.allCases.map(\.rawValue)), "what to make: transfers, cards or bench")
  static let events = OptionDeclaration(
    "events", .integer(0...1_000_000_000), "N", "How many events", default: "100000", example: "2000000")
  static let seed = OptionDeclaration(
    "seed", .integer(0...Int.max), "N", "The seed: the same one makes the same bytes", default: "1", example: "7")
  static let out = OptionDeclaration(
    "out", .file, "FILE", "Write the events here, one JSON object a line; -: standard output", default: "-",
    example: "transfers.ndjson")
  static let truth = OptionDeclaration(
    "truth", .file, "FILE", "Write here what is to be found in the events, one JSON object a line",
    example: "truth.ndjson")
  static let sanctions = OptionDeclaration(
    "sanctions", .file, "FILE", "The OFAC list (SDN.CSV) whose addresses `transfers` plants",
    default: "pipelines/lists/ofac-sdn-excerpt.csv", example: "SDN.CSV")
  static let watchlist = OptionDeclaration(
    "watchlist", .file, "FILE", "Write here the 100,000 addresses that `bench` watches", example: "watchlist.txt")
  static let topic = OptionDeclaration(
    "topic", .text, "NAME", "Write the events to this topic of the Kafka that --bootstrap names", example: "transfers")
  static let partitions = OptionDeclaration(
    "partitions", .integer(1...10_000), "N", "How many partitions the events are spread over, by their key",
    default: "4", example: "12")
  static let createTopic = OptionDeclaration.flag("create-topic", "Create the topic if it is missing")
  static let rate = OptionDeclaration(
    "rate", .integer(1...10_000_000), "EVENTS_PER_SECOND", "How fast to write; without it, as fast as it goes",
    example: "5000")
  static let start = OptionDeclaration(
    "start", .timestamp, "RFC3339", "The time of the first event", default: "2026-01-01T00:00:00Z",
    example: "2026-06-01T08:00:00Z")

  static let command = CommandDeclaration(
    command: .generate, summary: "make seeded events with planted cases and their truth",
    paragraphs: [
      "transfers: crypto transfers among thousands of wallets; planted are dealings with listed addresses, "
        + "structuring, fan-out, velocity, and a few broken records. cards: card payments; planted are velocity, many "
        + "terminals and spend over a daily limit. bench: the transactions of the benchmark.",
      "The truth of transfers and cards has a line for each planted case and each broken record; that of bench is the "
        + "exact set of expected alerts. Offsets in it are those of a fresh topic; for a file they are what they would "
        + "be in one.",
    ],
    positionals: [kind],
    options: [
      events, seed, out, truth, sanctions, watchlist, KafkaOptions.bootstrap, topic, KafkaOptions.set, partitions,
      createTopic, rate, start,
    ],
    examples: [
      "tocsin generate transfers --events 10000 --out transfers.ndjson --truth truth.ndjson",
      "tocsin generate cards --bootstrap localhost:9092 --topic card-auths --create-topic --rate 500",
      "tocsin generate bench --events 2000000 --watchlist watchlist.txt --truth truth.ndjson --bootstrap "
        + "localhost:9092 --topic bench --create-topic",
    ])
}
