import Locking
import Testing

@testable import Telemetry

@Suite struct LoggerTests {
  private final class Captured: Sendable {
    let lines = Lock<[String]>([])
  }

  private func system(_ levels: LogLevels, _ format: LogSystem.Format) -> (LogSystem, Captured) {
    let captured = Captured()
    let system = LogSystem()
    system.configure(levels: levels, format: format) { line in captured.lines.withLock { $0.append(line) } }
    return (system, captured)
  }

  private static let modules = ["Kafka", "Pipeline"]

  @Test func levelsAreReadPerModule() throws {
    let levels = try LogLevels(parsing: "warning,kafka=debug", modules: Self.modules)
    #expect(levels.level(of: "Kafka") == .debug && levels.level(of: "Pipeline") == .warning)
    #expect(throws: LogLevels.Problem.level("loud")) { try LogLevels(parsing: "loud", modules: Self.modules) }
    #expect(throws: LogLevels.Problem.module("Kafkas")) {
      try LogLevels(parsing: "info,Kafkas=debug", modules: Self.modules)
    }
    let (system, _) = system(levels, .text)
    #expect(system.isWritten(.debug, "Kafka") && !system.isWritten(.info, "Pipeline"))
  }

  @Test func textIsOneLineAndQuotesWhatItMust() {
    let (system, captured) = system(LogLevels(), .text)
    system.write(LogLine(level: .info, module: "M", message: "a\nb", fields: ["k": "v", "j": "a b"]), now: 0)
    #expect(captured.lines.withLock { $0 } == ["1970-01-01T00:00:00.000Z info M: a\\nb j=\"a b\" k=v"])
  }

  @Test func jsonEscapes() {
    let (system, captured) = system(LogLevels(), .json)
    system.write(LogLine(level: .error, module: "M", message: "\"\u{1}\\", fields: ["k": "v"]), now: 1.5)
    #expect(
      captured.lines.withLock { $0 } == [
        #"{"time":"1970-01-01T00:00:01.500Z","level":"error","module":"M","message":"\"\u0001\\","k":"v"}"#
      ])
  }

  @Test func equalLinesAreHeldBackAndCounted() {
    let (system, captured) = system(LogLevels(), .text)
    let line = LogLine(level: .info, module: "M", message: "again")
    for _ in 0..<25 { system.write(line, now: 100) }
    #expect(captured.lines.withLock { $0.count } == LogSystem.repeats)
    system.write(line, now: 100 + LogSystem.window + 1)
    let lines = captured.lines.withLock { $0 }
    #expect(lines.count == LogSystem.repeats + 2 && lines[LogSystem.repeats].contains("15 more times"))
  }

  @Test func whatATerminalWouldObeyIsEscaped() {
    for format in LogSystem.Format.allCases {
      let (system, captured) = system(LogLevels(), format)
      let hostile = "\u{1b}[2J\u{7}\u{9b}\u{2028}\r\n\u{0}"
      system.write(LogLine(level: .info, module: "M", message: hostile, fields: ["k": hostile]), now: 0)
      let line = captured.lines.withLock { $0 }.first ?? ""
      #expect(
        !line.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.value == 0x2028 })
      #expect(line.contains("\\u001b[2J"))
    }
  }

  @Test func aFieldNeverTakesThePlaceOfALinesOwnMember() {
    let (system, captured) = system(LogLevels(), .json)
    system.write(LogLine(level: .info, module: "M", message: "m", fields: ["level": "x", "a": "b"]), now: 0)
    #expect(captured.lines.withLock { $0 }.first?.hasSuffix(#""message":"m","a":"b","field_level":"x"}"#) == true)
  }

  @Test(arguments: [
    ("", LogLevel.info, LogLevel.info), ("debug", .debug, .debug), ("Kafka=error", .info, .error),
    ("error,Kafka=debug,warning", .warning, .debug),
  ])
  func levelsAreRead(_ text: String, _ general: LogLevel, _ kafka: LogLevel) throws {
    let levels = try LogLevels(parsing: text, modules: Self.modules)
    #expect(levels.level(of: "Pipeline") == general && levels.level(of: "Kafka") == kafka)
  }

  @Test(arguments: ["Kafka=", "=", "INFO", "a=b=info", " info"])
  func whatIsNoLevelSaysSo(_ text: String) {
    #expect(throws: LogLevels.Problem.level(text)) { try LogLevels(parsing: text, modules: Self.modules) }
  }

  /// Different lines do not hold each other back, and a flood of different ones stays within bounds.
  @Test func onlyEqualLinesAreHeldBack() {
    let (system, captured) = system(LogLevels(), .text)
    for number in 0..<3_000 { system.write(LogLine(level: .info, module: "M", message: "line \(number)"), now: 5) }
    #expect(captured.lines.withLock { $0.count } == 3_000)
    for _ in 0..<20 { system.write(LogLine(level: .info, module: "N", message: "line 1"), now: 6 + LogSystem.window) }
    #expect(captured.lines.withLock { $0.count } == 3_000 + LogSystem.repeats)
  }

  @Test func linesFromManyThreadsAllCome() async {
    let (system, captured) = system(LogLevels(), .text)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for number in 0..<100 {
            system.write(LogLine(level: .info, module: "M", message: "\(task) \(number)"), now: 1)
          }
        }
      }
    }
    #expect(captured.lines.withLock { Set($0).count } == 800)
  }
}
