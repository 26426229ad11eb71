public import Telemetry

/// The metrics of a pipeline, each declared once.
public enum PipelineMetrics {
  /// Records read from the input, replayed ones included.
  public static let records = MetricDeclaration(
    name: "tocsin_records_total", kind: .counter, help: "Records read from the input, replayed ones included.",
    labels: ["topic", "partition"])
  /// Bytes of the values of records read.
  public static let recordBytes = MetricDeclaration(
    name: "tocsin_record_bytes_total", kind: .counter, help: "Bytes of the values of records read.",
    labels: ["topic", "partition"])
  /// Records read again after a start to rebuild windows; their outputs are muted.
  public static let replayed = MetricDeclaration(
    name: "tocsin_replayed_records_total", kind: .counter,
    help: "Records read again after a start to rebuild windows; their outputs are muted.",
    labels: ["topic", "partition"])
  /// Events whose time lay before the watermark.
  public static let late = MetricDeclaration(
    name: "tocsin_late_events_total", kind: .counter, help: "Events whose time lay before the watermark.",
    labels: ["topic", "partition"])
  /// Records that could not be decoded, by reason.
  public static let deadLetters = MetricDeclaration(
    name: "tocsin_dead_letters_total", kind: .counter, help: "Records that could not be decoded, by reason.",
    labels: ["topic", "partition", "reason"])
  /// Offset of the next record to be read.
  public static let offset = MetricDeclaration(
    name: "tocsin_offset", kind: .gauge, help: "Offset of the next record to be read.", labels: ["topic", "partition"])
  /// Watermark of a partition in seconds since 1970, in event time.
  public static let watermark = MetricDeclaration(
    name: "tocsin_watermark_seconds", kind: .gauge,
    help: "Watermark of a partition in seconds since 1970, in event time.", labels: ["topic", "partition"])
  /// 1 where a partition has been quiet for the source's idle time.
  public static let idle = MetricDeclaration(
    name: "tocsin_partition_idle", kind: .gauge, help: "1 where a partition has been quiet for the source's idle time.",
    labels: ["topic", "partition"])
  /// The smallest watermark of all partitions that are not idle, in seconds since 1970, in event time.
  public static let sourceWatermark = MetricDeclaration(
    name: "tocsin_source_watermark_seconds", kind: .gauge,
    help: "The smallest watermark of all partitions that are not idle, in seconds since 1970, in event time.")
  /// Time that a stage took for one batch.
  public static let stageSeconds = MetricDeclaration(
    name: "tocsin_stage_seconds", kind: .histogram, help: "Time that a stage took for one batch.", labels: ["stage"],
    buckets: [0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 1])
  /// Events that a rule took in.
  public static let selected = MetricDeclaration(
    name: "tocsin_rule_events_total", kind: .counter, help: "Events that a rule took in.", labels: ["rule"])
  /// Events that an exception of a rule let go.
  public static let excepted = MetricDeclaration(
    name: "tocsin_rule_exceptions_total", kind: .counter, help: "Events that an exception of a rule let go.",
    labels: ["rule", "reason"])
  /// Events that a rule did not take in: their key is null.
  public static let nullKeys = MetricDeclaration(
    name: "tocsin_rule_null_keys_total", kind: .counter, help: "Events that a rule did not take in: their key is null.",
    labels: ["rule"])
  /// Events for which an expression of a rule had no value.
  public static let ruleErrors = MetricDeclaration(
    name: "tocsin_rule_errors_total", kind: .counter, help: "Events for which an expression of a rule had no value.",
    labels: ["rule"])
  /// Alerts by what became of them; replayed ones are left out.
  public static let alerts = MetricDeclaration(
    name: "tocsin_alerts_total", kind: .counter, help: "Alerts by what became of them; replayed ones are left out.",
    labels: ["rule", "state"])
  /// Generations of windows dropped, and events kept out, because a rule's state had reached its bound.
  public static let evicted = MetricDeclaration(
    name: "tocsin_rule_evictions_total", kind: .counter,
    help: "Generations of windows dropped, and events kept out, because a rule's state had reached its bound.",
    labels: ["rule"])
  /// Alerts not opened because a rule's open alerts had reached their bound.
  public static let unopened = MetricDeclaration(
    name: "tocsin_rule_unopened_total", kind: .counter,
    help: "Alerts not opened because a rule's open alerts had reached their bound.", labels: ["rule"])
  /// Window state of a rule in a partition.
  public static let stateBytes = MetricDeclaration(
    name: "tocsin_rule_state_bytes", kind: .gauge, help: "Window state of a rule in a partition.",
    labels: ["rule", "topic", "partition"])
  /// Keys that a rule holds windows for in a partition.
  public static let keys = MetricDeclaration(
    name: "tocsin_rule_keys", kind: .gauge, help: "Keys that a rule holds windows for in a partition.",
    labels: ["rule", "topic", "partition"])
  /// Alerts that are open or pending in a partition.
  public static let episodes = MetricDeclaration(
    name: "tocsin_rule_open_alerts", kind: .gauge, help: "Alerts that are open or pending in a partition.",
    labels: ["rule", "topic", "partition"])
  /// Commits that went through.
  public static let transactions = MetricDeclaration(
    name: "tocsin_commits_total", kind: .counter, help: "Commits that went through.")
  /// Time that a commit took.
  public static let transactionSeconds = MetricDeclaration(
    name: "tocsin_commit_seconds", kind: .histogram, help: "Time that a commit took.",
    buckets: [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 5, 30])
  /// Records written and committed, by where they went.
  public static let outputs = MetricDeclaration(
    name: "tocsin_outputs_total", kind: .counter, help: "Records written and committed, by where they went.",
    labels: ["destination"])
  /// Times that the producer was replaced to settle a transaction.
  public static let recoveries = MetricDeclaration(
    name: "tocsin_recoveries_total", kind: .counter,
    help: "Times that the producer was replaced to settle a transaction.")
  /// Outputs that could never be written: each gave way to a smaller one, or was given up where it had none.
  public static let unwritable = MetricDeclaration(
    name: "tocsin_unwritable_outputs_total", kind: .counter,
    help: "Outputs that could never be written: each gave way to a smaller one, or was given up where it had none.")
  /// Events that were too large to cross an exchange: rules behind it went without them.
  public static let oversized = MetricDeclaration(
    name: "tocsin_exchange_oversized_events_total", kind: .counter,
    help: "Events that were too large to cross an exchange: rules behind it went without them.")
  /// Changes of the pipeline file or its lists while it runs, by what came of them: `accepted`, `refused` (there is a mistake,
  /// or a setting that only a restart changes), `unpublished` (it could not be kept for other instances, and is tried again).
  public static let reloads = MetricDeclaration(
    name: "tocsin_reloads_total", kind: .counter,
    help: "Changes of the pipeline file or its lists while it runs, by what came of them.", labels: ["outcome"])
  /// Entries of a table.
  public static let tableEntries = MetricDeclaration(
    name: "tocsin_table_entries", kind: .gauge, help: "Entries of a table.", labels: ["table"])
}

/// What the committer counts.
public struct CommitMetrics: Sendable {
  let transactions: Counter
  let seconds: Histogram
  let recoveries: Counter
  let unwritable: Counter
  let oversized: Counter
  private let outputs: [Output.Destination: Counter]

  /// Its series in a registry.
  public init(_ registry: MetricsRegistry) {
    transactions = registry.counter(PipelineMetrics.transactions)
    seconds = registry.histogram(PipelineMetrics.transactionSeconds)
    recoveries = registry.counter(PipelineMetrics.recoveries)
    unwritable = registry.counter(PipelineMetrics.unwritable)
    oversized = registry.counter(PipelineMetrics.oversized)
    outputs = Dictionary(
      uniqueKeysWithValues: Output.Destination.allCases.map {
        ($0, registry.counter(PipelineMetrics.outputs, [$0.rawValue]))
      })
  }

  func committed(_ transaction: Transaction, nanoseconds: Int64) {
    transactions.add()
    seconds.observe(Double(nanoseconds) / 1e9)
    for pair in transaction.pairs {
      for output in pair.outputs { outputs[output.destination]?.add() }
    }
  }
}
