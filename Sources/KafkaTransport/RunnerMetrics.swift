internal import Pipeline
internal import Telemetry

/// The gauges that only the whole source has.
enum RunnerMetrics {
  static func update(
    _ registry: MetricsRegistry, _ watermark: SourceWatermark, _ partitions: some Sequence<PartitionID>
  ) {
    if let time = watermark.watermark {
      registry.gauge(PipelineMetrics.sourceWatermark).set(Double(time) / 1e9)
    }
    for partition in partitions {
      registry.gauge(PipelineMetrics.idle, [partition.topic, "\(partition.number)"]).set(
        watermark.idle.contains(partition) ? 1 : 0)
    }
  }
}
