import Dispatch
import Foundation
import KafkaTransport
import Pipeline
import Tables
import Telemetry

/// `tocsin run`: a pipeline until it is stopped.
enum RunCommand {
  /// Carries it out.
  static func run(_ invocation: Invocation) -> ExitCode {
    let properties: [String: String]
    let levels: LogLevels
    do throws(CommandLineError) {
      properties = try KafkaOptions.properties(invocation)
      levels = try LogModules.levels(invocation.text(RunOptions.log) ?? "info")
    } catch {
      return Program.report(error, command: .run)
    }
    let isTerminal = isatty(STDERR_FILENO) == 1
    let format = format(invocation, isTerminal)
    LogSystem.shared.configure(levels: levels, format: format)
    let ending = RunEnding(format)
    guard let path = invocation.positional(RunOptions.file) else { return .pipelineMistakes }
    let loaded: VersionLoader.Loaded
    do throws(VersionLoader.Mistakes) {
      loaded = try VersionLoader.load(path: path, properties: .librdkafka)
    } catch {
      return ending.refused(error.report, error.isInFile ? .pipelineMistakes : .environment)
    }
    if let warnings = loaded.warnings { ending.warn(warnings) }
    var options = KafkaRunner.Options(instance: invocation.text(RunOptions.instance) ?? hostName)
    options.properties = properties
    options.origin = invocation.text(RunOptions.from).flatMap { StartOffset(rawValue: $0) } ?? .beginning
    options.createsTopics = invocation.flag(RunOptions.createTopics)
    options.stopsAtEnd = invocation.flag(RunOptions.stopAtEnd)
    options.leavesGroup = invocation.flag(RunOptions.leave)
    let registry = MetricsRegistry()
    for table in loaded.version.tables {
      registry.gauge(PipelineMetrics.tableEntries, [table.name]).set(Double(table.entryCount))
    }
    let isQuiet = invocation.flag(RunOptions.quiet)
    let reporter = Reporter(
      loaded.version.plan, registry: registry, showsProgress: isTerminal && !isQuiet,
      metricsPath: invocation.text(RunOptions.metricsFile))
    return run(path, loaded, options, registry, reporter, ending, isQuiet: isQuiet)
  }

  private static func run(
    _ path: String, _ loaded: VersionLoader.Loaded, _ options: KafkaRunner.Options, _ registry: MetricsRegistry,
    _ reporter: Reporter, _ ending: RunEnding, isQuiet: Bool
  ) -> ExitCode {
    do throws(PipelineFailure) {
      let runner = try KafkaRunner(
        path: path, loaded: loaded, options: options, registry: registry, productVersion: ProgramVersion.number
      ) { reporter.tick() }
      let signals = StopSignals(
        stop: { runner.stop(isLeaving: $0 == SIGINT) }, reload: { runner.reload() })
      defer { signals.cancel() }
      try runner.run()
    } catch {
      reporter.finish()
      return ending.failed("\(error)", ExitCode(error.kind))
    }
    reporter.finish()
    if !isQuiet { ending.sum(reporter.summary) }
    return .success
  }

  private static func format(_ invocation: Invocation, _ isTerminal: Bool) -> LogSystem.Format {
    switch invocation.text(RunOptions.logFormat) {
    case "text": .text
    case "json": .json
    default: isTerminal ? .text : .json
    }
  }

  /// The instance's name where none is given: the machine's, which restarts do not change.
  private static var hostName: String { ProcessInfo.processInfo.hostName }
}

extension ExitCode {
  /// What a failure means for the exit code.
  init(_ kind: PipelineFailure.Kind) {
    switch kind {
    case .configuration: self = .environment
    case .unreachable: self = .unreachable
    case .fenced: self = .fenced
    case .fatal: self = .fatal
    }
  }
}

extension KafkaOptions {
  /// The librdkafka properties of `--bootstrap` and `--set`.
  static func properties(_ invocation: Invocation) throws(CommandLineError) -> [String: String] {
    var properties: [String: String] = [:]
    let prefix = "librdkafka."
    for (name, value) in invocation.assignments(set) {
      guard name.hasPrefix(prefix), name.count > prefix.count else {
        throw .conflict("`--set \(name)`: write `--set librdkafka.PROPERTY=VALUE`")
      }
      let property = String(name.dropFirst(prefix.count))
      if let refusal = LibrdkafkaProperties.refusal(of: property) {
        throw .conflict("`\(property)` can't be set: \(refusal.reason)" + (refusal.hint.map { "; \($0)" } ?? ""))
      }
      properties[property] = value
    }
    if let bootstrap = invocation.text(bootstrap) { properties["bootstrap.servers"] = bootstrap }
    return properties
  }
}
