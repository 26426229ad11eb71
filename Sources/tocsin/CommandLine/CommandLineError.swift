import Configuration

/// What is wrong with a command line. Each ends the program with `ExitCode.commandLine`.
enum CommandLineError: Error, Hashable {
  case noCommand
  case unknownCommand(String)
  /// `command` nil: it stands where a command should.
  case unknownOption(String, command: Command?)
  case missingValue(OptionDeclaration)
  /// A flag was given a value.
  case unwantedValue(OptionDeclaration)
  case givenTwice(OptionDeclaration)
  /// `name`: of an option (with its dashes) or a positional argument.
  case wrongValue(String, name: String, kind: OptionDeclaration.Kind)
  case missingOption(OptionDeclaration, command: Command)
  case missingArgument(PositionalDeclaration, command: Command)
  case unexpectedArgument(String, command: Command)
  /// `--log` sets the level of a module that there is not.
  case unknownLogModule(String)
  /// Options that do not go together, or one that does not fit the rest; the text says what to do.
  case conflict(String)
}

extension CommandLineError: CustomStringConvertible {
  /// What is wrong, and the nearest valid name where a name is.
  var description: String {
    switch self {
    case .noCommand:
      return "a command is missing"
    case .unknownCommand(let word):
      return "there is no command `\(word)`" + Self.hint(word, Command.allCases.map(\.rawValue))
    case .unknownOption(let option, let command):
      let known = command.map { Catalogue.declaration(of: $0).allOptions } ?? Catalogue.programOptions
      let place = command.map { "`\($0.rawValue)` has" } ?? "there is"
      return "\(place) no option `\(option)`" + Self.hint(option, known.map(\.spelling))
    case .missingValue(let option):
      return "`\(option.spelling)` needs a value: `\(option.usage)`" + Self.example(option)
    case .unwantedValue(let option):
      return "`\(option.spelling)` takes no value"
    case .givenTwice(let option):
      return "`\(option.spelling)` is given twice, and takes one value only"
    case .wrongValue(let value, let name, let kind):
      return "`\(name)` can't be `\(value)`: " + Self.expectation(value, kind)
    case .missingOption(let option, let command):
      return "`\(command.rawValue)` needs `\(option.usage)`" + Self.example(option)
    case .missingArgument(let argument, let command):
      return "`\(command.rawValue)` needs \(argument.name): \(argument.text)"
    case .unexpectedArgument(let argument, let command):
      return "`\(command.rawValue)` does not know what to do with `\(argument)`"
    case .unknownLogModule(let word):
      return "`--log`: no module `\(word)` writes to the log" + Self.hint(word, LogModules.names)
        + "; it has \(LogModules.names.joined(separator: ", "))"
    case .conflict(let text):
      return text
    }
  }

  private static func hint(_ word: String, _ names: [String]) -> String {
    NearestName.find(word, among: names).map { ": did you mean `\($0)`?" } ?? ""
  }

  private static func example(_ option: OptionDeclaration) -> String {
    option.example.isEmpty ? "" : ", for example `\(option.spelling) \(option.example)`"
  }

  private static func expectation(_ value: String, _ kind: OptionDeclaration.Kind) -> String {
    switch kind {
    case .flag: "it takes no value"
    case .text, .file: "it must not be empty"
    case .integer(let range) where range.upperBound == .max: "it takes a whole number from \(range.lowerBound)"
    case .integer(let range): "it takes a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .choice(let words): "it takes one of \(words.joined(separator: ", "))" + hint(value, words)
    case .assignment: "it takes NAME=VALUE"
    case .timestamp: "it takes a time such as 2026-01-01T00:00:00Z"
    }
  }
}
