/// `tocsin help`: pages, the man page, completions.
enum HelpCommand {
  /// Carries it out.
  static func run(_ invocation: Invocation) -> ExitCode {
    let shell = invocation.text(HelpOptions.completions).flatMap { Completions.Shell(rawValue: $0) }
    let about = invocation.positional(HelpOptions.about).flatMap { Command(rawValue: $0) }
    switch (invocation.flag(HelpOptions.man), shell, about) {
    case (false, nil, _): print(page(of: about), terminator: "")
    case (true, nil, nil): print(ManPage.text(Handlers.commands), terminator: "")
    case (false, let shell?, nil): print(Completions.script(Handlers.commands, for: shell), terminator: "")
    default:
      return Program.report(
        .conflict("`help` takes one of COMMAND, `--man` and `--completions`, not several"), command: .help)
    }
    return .success
  }

  /// The page of a command, or of the program.
  static func page(of command: Command?) -> String {
    command.map { HelpPage.page(Catalogue.declaration(of: $0)) } ?? HelpPage.overview(Handlers.commands)
  }
}
