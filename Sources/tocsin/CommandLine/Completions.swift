/// Completions for a shell, from the declarations.
enum Completions {
  /// The shells that are known; raw values are the words of `help --completions`.
  enum Shell: String, CaseIterable {
    case bash, zsh, fish
  }

  /// The script for a shell to read.
  static func script(_ commands: [CommandDeclaration], for shell: Shell) -> String {
    switch shell {
    case .bash: bash(commands)
    case .zsh: zsh(commands)
    case .fish: fish(commands)
    }
  }

  private static func words(_ options: [OptionDeclaration]) -> String {
    options.map(\.spelling).joined(separator: " ")
  }

  // MARK: bash

  private static func bash(_ commands: [CommandDeclaration]) -> String {
    let names = commands.map(\.name).joined(separator: " ")
    var cases = ""
    for command in commands {
      cases += "    \(command.name))\n      case $previous in\n"
      for option in command.options where option.takesValue {
        cases += "        \(option.spelling)) \(bashReply(option.kind)); return ;;\n"
      }
      cases += "      esac\n"
      cases += "      if [[ $current == -* ]]; then\n"
      cases += "        COMPREPLY=($(compgen -W '\(words(command.allOptions))' -- \"$current\"))\n"
      cases += "      else\n"
      cases += "        \(command.positionals.first.map { bashReply($0.kind) } ?? "COMPREPLY=()")\n"
      cases += "      fi ;;\n"
    }
    return """
      # bash completion for tocsin
      _tocsin() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
        if [[ $COMP_CWORD -eq 1 ]]; then
          COMPREPLY=($(compgen -W '\(names) \(words(Catalogue.programOptions))' -- "$current"))
          return
        fi
        case ${COMP_WORDS[1]} in
      \(cases)  esac
      }
      complete -o filenames -F _tocsin tocsin

      """
  }

  private static func bashReply(_ kind: OptionDeclaration.Kind) -> String {
    switch kind {
    case .file: "COMPREPLY=($(compgen -f -- \"$current\"))"
    case .choice(let words): "COMPREPLY=($(compgen -W '\(words.joined(separator: " "))' -- \"$current\"))"
    default: "COMPREPLY=()"
    }
  }

  // MARK: zsh

  private static func zsh(_ commands: [CommandDeclaration]) -> String {
    let names = commands.map { "    '\($0.name):\(quoted($0.summary))'\n" }.joined()
    var cases = ""
    for command in commands {
      cases += "    \(command.name))\n      _arguments \\\n"
      var specifications = command.allOptions.map(zshSpecification)
      for argument in command.positionals {
        specifications.append("'\(argument.isOptional ? "::" : ":")\(argument.name)\(zshAction(argument.kind))'")
      }
      cases += specifications.map { "        " + $0 }.joined(separator: " \\\n") + " ;;\n"
    }
    return """
      #compdef tocsin
      # zsh completion for tocsin
      _tocsin() {
        local -a commands
        commands=(
      \(names)  )
        if (( CURRENT == 2 )); then
          _describe command commands
          _values option \(Catalogue.programOptions.map { "'\($0.spelling)[\(zshText($0))]'" }.joined(separator: " "))
          return
        fi
        local command=$words[2]
        shift words
        (( CURRENT-- ))
        case $command in
      \(cases)  esac
      }
      # Loaded by name from fpath, it is to complete at once; sourced, to be known.
      if [[ $funcstack[1] == _tocsin ]]; then _tocsin "$@"; else compdef _tocsin tocsin; fi

      """
  }

  private static func zshSpecification(_ option: OptionDeclaration) -> String {
    let repeats = option.isRepeatable ? "*" : ""
    guard option.takesValue else { return "'\(repeats)\(option.spelling)[\(zshText(option))]'" }
    let value = quoted(option.placeholder).replacing(":", with: "\\:")
    return "'\(repeats)\(option.spelling)=[\(zshText(option))]:\(value)\(zshAction(option.kind))'"
  }

  private static func zshText(_ option: OptionDeclaration) -> String {
    quoted(option.text).replacing("[", with: "\\[").replacing("]", with: "\\]").replacing(":", with: "\\:")
  }

  private static func zshAction(_ kind: OptionDeclaration.Kind) -> String {
    switch kind {
    case .file: ":_files"
    case .choice(let words): ":(\(words.joined(separator: " ")))"
    default: ":"
    }
  }

  // MARK: fish

  private static func fish(_ commands: [CommandDeclaration]) -> String {
    var lines = ["# fish completion for tocsin", "complete -c tocsin -f"]
    for option in Catalogue.programOptions {
      lines.append("complete -c tocsin -n __fish_use_subcommand \(fishOption(option))")
    }
    for command in commands {
      lines.append(
        "complete -c tocsin -n __fish_use_subcommand -a \(command.name) -d '\(quoted(command.summary))'")
    }
    for command in commands {
      let condition = "-n '__fish_seen_subcommand_from \(command.name)'"
      for argument in command.positionals {
        lines.append("complete -c tocsin \(condition)\(fishValue(argument.kind)) -d '\(quoted(argument.text))'")
      }
      for option in command.allOptions {
        lines.append("complete -c tocsin \(condition) \(fishOption(option))")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func fishOption(_ option: OptionDeclaration) -> String {
    let short = option.short.map { " -s \($0)" } ?? ""
    let value = option.takesValue ? " -r" + fishValue(option.kind) : ""
    return "-l \(option.name)\(short)\(value) -d '\(quoted(option.text))'"
  }

  private static func fishValue(_ kind: OptionDeclaration.Kind) -> String {
    switch kind {
    case .file: " -F"
    case .choice(let words): " -a '\(words.joined(separator: " "))'"
    default: ""
    }
  }

  /// For a text between single quotes: an apostrophe would end it.
  private static func quoted(_ text: String) -> String { text.replacing("'", with: "’") }
}
