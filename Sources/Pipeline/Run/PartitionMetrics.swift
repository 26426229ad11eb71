internal import Detection
internal import Events
internal import Telemetry

/// The series of one partition, made once; an update is a relaxed atomic a batch.
struct PartitionMetrics {
  enum Stage: String, CaseIterable {
    case decode, enrich, detect, exchange, alert
  }

  private struct Rule {
    var id: String
    var selected: Counter
    var nullKeys: Counter
    var errors: Counter
    var evicted: Counter
    var unopened: Counter
    var opened: Counter
    var updated: Counter
    var closed: Counter
    var excepted: [Counter]
    var stateBytes: Gauge
    var keys: Gauge
    var episodes: Gauge
  }

  private let records: Counter
  private let bytes: Counter
  private let replayed: Counter
  private let late: Counter
  private let offset: Gauge
  private let watermark: Gauge
  private let stages: [Histogram]
  private let rules: [Rule]
  private let registry: MetricsRegistry
  private let log = Logger(module: "Pipeline")
  private let labels: [String]

  init(_ partition: PartitionID, rules: [RulePlan], _ registry: MetricsRegistry) {
    let labels = [partition.topic, String(partition.number)]
    self.labels = labels
    self.registry = registry
    records = registry.counter(PipelineMetrics.records, labels)
    bytes = registry.counter(PipelineMetrics.recordBytes, labels)
    replayed = registry.counter(PipelineMetrics.replayed, labels)
    late = registry.counter(PipelineMetrics.late, labels)
    offset = registry.gauge(PipelineMetrics.offset, labels)
    watermark = registry.gauge(PipelineMetrics.watermark, labels)
    stages = Stage.allCases.map { registry.histogram(PipelineMetrics.stageSeconds, [$0.rawValue]) }
    self.rules = rules.map { rule in
      let id = [rule.id]
      func state(_ name: String) -> Counter { registry.counter(PipelineMetrics.alerts, [rule.id, name]) }
      return Rule(
        id: rule.id, selected: registry.counter(PipelineMetrics.selected, id),
        nullKeys: registry.counter(PipelineMetrics.nullKeys, id),
        errors: registry.counter(PipelineMetrics.ruleErrors, id),
        evicted: registry.counter(PipelineMetrics.evicted, id),
        unopened: registry.counter(PipelineMetrics.unopened, id), opened: state("opened"), updated: state("updated"),
        closed: state("closed"),
        excepted: rule.exceptions.map { registry.counter(PipelineMetrics.excepted, [rule.id, $0.reason]) },
        stateBytes: registry.gauge(PipelineMetrics.stateBytes, id + labels),
        keys: registry.gauge(PipelineMetrics.keys, id + labels),
        episodes: registry.gauge(PipelineMetrics.episodes, id + labels))
    }
  }

  func stage(_ stage: Stage, nanoseconds: Int64) {
    guard let place = Stage.allCases.firstIndex(of: stage) else { return }
    stages[place].observe(Double(nanoseconds) / 1e9)
  }

  func batch(records: Int, bytes: Int, replayed: Int, late: Int, next: Int64, watermark: Int64) {
    self.records.add(Int64(records))
    self.bytes.add(Int64(bytes))
    if replayed > 0 { self.replayed.add(Int64(replayed)) }
    if late > 0 { self.late.add(Int64(late)) }
    reached(next)
    if watermark > .min { self.watermark.set(Double(watermark) / 1e9) }
  }

  func reached(_ next: Int64) { offset.set(Double(next)) }

  func failures(_ failures: [DecodeFailure]) {
    for failure in failures {
      registry.counter(PipelineMetrics.deadLetters, labels + [failure.reason.rawValue]).add()
    }
  }

  func rules(_ counts: [RuleCounts], isReplaying: Bool) {
    guard !isReplaying else { return }
    for (rule, count) in zip(rules, counts) {
      rule.selected.add(Int64(count.selected))
      add(count.nullKeys, to: rule.nullKeys)
      add(count.errors, to: rule.errors)
      add(count.evicted + count.refused, to: rule.evicted)
      add(count.unopened, to: rule.unopened)
      tellBounds(rule.id, count)
      add(count.opened, to: rule.opened)
      add(count.updated, to: rule.updated)
      add(count.closed, to: rule.closed)
      for (counter, number) in zip(rule.excepted, count.excepted) { add(number, to: counter) }
    }
  }

  /// What goes beyond a bound is missing from what is detected.
  private func tellBounds(_ rule: String, _ counts: RuleCounts) {
    func tell(_ number: Int, _ text: String, _ setting: String) {
      guard number > 0 else { return }
      log.warning(
        text, ["rule": rule, "topic": labels[0], "partition": labels[1], "count": "\(number)", "setting": setting])
    }
    tell(counts.evicted, "a rule's state is at its bound: the oldest keys make room", "limits.state_bytes")
    tell(counts.refused, "a rule's state is at its bound: events are left out", "limits.state_bytes")
    tell(counts.unopened, "alerts were not opened: as many are open as may be", "limits.episodes")
  }

  private func add(_ number: Int, to counter: Counter) {
    if number > 0 { counter.add(Int64(number)) }
  }

  func sizes(_ sizes: [(stateBytes: Int, keys: Int, episodes: Int)]) {
    for (rule, size) in zip(rules, sizes) {
      rule.stateBytes.set(Double(size.stateBytes))
      rule.keys.set(Double(size.keys))
      rule.episodes.set(Double(size.episodes))
    }
  }
}
