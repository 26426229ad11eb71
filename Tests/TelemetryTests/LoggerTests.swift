import Synchronization
import Testing

@testable import Telemetry

@Suite struct LoggerTests {
  private final class Captured: Sendable {
    let lines = Mutex<[String]>([])
  }

  private func system(_ levels: LogLevels, _ format: LogSystem.Format) -> (LogSystem, Captured) {
    let captured = Captured()
    let system = LogSystem()
    system.configure(levels: levels, format: format) { line in captured.lines.withLock { $0.append(line) } }
    return (system, captured)
  }

  @Test func levelsAreReadPerModule() throws {
    let levels = try LogLevels(parsing: "warning,Kafka=debug")
    #expect(levels.level(of: "Kafka") == .debug && levels.level(of: "Pipeline") == .warning)
    #expect(throws: LogLevels.Problem(word: "loud")) { try LogLevels(parsing: "loud") }
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
}
