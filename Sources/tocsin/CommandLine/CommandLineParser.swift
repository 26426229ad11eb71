/// From arguments to what is asked for, in GNU's manner: `--name value`, `--name=value`, options and arguments in any
/// order, and `--` before arguments that begin with a dash.
struct CommandLineParser {
  /// What a command line asks for.
  enum Request: Sendable, Hashable {
    /// Help on a command, or on all.
    case help(Command?)
    case version
    case invocation(Invocation)
  }

  /// Reads the arguments, without the program's own name.
  static func parse(_ arguments: [String]) throws(CommandLineError) -> Request {
    guard let first = arguments.first else { throw .noCommand }
    switch first {
    case "--version": return .version
    case "--help", "-h": return .help(nil)
    default: break
    }
    if first.hasPrefix("-") { throw .unknownOption(first, command: nil) }
    guard let command = Command(rawValue: first) else { throw .unknownCommand(first) }
    var parser = CommandLineParser(Catalogue.declaration(of: command), arguments.dropFirst())
    return try parser.request()
  }

  private let declaration: CommandDeclaration
  private var rest: ArraySlice<String>
  private var values: [String: [String]] = [:]
  private var positionals: [String: String] = [:]

  private init(_ declaration: CommandDeclaration, _ rest: ArraySlice<String>) {
    self.declaration = declaration
    self.rest = rest
  }

  private mutating func request() throws(CommandLineError) -> Request {
    var areOptionsOver = false
    while let argument = rest.popFirst() {
      if areOptionsOver || argument == "-" || !argument.hasPrefix("-") {
        try take(positional: argument)
      } else if argument == "--" {
        areOptionsOver = true
      } else if try take(option: argument) == Catalogue.help {
        return .help(declaration.command)
      }
    }
    for option in declaration.options where option.isRequired && values[option.name] == nil {
      throw .missingOption(option, command: declaration.command)
    }
    for argument in declaration.positionals where !argument.isOptional && positionals[argument.name] == nil {
      throw .missingArgument(argument, command: declaration.command)
    }
    return .invocation(Invocation(declaration.command, positionals: positionals, values: values))
  }

  private mutating func take(positional text: String) throws(CommandLineError) {
    guard positionals.count < declaration.positionals.count else {
      throw .unexpectedArgument(text, command: declaration.command)
    }
    let argument = declaration.positionals[positionals.count]
    guard argument.kind.accepts(text) else { throw .wrongValue(text, name: argument.name, kind: argument.kind) }
    positionals[argument.name] = text
  }

  private mutating func take(option text: String) throws(CommandLineError) -> OptionDeclaration {
    let sign = text.hasPrefix("--") ? text.firstIndex(of: "=") : nil
    let spelling = sign.map { String(text[..<$0]) } ?? text
    guard let option = find(spelling) else { throw .unknownOption(spelling, command: declaration.command) }
    let attached = sign.map { String(text[text.index(after: $0)...]) }
    guard option.takesValue else {
      if attached != nil { throw .unwantedValue(option) }
      if values[option.name] != nil { throw .givenTwice(option) }
      values[option.name] = ["true"]
      return option
    }
    let value = if let attached { attached } else { try following(option) }
    guard option.kind.accepts(value) else { throw .wrongValue(value, name: option.spelling, kind: option.kind) }
    if values[option.name] != nil && !option.isRepeatable { throw .givenTwice(option) }
    values[option.name, default: []].append(value)
    return option
  }

  /// The next argument, unless it is an option of the command: then the value was forgotten (`--name=--value` takes one
  /// that looks like an option).
  private mutating func following(_ option: OptionDeclaration) throws(CommandLineError) -> String {
    guard let next = rest.first, next != "--", find(String(next.prefix { $0 != "=" })) == nil else {
      throw .missingValue(option)
    }
    rest.removeFirst()
    return next
  }

  private func find(_ spelling: String) -> OptionDeclaration? {
    declaration.allOptions.first { option in
      spelling == option.spelling || option.short.map { spelling == "-\($0)" } ?? false
    }
  }
}
