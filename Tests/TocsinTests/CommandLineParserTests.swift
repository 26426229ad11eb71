import Testing

@testable import tocsin

@Suite struct CommandLineParserTests {
  /// What a command line is expected to give.
  struct Example: Sendable, CustomTestStringConvertible {
    var line: String
    var request: CommandLineParser.Request?
    var error: CommandLineError?
    var testDescription: String { line }

    init(_ line: String, _ request: CommandLineParser.Request) {
      self.line = line
      self.request = request
    }

    init(_ line: String, _ error: CommandLineError) {
      self.line = line
      self.error = error
    }

    init(_ line: String, _ command: Command, _ positionals: [String: String], _ values: [String: [String]] = [:]) {
      self.init(line, .invocation(Invocation(command, positionals: positionals, values: values)))
    }
  }

  static let examples = [
    Example("--version", .version),
    Example("--help", .help(nil)),
    Example("-h", .help(nil)),
    Example("run --help", .help(.run)),
    Example("run x.yaml -h --nonsense", .help(.run)),
    Example("help", .help, [:]),
    Example("help run", .help, ["COMMAND": "run"]),
    Example("run p.yaml", .run, ["FILE": "p.yaml"]),
    Example("run --quiet p.yaml --from end", .run, ["FILE": "p.yaml"], ["quiet": ["true"], "from": ["end"]]),
    Example("run --from=end p.yaml", .run, ["FILE": "p.yaml"], ["from": ["end"]]),
    Example("run -- --odd.yaml", .run, ["FILE": "--odd.yaml"]),
    Example("run p --set a=b --set c==d=", .run, ["FILE": "p"], ["set": ["a=b", "c==d="]]),
    Example("run p --set=a=", .run, ["FILE": "p"], ["set": ["a="]]),
    Example("run p --log=--quiet", .run, ["FILE": "p"], ["log": ["--quiet"]]),
    Example("generate bench --out -", .generate, ["KIND": "bench"], ["out": ["-"]]),
    Example("generate bench --events 0", .generate, ["KIND": "bench"], ["events": ["0"]]),
    Example("check --schema", .check, [:], ["schema": ["true"]]),
    Example("demo", .demo, [:]),
    Example("", .noCommand),
    Example("rnu", .unknownCommand("rnu")),
    Example("-x", .unknownOption("-x", command: nil)),
    Example("run p --botstrap=h", .unknownOption("--botstrap", command: .run)),
    Example("run p -q", .unknownOption("-q", command: .run)),
    Example("demo --quiet", .unknownOption("--quiet", command: .demo)),
    Example("run p --from", .missingValue(RunOptions.from)),
    Example("run p --from --quiet", .missingValue(RunOptions.from)),
    Example("run p --quiet=yes", .unwantedValue(RunOptions.quiet)),
    Example("run p --quiet --quiet", .givenTwice(RunOptions.quiet)),
    Example("run p --log a --log b", .givenTwice(RunOptions.log)),
    Example("run p --from nowhere", .wrongValue("nowhere", name: "--from", kind: RunOptions.from.kind)),
    Example("run p --set a", .wrongValue("a", name: "--set", kind: .assignment)),
    Example("run p --set =a", .wrongValue("=a", name: "--set", kind: .assignment)),
    Example("run p --bootstrap=", .wrongValue("", name: "--bootstrap", kind: .text)),
    Example("generate cats", .wrongValue("cats", name: "KIND", kind: GenerateOptions.kind.kind)),
    Example("generate bench --events -1", .wrongValue("-1", name: "--events", kind: GenerateOptions.events.kind)),
    Example("generate bench --events 1.5", .wrongValue("1.5", name: "--events", kind: GenerateOptions.events.kind)),
    Example(
      "generate bench --seed 9223372036854775808",
      .wrongValue("9223372036854775808", name: "--seed", kind: GenerateOptions.seed.kind)),
    Example("generate bench --start today", .wrongValue("today", name: "--start", kind: .timestamp)),
    Example("run", .missingArgument(RunOptions.file, command: .run)),
    Example("run a b", .unexpectedArgument("b", command: .run)),
    Example("demo a", .unexpectedArgument("a", command: .demo)),
  ]

  @Test(arguments: examples) func readsOrRefuses(_ example: Example) throws {
    let arguments = example.line.split(separator: " ").map(String.init)
    do throws(CommandLineError) {
      #expect(try CommandLineParser.parse(arguments) == example.request)
    } catch {
      #expect(error == example.error)
    }
  }

