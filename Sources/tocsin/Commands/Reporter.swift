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
    let records = RunSummary.eventsRead(registry, plan)
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

  /// What came of the run.
  var summary: RunSummary {
    RunSummary(registry, plan, seconds: state.withLock { (ContinuousClock.now - $0.began) / .seconds(1) })
  }
}
