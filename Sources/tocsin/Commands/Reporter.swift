import Detection
import Foundation
import Locking
import Pipeline
import Telemetry

/// What a run shows a person: a line of progress on a terminal, a summary at its end, and the metrics in a file.
final class Reporter: Sendable {
  private struct State {
    var began = ContinuousClock.now
    var lastTick = ContinuousClock.now
    var lastRecords: Int64 = 0
    var lastMetrics: ContinuousClock.Instant?
    var hasProgress = false
  }

  /// Between two writings of the metrics.
  private static let metricsInterval = Duration.seconds(5)

  private let plan: PipelinePlan
  private let registry: MetricsRegistry
  private let showsProgress: Bool
  private let metricsPath: String?
  private let state = Lock(State())
  private let log = Logger(module: "tocsin")

  init(_ plan: PipelinePlan, registry: MetricsRegistry, showsProgress: Bool, metricsPath: String?) {
    self.plan = plan
    self.registry = registry
    self.showsProgress = showsProgress
    self.metricsPath = metricsPath
  }

  /// About once a second.
  func tick() {
    let records = registry.total(PipelineMetrics.records)
    let (rate, isDue) = state.withLock { state -> (Double, Bool) in
      let now = ContinuousClock.now
      let rate = Double(records - state.lastRecords) / max(0.001, (now - state.lastTick) / .seconds(1))
      state.lastTick = now
      state.lastRecords = records
      state.hasProgress = state.hasProgress || showsProgress
      let isDue = metricsPath != nil && state.lastMetrics.map { now - $0 >= Self.metricsInterval } ?? true
      if isDue { state.lastMetrics = now }
      return (rate, isDue)
    }
    if showsProgress { show(records, rate) }
    if isDue { writeMetrics() }
  }

  private func show(_ records: Int64, _ rate: Double) {
    let line =
      "\(records) events, \(Int(rate))/s; \(alerts("opened")) alerts opened, \(alerts("closed")) closed; "
      + "\(registry.total(PipelineMetrics.late)) late; \(registry.total(PipelineMetrics.deadLetters)) dead letters"
    // One line that is written over: back to its start, and the rest of the old one is cleared.
    FileHandle.standardError.write(Data("\r\(line)\u{1B}[K".utf8))
  }

  private func alerts(_ state: String) -> Int64 { registry.total(PipelineMetrics.alerts, where: ["state": state]) }

  /// The last numbers, whole.
  func finish() {
    if state.withLock({ $0.hasProgress }) { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    writeMetrics()
  }

  /// Written beside and moved in place, so that a reader sees the old file or the new one.
  private func writeMetrics() {
    guard let metricsPath else { return }
    do {
      try Data(registry.render().utf8).write(to: URL(fileURLWithPath: metricsPath), options: .atomic)
    } catch {
      log.warning("the metrics could not be written", ["file": metricsPath, "error": "\(error)"])
    }
  }

  /// What came of the run, for a person.
  var summary: String {
    let seconds = state.withLock { (ContinuousClock.now - $0.began) / .seconds(1) }
    let records = registry.total(PipelineMetrics.records)
    let replayed = registry.total(PipelineMetrics.replayed)
    var lines = [
      "\(records) events read in \(Self.text(seconds)) s" + (replayed > 0 ? ", \(replayed) of them again" : "")
        + "; \(registry.total(PipelineMetrics.late)) late, \(registry.total(PipelineMetrics.deadLetters)) dead letters, "
        + "\(registry.total(PipelineMetrics.transactions)) commits"
    ]
    for rule in plan.rules { lines += ruleLines(rule.id, rule.exceptions.map(\.reason)) }
    return lines.joined(separator: "\n")
  }

  private func ruleLines(_ id: String, _ exceptions: [String]) -> [String] {
    func total(_ declaration: MetricDeclaration, _ labels: [String: String] = [:]) -> Int64 {
      registry.total(declaration, where: labels.merging(["rule": id]) { $1 })
    }
    let states = ["opened", "updated", "closed"].map { "\(total(PipelineMetrics.alerts, ["state": $0])) \($0)" }
    var line = "  \(id): \(states.joined(separator: ", ")); \(total(PipelineMetrics.selected)) events"
    let notes: [(MetricDeclaration, String)] = [
      (PipelineMetrics.ruleErrors, "without a value"), (PipelineMetrics.nullKeys, "without a key"),
      (PipelineMetrics.evicted, "evictions: state was at its bound"),
      (PipelineMetrics.unopened, "not opened: too many were open"),
    ]
    for (declaration, text) in notes where total(declaration) > 0 { line += "; \(total(declaration)) \(text)" }
    let excepted = exceptions.map { "    \(total(PipelineMetrics.excepted, ["reason": $0])) excepted: \($0)" }
    return [line] + excepted
  }

  private static func text(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }
}
