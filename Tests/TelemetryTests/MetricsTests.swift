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
    let depth = MetricDeclaration(name: "tocsin_depth", kind: .gauge, help: "Depth.", labels: ["topic", "partition"])
    for (topic, partition) in [("t", "0"), ("t", "1"), ("other", "0")] {
      registry.gauge(depth, [topic, partition]).set(1)
    }
    registry.removeGauges(where: ["topic": "t", "partition": "0"])
    let left = registry.render().split(separator: "\n").filter { $0.hasPrefix("tocsin_depth{") }
    #expect(
      left == [
        "tocsin_depth{topic=\"other\",partition=\"0\"} 1", "tocsin_depth{topic=\"t\",partition=\"1\"} 1",
      ])
    #expect(registry.counter(Self.events, ["t", "0"]) === first)
  }

  @Test func updatesFromManyThreadsAllCount() async {
    let counter = MetricsRegistry().counter(Self.events, ["t", "0"])
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { for _ in 0..<10_000 { counter.add() } } }
    }
    #expect(counter.value == 80_000)
  }

  @Test func labelsWithCommasAndQuotesAreTheirOwn() {
    let registry = MetricsRegistry()
    let depth = MetricDeclaration(name: "tocsin_depth", kind: .gauge, help: "Depth.", labels: ["topic", "partition"])
    let tricky = "a,partition=\"0\""
    registry.counter(Self.events, [tricky, "1"]).add(5)
    registry.counter(Self.events, ["a", "0"]).add(7)
    #expect(registry.total(Self.events, where: ["topic": tricky]) == 5)
    #expect(registry.total(Self.events, where: ["partition": "0"]) == 7)
    #expect(registry.total(Self.events, where: ["topic": tricky, "partition": "0"]) == 0)
    #expect(registry.total(Self.events, where: ["nothing": "0"]) == 0 && registry.total(Self.events) == 12)
    registry.gauge(depth, [tricky, "1"]).set(1)
    registry.gauge(depth, ["a", "0"]).set(2)
    registry.removeGauges(where: ["topic": tricky])
    #expect(registry.render().split(separator: "\n").count { $0.hasPrefix("tocsin_depth{") } == 1)
    // Counters only rise: they stay.
    #expect(registry.total(Self.events) == 12)
  }

  @Test(
    arguments: [
      (0.0, "0"), (-0.0, "-0"), (1e21, "1e+21"), (0.1, "0.1"), (-2.5, "-2.5"), (.nan, "NaN"), (.infinity, "+Inf"),
      (-.infinity, "-Inf"), (123_456_789, "123456789"),
    ] as [(Double, String)])
  func numbersAreWrittenAsPrometheusReadsThem(_ value: Double, _ text: String) {
    let registry = MetricsRegistry()
    registry.gauge(Self.lag).set(value)
    #expect(registry.render().hasSuffix("tocsin_lag_seconds \(text)\n"))
  }

  @Test func helpMayHoldAnything() {
    let registry = MetricsRegistry()
    let odd = MetricDeclaration(name: "odd", kind: .gauge, help: "a \"b\" \\ c\nd")
    registry.gauge(odd).set(1)
    #expect(registry.render() == "# HELP odd a \"b\" \\\\ c\\nd\n# TYPE odd gauge\nodd 1\n")
    #expect(MetricsRegistry().render() == "")
  }

  /// Buckets against a plain count, whatever is observed.
  @Test func histogramsCountEverything() {
    var state: UInt64 = 9
    func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 40) / Double(1 << 22)
    }
    let histogram = MetricsRegistry().histogram(Self.batch, ["s"])
    let values = (0..<2_000).map { _ in next() } + [0.001, 0.01, 1, 0, -1]
    for value in values { histogram.observe(value) }
    let bounds = [0.001, 0.01, 1, Double.infinity]
    var below = 0
    for (place, bound) in bounds.enumerated() {
      let expected = values.count { $0 <= bound }
      below += Int(histogram.bucketCounts[place])
      #expect(below == expected)
    }
    #expect(histogram.count == Int64(values.count) && abs(histogram.total - values.reduce(0, +)) < 1e-3)
    for share in [0.01, 0.5, 0.99, 1] {
      let rank = Int((Double(values.count) * share).rounded(.up))
      let value = values.sorted()[rank - 1]
      #expect(histogram.quantile(share) == bounds.first { value <= $0 })
    }
    #expect(MetricsRegistry().histogram(Self.batch, ["t"]).quantile(0.5) == nil)
    // What no clock measures must not end the process.
    for value in [Double.nan, .infinity, -.infinity, 1e300, -1e300] { histogram.observe(value) }
    #expect(histogram.count == Int64(values.count) + 4)
  }

  @Test func seriesAreMadeAndRenderedAtTheSameTime() async {
    let registry = MetricsRegistry()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for round in 0..<200 {
            registry.counter(Self.events, ["t", "\(round % 10)"]).add()
            registry.gauge(Self.lag).set(Double(task))
            registry.histogram(Self.batch, ["s"]).observe(0.5)
            if round % 50 == 0 { #expect(!registry.render().isEmpty) }
          }
        }
      }
    }
    #expect(registry.total(Self.events) == 1_600 && registry.histogram(Self.batch, ["s"]).count == 1_600)
  }
}
