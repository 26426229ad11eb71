/// What `tocsin help` prints, from the declarations.
enum HelpPage {
  /// The program's page, with these commands.
  static func overview(_ commands: [CommandDeclaration]) -> String {
    """
    \(TextLayout.paragraph("Tocsin: \(Catalogue.summary)."))
    Usage: tocsin COMMAND [ARGUMENT]... [OPTION]...

    Commands:
    \(TextLayout.table(commands.map { ($0.name, $0.summary) }))
    Options:
    \(TextLayout.table(rows(Catalogue.programOptions)))
    \(exitCodes)
    `tocsin help COMMAND` explains a command.

    """
  }

  /// A command's page.
  static func page(_ command: CommandDeclaration) -> String {
    var parts = [TextLayout.paragraph("tocsin \(command.name): \(command.summary)")]
    parts.append("Usage: \(command.usage)\n")
    if !command.positionals.isEmpty { parts.append(TextLayout.table(command.positionals.map { ($0.name, $0.text) })) }
    parts += command.paragraphs.map { TextLayout.paragraph($0) }
    parts.append("Options:\n" + TextLayout.table(rows(command.allOptions)))
    let examples = command.examples.map { TextLayout.commandLine($0, indent: 2) }.joined()
    parts.append("Examples:\n" + examples)
    parts.append(exitCodes)
    return parts.joined(separator: "\n")
  }

  private static func rows(_ options: [OptionDeclaration]) -> [(term: String, text: String)] {
    let hasShort = options.contains { $0.short != nil }
    return options.map { option in
      let short = option.short.map { "-\($0), " } ?? (hasShort ? "    " : "")
      return (short + option.usage, option.fullText)
    }
  }

  private static var exitCodes: String {
    "Exit codes:\n" + TextLayout.table(ExitCode.allCases.map { ("\($0.rawValue)", $0.text) })
  }
}
