import Foundation
import Testing

@testable import tocsin

/// What is made from the declarations names all of them.
@Suite struct CommandLinePagesTests {
  @Test func helpShowsEveryOptionWithin80Columns() {
    let overview = HelpPage.overview(Catalogue.commands)
    for command in Catalogue.commands { #expect(overview.contains("\n  \(command.name) ")) }
    for code in ExitCode.allCases { #expect(overview.contains("\n  \(code.rawValue)  ")) }
    for command in Catalogue.commands {
      let page = HelpPage.page(command)
      for option in command.allOptions { #expect(page.contains(option.usage), "\(command.name) \(option.spelling)") }
      for argument in command.positionals { #expect(page.contains("  \(argument.name) ")) }
      for line in (page + overview).split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
      for line in (page + overview).split(separator: "\n") { #expect(!line.hasSuffix(" "), "\(line)") }
    }
  }

  @Test func helpShowsOnlyWhatThereIs() {
    let overview = HelpPage.overview(Handlers.commands)
    for command in Catalogue.commands {
      #expect(overview.contains("\n  \(command.name) ") == Handlers.commands.contains { $0.name == command.name })
    }
  }

  @Test func manPageShowsEveryOption() throws {
    let page = ManPage.text(Catalogue.commands)
    for option in Catalogue.commands.flatMap(\.allOptions) + Catalogue.programOptions {
      #expect(page.contains("\\fB\\-\\-\(option.name.replacing("-", with: "\\-"))\\fR"), "\(option.spelling)")
    }
    let macros: Set<Substring> = [".TH", ".SH", ".SS", ".B", ".I", ".TP", ".PP", ".nf", ".fi"]
    for line in page.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
      #expect(macros.contains(line.prefix { $0 != " " }), "\(line)")
    }
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/groff")))
  func manPageIsTypesetWithoutWarning() throws {
    let (output, errors) = try run(
      "/usr/bin/groff", ["-man", "-Tutf8", "-ww"], input: ManPage.text(Catalogue.commands))
    #expect(errors.isEmpty, "\(errors)")
    #expect(output.contains("GENERATE") || output.contains("generate"))
  }

  @Test(arguments: Completions.Shell.allCases) func completionsNameEveryOption(_ shell: Completions.Shell) {
    let script = Completions.script(Catalogue.commands, for: shell)
    for command in Catalogue.commands {
      #expect(script.contains(command.name))
      for option in command.allOptions {
        #expect(script.contains(shell == .fish ? "-l \(option.name) " : option.spelling), "\(option.spelling)")
      }
    }
  }

  @Test func bashCompletes() throws {
    let script = Completions.script(Catalogue.commands, for: .bash)
    func completions(_ words: [String]) throws -> [String] {
      let call = """
        COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " "))); COMP_CWORD=\(words.count - 1)
        _tocsin; printf '%s\\n' "${COMPREPLY[@]}"
        """
      let (output, errors) = try run("/bin/bash", ["--norc", "-eu"], input: script + call)
      #expect(errors.isEmpty, "\(errors)")
      return output.split(separator: "\n").map(String.init)
    }
    #expect(try completions(["tocsin", "ch"]) == ["check"])
    #expect(try completions(["tocsin", "run", "p.yaml", "--boot"]) == ["--bootstrap"])
    #expect(try completions(["tocsin", "run", "--from", ""]) == ["committed", "beginning", "end"])
    #expect(try completions(["tocsin", "generate", "tr"]) == ["transfers"])
    #expect(try completions(["tocsin", "help", "de"]) == ["demo"])
  }

  /// Runs a program on an input that it reads to its end.
  private func run(_ program: String, _ arguments: [String], input: String) throws -> (output: String, errors: String) {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)")
    try Data(input.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = try FileHandle(forReadingFrom: file)
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (text, complaint)
  }
}
