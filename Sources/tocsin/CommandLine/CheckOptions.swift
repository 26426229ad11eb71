/// `check`: its options.
enum CheckOptions {
  static let file = PositionalDeclaration(
    "FILE", .file, "the pipeline file; not needed with --schema or --reference", isOptional: true)
  static let explain = OptionDeclaration.flag(
    "explain", "Print each expression as it was read, with its line, what it stands for and its type")
  static let schema = OptionDeclaration.flag("schema", "Print the JSON Schema of pipeline files instead, for editors")
  static let reference = OptionDeclaration.flag(
    "reference", "Print the reference of every setting of a pipeline file instead")

  static let command = CommandDeclaration(
    command: .check, summary: "find all mistakes of a pipeline file",
    paragraphs: [
      "Reads the pipeline file and its lists, asks librdkafka about its properties, and names every mistake with its line "
        + "and column, all at once and without a connection to Kafka."
    ],
    positionals: [file], options: [explain, schema, reference],
    examples: [
      "tocsin check pipelines/crypto-transfers.yaml", "tocsin check --schema > pipeline.schema.json",
    ])
}

/// `demo`: its options.
enum DemoOptions {
  static let events = OptionDeclaration(
    "events", .integer(1...60_000), "N", "How many events to make; the embedded broker keeps no more", default: "40000",
    example: "20000")
  static let seed = OptionDeclaration(
    "seed", .integer(0...Int.max), "N", "The seed: the same one makes the same events", default: "1", example: "7")
  static let rate = OptionDeclaration(
    "rate", .integer(1...10_000_000), "N", "Events a second; without it, as fast as it goes", example: "2000")

  static let command = CommandDeclaration(
    command: .demo, summary: "watch real sanctions lists raise real alerts, without a Kafka",
    paragraphs: ["Starts a broker inside the process, makes crypto transfers, and runs a pipeline on them."],
    positionals: [], options: [events, seed, rate], examples: ["tocsin demo", "tocsin demo --events 20000 --seed 7"])
}

/// `help`: its options.
enum HelpOptions {
  static let about = PositionalDeclaration(
    "COMMAND", .choice(Command.allCases.map(\.rawValue)), "the command to explain", isOptional: true)
  static let man = OptionDeclaration.flag("man", "Print the man page instead, for man -l")
  static let completions = OptionDeclaration(
    "completions", .choice(["bash", "zsh", "fish"]), "SHELL", "Print the completions for a shell instead",
    example: "bash")

  static let command = CommandDeclaration(
    command: .help, summary: "explain a command; print the man page or completions", paragraphs: [],
    positionals: [about], options: [man, completions],
    examples: [
      "tocsin help run", "tocsin help --man | man -l -",
      "tocsin help --completions bash > /etc/bash_completion.d/tocsin",
    ])
}
