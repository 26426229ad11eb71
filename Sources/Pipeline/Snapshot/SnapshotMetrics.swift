internal import Detection
public import Telemetry

extension PipelineMetrics {
  /// Snapshots written.
  public static let snapshots = MetricDeclaration(
    name: "tocsin_snapshots_total", kind: .counter, help: "Snapshots written.", labels: ["topic", "partition"])
  /// Records of state written by snapshots, tombstones included.
  public static let snapshotRecords = MetricDeclaration(
    name: "tocsin_snapshot_records_total", kind: .counter,
    help: "Records of state written by snapshots, tombstones included.", labels: ["topic", "partition"])
  /// Bytes of state written by snapshots.
  public static let snapshotBytes = MetricDeclaration(
    name: "tocsin_snapshot_bytes_total", kind: .counter, help: "Bytes of state written by snapshots.",
    labels: ["topic", "partition"])
  /// Offset of the input that the last snapshot is true at.
  public static let snapshotOffset = MetricDeclaration(
    name: "tocsin_snapshot_offset", kind: .gauge, help: "Offset of the input that the last snapshot is true at.",
    labels: ["topic", "partition"])
  /// Time that writing a snapshot took.
  public static let snapshotSeconds = MetricDeclaration(
    name: "tocsin_snapshot_seconds", kind: .histogram, help: "Time that writing a snapshot took.",
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60])
  /// Snapshots that were not written at the first try.
  public static let snapshotFailures = MetricDeclaration(
    name: "tocsin_snapshot_failures_total", kind: .counter, help: "Snapshots that were not written and tried again.")
  /// Records of state read to restore partitions.
  public static let restoredRecords = MetricDeclaration(
    name: "tocsin_restored_records_total", kind: .counter, help: "Records of state read to restore partitions.",
    labels: ["topic", "partition"])
  /// Bytes of state read to restore partitions.
  public static let restoredBytes = MetricDeclaration(
    name: "tocsin_restored_bytes_total", kind: .counter, help: "Bytes of state read to restore partitions.",
    labels: ["topic", "partition"])
  /// Records of state that a partition's restore still has to read, at most.
  public static let restoreRemaining = MetricDeclaration(
    name: "tocsin_restore_remaining_records", kind: .gauge,
    help: "Records of state that a partition's restore still has to read, at most.", labels: ["topic", "partition"])
  /// Time that restoring a partition's state took.
  public static let restoreSeconds = MetricDeclaration(
    name: "tocsin_restore_seconds", kind: .histogram, help: "Time that restoring a partition's state took.",
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 300])
}

/// What the snapshotter counts.
public struct SnapshotMetrics: Sendable {
  private let registry: MetricsRegistry
  private let seconds: Histogram
  let failures: Counter

  /// Its series in a registry.
  public init(_ registry: MetricsRegistry) {
    self.registry = registry
    seconds = registry.histogram(PipelineMetrics.snapshotSeconds)
    failures = registry.counter(PipelineMetrics.snapshotFailures)
  }

  func written(_ cut: SnapshotCut, nanoseconds: Int64) {
    let labels = [cut.partition.topic, "\(cut.partition.number)"]
    let bytes = cut.records.reduce(cut.marker.header.count) { $0 + $1.key.count + ($1.value?.count ?? 0) }
    registry.counter(PipelineMetrics.snapshots, labels).add()
    registry.counter(PipelineMetrics.snapshotRecords, labels).add(Int64(cut.records.count))
    registry.counter(PipelineMetrics.snapshotBytes, labels).add(Int64(bytes))
    registry.gauge(PipelineMetrics.snapshotOffset, labels).set(Double(cut.marker.offset))
    seconds.observe(Double(nanoseconds) / 1e9)
  }
}
