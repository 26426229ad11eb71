import Foundation
import Telemetry
import Testing

@testable import Pipeline

/// The page for operators names every metric that there is, and none that there is not.
@Suite struct MetricsPageTests {
  @Test func thePageAndTheProgramAgree() throws {
    let registry = MetricsRegistry()
    let tests = try PartitionTaskTests()
    _ = tests.task(registry: registry)
    _ = CommitMetrics(registry)
    _ = SnapshotMetrics(registry)
    _ = registry.histogram(PipelineMetrics.restoreSeconds)
    for declaration in [
      PipelineMetrics.deadLetters, PipelineMetrics.idle, PipelineMetrics.sourceWatermark, PipelineMetrics.tableEntries,
      PipelineMetrics.snapshots, PipelineMetrics.snapshotRecords, PipelineMetrics.snapshotBytes,
      PipelineMetrics.snapshotOffset, PipelineMetrics.restoredRecords, PipelineMetrics.restoredBytes,
      PipelineMetrics.restoreRemaining,
      PipelineMetrics.reloads,
    ] {
      let labels = declaration.labels.map { _ in "x" }
      switch declaration.kind {
      case .counter: _ = registry.counter(declaration, labels)
      default: _ = registry.gauge(declaration, labels)
      }
    }
    let declared = Set(
      registry.render().split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
        .compactMap { $0.split(separator: " ").dropFirst(2).first.map(String.init) })
    let page = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/operations.md"), encoding: .utf8)
    let listed = Set(
      page.split(separator: "\n").filter { $0.hasPrefix("| `tocsin_") }
        .compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) })
    #expect(listed == declared)
  }
}
