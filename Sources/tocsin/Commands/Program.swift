import Glibc

/// From arguments to an exit code.
enum Program {
  /// Does what the arguments (without the program's own name) ask for.
  static func run(_ arguments: [String]) -> ExitCode {
    do throws(CommandLineError) {
      switch try CommandLineParser.parse(arguments) {
      case .version:
        print(ProgramVersion.text, terminator: "")
        return .success
      case .help(let command):
        print(HelpCommand.page(of: command), terminator: "")
        return .success
      case .invocation(let invocation):
        return Handlers.run(invocation)
      }
    } catch {
      return report(error, command: arguments.first.flatMap { Command(rawValue: $0) })
    }
  }

  /// Tells what is wrong with the command line, and where help is.
  static func report(_ error: CommandLineError, command: Command?) -> ExitCode {
    let help = command.map { "tocsin help \($0.rawValue)" } ?? "tocsin help"
    writeError("tocsin: \(error)\n`\(help)` shows what is possible.")
    return .commandLine
  }

  /// A line (or several) on standard error.
  static func writeError(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
