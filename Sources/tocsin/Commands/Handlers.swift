/// What carries out each command. A command without a handler is not shown in help, and says so when it is called.
enum Handlers {
  /// Carries out a checked command line, and tells how it ended.
  typealias Handler = @Sendable (Invocation) -> ExitCode

  private static let handlers: [Command: Handler] = [
    .run: RunCommand.run,
    .check: CheckCommand.run,
    .plan: PlanCommand.run,
    .demo: DemoCommand.run,
    .generate: GenerateCommand.run,
    .help: HelpCommand.run,
  ]

  /// The declarations of the commands that have a handler.
  static var commands: [CommandDeclaration] { Catalogue.commands.filter { handlers[$0.command] != nil } }

  /// Carries out what was asked for.
  static func run(_ invocation: Invocation) -> ExitCode {
    guard let handler = handlers[invocation.command] else {
      Program.writeError("tocsin: `\(invocation.command.rawValue)` is not in this build")
      return .commandLine
    }
    return handler(invocation)
  }
}
