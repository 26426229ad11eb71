import Telemetry
import Testing

@Suite struct MetricsTests {
  private static let events = MetricDeclaration(
    name: "tocsin_events_total", kind: .counter, help: "Events \\ read.", labels: ["topic", "partition"])
  private static let lag = MetricDeclaration(name: "tocsin_lag_seconds", kind: .gauge, help: "Lag.")
  private static let batch = MetricDeclaration(
    name: "tocsin_batch_seconds", kind: .histogram, help: "Batch.", labels: ["stage"], buckets: [0.001, 0.01, 1])

  @Test func textIsPrometheus() {
    let registry = MetricsRegistry()
    registry.counter(Self.events, ["a\"b\\\n", "0"]).add(3)
    registry.gauge(Self.lag).set(1.5)
    let histogram = registry.histogram(Self.batch, ["decode"])
    for value in [0.0005, 0.005, 0.005, 2] { histogram.observe(value) }
    #expect(
      registry.render() == """
        # HELP tocsin_batch_seconds Batch.
        # TYPE tocsin_batch_seconds histogram
        tocsin_batch_seconds_bucket{stage="decode",le="0.001"} 1
        tocsin_batch_seconds_bucket{stage="decode",le="0.01"} 3
        tocsin_batch_seconds_bucket{stage="decode",le="1"} 3
        tocsin_batch_seconds_bucket{stage="decode",le="+Inf"} 4
        tocsin_batch_seconds_sum{stage="decode"} 2.0105
        tocsin_batch_seconds_count{stage="decode"} 4
        # HELP tocsin_events_total Events \\\\ read.
        # TYPE tocsin_events_total counter
        tocsin_events_total{topic="a\\"b\\\\\\n",partition="0"} 3
        # HELP tocsin_lag_seconds Lag.
        # TYPE tocsin_lag_seconds gauge
        tocsin_lag_seconds 1.5

        """)
    #expect(histogram.quantile(0.5) == 0.01 && histogram.quantile(1) == .infinity)
  }

  @Test func aSeriesIsMadeOnceAndForgottenWithItsPartition() {
    let registry = MetricsRegistry()
    let first = registry.counter(Self.events, ["t", "0"])
    #expect(registry.counter(Self.events, ["t", "0"]) === first)
    #expect(registry.counter(Self.events, ["t", "1"]) !== first)
    registry.removeGauges(label: "partition", value: "0")
    #expect(!registry.render().contains("partition=\"0\"") && registry.render().contains("partition=\"1\""))
  }

  @Test func updatesFromManyThreadsAllCount() async {
    let counter = MetricsRegistry().counter(Self.events, ["t", "0"])
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { for _ in 0..<10_000 { counter.add() } } }
    }
    #expect(counter.value == 80_000)
  }
}