  @Test func valuesComeTyped() throws {
    let line = "generate transfers --events 12 --set a=b=c --start 2026-01-01T00:00:01Z --create-topic"
    guard case .invocation(let invocation) = try CommandLineParser.parse(line.split(separator: " ").map(String.init))
    else {
      Issue.record("not an invocation")
      return
    }
    #expect(invocation.integer(GenerateOptions.events) == 12)
    #expect(invocation.integer(GenerateOptions.partitions) == 4, "the default")
    #expect(!invocation.isGiven(GenerateOptions.partitions))
    #expect(invocation.integer(GenerateOptions.rate) == nil)
    #expect(invocation.assignments(KafkaOptions.set).map(\.name) == ["a"])
    #expect(invocation.assignments(KafkaOptions.set).map(\.value) == ["b=c"])
    #expect(invocation.timestamp(GenerateOptions.start) == 1_767_225_601_000_000_000)
    #expect(invocation.flag(GenerateOptions.createTopic))
    #expect(invocation.positional(GenerateOptions.kind) == "transfers")
  }

  @Test func errorsNameTheNearestValidWord() {
    #expect("\(CommandLineError.unknownCommand("rnu"))".contains("did you mean `run`?"))
    #expect("\(CommandLineError.unknownCommand("xyzzy"))".contains("did you mean") == false)
    #expect("\(CommandLineError.unknownOption("--botstrap", command: .run))".contains("did you mean `--bootstrap`?"))
    #expect("\(CommandLineError.unknownOption("--versoin", command: nil))".contains("did you mean `--version`?"))
    #expect("\(CommandLineError.wrongValue("bnch", name: "KIND", kind: GenerateOptions.kind.kind))".contains("`bench`"))
  }

  @Test func declarationsAreSound() {
    #expect(Catalogue.commands.map(\.command) == Command.allCases)
    for command in Catalogue.commands {
      let names = command.allOptions.map(\.name)
      #expect(Set(names).count == names.count, "\(command.name) declares an option twice")
      for option in command.allOptions {
        #expect(option.takesValue == !option.placeholder.isEmpty, "\(option.spelling)")
        #expect(option.takesValue == !option.example.isEmpty, "\(option.spelling)")
        #expect(!option.takesValue || option.kind.accepts(option.example), "\(option.spelling)'s example")
        #expect(option.defaultText.map { option.kind.accepts($0) } ?? true, "\(option.spelling)'s default")
        #expect(!option.text.hasSuffix("."), "\(option.spelling)")
      }
      for example in command.examples { #expect(parses(example), "\(example)") }
    }
  }

  /// Whether an example of help is a valid command line, up to the shell's own signs.
  private func parses(_ example: String) -> Bool {
    let words = example.split(separator: " ").map(String.init).prefix { $0 != "|" && $0 != ">" }
    return (try? CommandLineParser.parse(Array(words.dropFirst()))) != nil
  }

  @Test func anyArgumentsEndInARequestOrAnError() {
    var random = SeededRandom(seed: 11)
    var words = ["--", "-", "", "=", "--=", "-h", "--nope", "a=b", "7", "-7", "💥", "--set", "--set="]
    words += Catalogue.commands.flatMap { [$0.name] + $0.allOptions.map(\.spelling) }
    words += Catalogue.commands.flatMap(\.options).map { "\($0.spelling)=\($0.example)" }
    var understood = 0
    for _ in 0..<20_000 {
      var arguments = (0..<random.next(in: 0...6)).map { _ in random.pick(words) }
      if random.happens(1, outOf: 3), !arguments.isEmpty {
        let noise = (0..<random.next(in: 0...4)).map { _ in UInt8(random.next(in: 1...255)) }
        arguments[random.next(in: 0...(arguments.count - 1))] += String(decoding: noise, as: UTF8.self)
      }
      do throws(CommandLineError) {
        let request = try CommandLineParser.parse(arguments)
        if case .invocation(let invocation) = request {
          for option in Catalogue.declaration(of: invocation.command).options {
            if case .integer = option.kind, invocation.isGiven(option) { #expect(invocation.integer(option) != nil) }
          }
        }
        understood += 1
      } catch {
        #expect(!"\(error)".isEmpty)
      }
    }
    #expect(understood > 100)
  }
}
