/// What Tocsin can be told to do; raw values are the words on the command line.
enum Command: String, Sendable, Hashable, CaseIterable {
  case run, check, plan, demo, generate, help
}

/// One command with its arguments and options, declared once.
struct CommandDeclaration: Sendable {
  /// Which command.
  let command: Command
  /// What it does, in half a line.
  let summary: String
  /// What a reader should know besides, one paragraph each.
  let paragraphs: [String]
  /// The arguments known by their place, in order.
  let positionals: [PositionalDeclaration]
  /// The options, in the order in which help shows them.
  let options: [OptionDeclaration]
  /// Command lines as one would write them.
  let examples: [String]

  /// The word on the command line.
  var name: String { command.rawValue }

  /// `tocsin name ARGUMENT [OPTION]...`.
  var usage: String {
    let required = options.filter(\.isRequired).map(\.usage)
    let hasOptions = options.contains { !$0.isRequired }
    return (["tocsin", name] + positionals.map(\.usage) + required + (hasOptions ? ["[OPTION]..."] : []))
      .joined(separator: " ")
  }

  /// The options with those that every command has.
  var allOptions: [OptionDeclaration] { options + [Catalogue.help] }
}

/// Every command, and what stands beside them.
enum Catalogue {
  /// `--help`: every command has it, and so has the program.
  static let help = OptionDeclaration.flag("help", short: "h", "Show this help")
  /// `--version`: the program's.
  static let version = OptionDeclaration.flag("version", "Show the versions of Tocsin and of librdkafka")
  /// The options that may stand in a command's place.
  static let programOptions = [help, version]
  /// The program in one sentence.
  static let summary = "watch Kafka topics for the patterns of crime, and write alerts exactly once"

  /// The commands, in the order in which help shows them.
  static let commands: [CommandDeclaration] = [
    RunOptions.command, CheckOptions.command, PlanOptions.command, DemoOptions.command, GenerateOptions.command,
    HelpOptions.command,
  ]

  /// The declaration of a command.
  static func declaration(of command: Command) -> CommandDeclaration {
    guard let found = commands.first(where: { $0.command == command }) else {
      preconditionFailure("the command \(command.rawValue) is not declared")
    }
    return found
  }
}
