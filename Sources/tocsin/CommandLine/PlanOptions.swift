/// `plan`: its options.
enum PlanOptions {
  static let file = PositionalDeclaration("FILE", .file, "the pipeline file")
  static let against = OptionDeclaration(
    "against", .file, "OLD", "Tell which rules keep their state where FILE takes the place of this file",
    example: "/etc/tocsin/pipeline.yaml")
  static let running = OptionDeclaration.flag(
    "running", "As --against, but the version that runs now (with --bootstrap)")
  static let keys = OptionDeclaration(
    "keys", .integer(1...1_000_000_000_000), "N", "How many keys at a time the estimates of memory are for",
    default: "1000000", example: "3000000")
  static let json = OptionDeclaration.flag("json", "Print it as JSON")

  static let command = CommandDeclaration(
    command: .plan, summary: "show what a pipeline file becomes: topics, state, memory",
    paragraphs: [
      "Shows what runs where and why, the topics that are read and written, what each rule's state takes in memory "
        + "(estimates, with their formula), and with --against or --running which rules keep the state that they have.",
      "With --bootstrap it asks the brokers how many partitions the topics have; without it, it needs no Kafka.",
    ],
    positionals: [file], options: [against, running, keys, json, KafkaOptions.bootstrap, KafkaOptions.set],
    examples: [
      "tocsin plan pipelines/crypto-transfers.yaml --keys 3000000",
      "tocsin plan new.yaml --against /etc/tocsin/pipeline.yaml",
      "tocsin plan new.yaml --running --bootstrap localhost:9092",
    ])
}
