/// The man page, tocsin(1), from the declarations; in the macros of man(7).
enum ManPage {
  /// The page of these commands.
  static func text(_ commands: [CommandDeclaration]) -> String {
    var lines = [
      ".TH TOCSIN 1 \"\" \"tocsin \(escaped(ProgramVersion.number))\" \"User Commands\"",
      ".SH NAME", "tocsin \\- \(escaped(Catalogue.summary))",
      ".SH SYNOPSIS", ".B tocsin", escaped("COMMAND [ARGUMENT]... [OPTION]..."),
      ".SH DESCRIPTION",
      escaped("Tocsin reads events from a Kafka topic, holds them against watchlists and rules over"),
      escaped("windows of event time, and writes alerts with the offsets they came of, exactly once."),
    ]
    lines.append(".SH OPTIONS")
    lines += Catalogue.programOptions.flatMap(entry)
    lines.append(".SH COMMANDS")
    lines += commands.flatMap(section)
    lines.append(".SH EXIT STATUS")
    for code in ExitCode.allCases { lines += [".TP", ".B \(code.rawValue)", escaped(sentence(code.text))] }
    lines.append(".SH EXAMPLES")
    for example in commands.flatMap(\.examples) { lines += [".PP", ".nf", escaped(example), ".fi"] }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func section(_ command: CommandDeclaration) -> [String] {
    var lines = [".SS \"\(escaped(command.usage))\"", escaped(sentence(command.summary))]
    for paragraph in command.paragraphs { lines += [".PP", escaped(paragraph)] }
    for argument in command.positionals {
      lines += [".TP", ".I \(escaped(argument.name))", escaped(sentence(argument.text))]
    }
    return lines + command.options.flatMap(entry)
  }

  private static func entry(_ option: OptionDeclaration) -> [String] {
    let short = option.short.map { "\\fB\\-\($0)\\fR, " } ?? ""
    let value = option.takesValue ? " \\fI\(escaped(option.placeholder))\\fR" : ""
    return [".TP", "\(short)\\fB\(escaped(option.spelling))\\fR\(value)", escaped(sentence(option.fullText))]
  }

  /// With a capital letter and a full stop.
  private static func sentence(_ text: String) -> String {
    let head = text.prefix(1).uppercased() + text.dropFirst()
    return head.hasSuffix(".") ? head : head + "."
  }

  /// Plain text for roff: a backslash and a dash are themselves, and no line is taken for a macro.
  private static func escaped(_ text: String) -> String {
    let safe = text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("\"", with: "\\(dq")
    return safe.hasPrefix(".") || safe.hasPrefix("'") ? "\\&" + safe : safe
  }
}
