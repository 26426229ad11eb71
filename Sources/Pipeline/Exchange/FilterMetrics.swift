internal import Detection
internal import Telemetry

/// At the source of an exchange: what the filters of the rules behind it let go.
struct FilterMetrics {
  private let rules: [(nullKeys: Counter, errors: Counter, excepted: [Counter])]

  init(_ rules: [RulePlan], _ registry: MetricsRegistry) {
    self.rules = rules.map { rule in
      (
        registry.counter(PipelineMetrics.nullKeys, [rule.id]), registry.counter(PipelineMetrics.ruleErrors, [rule.id]),
        rule.exceptions.map { registry.counter(PipelineMetrics.excepted, [rule.id, $0.reason]) }
      )
    }
  }

  func add(_ counts: [RuleCounts]) {
    for (rule, count) in zip(rules, counts) {
      if count.nullKeys > 0 { rule.nullKeys.add(Int64(count.nullKeys)) }
      if count.errors > 0 { rule.errors.add(Int64(count.errors)) }
      for (counter, number) in zip(rule.excepted, count.excepted) where number > 0 { counter.add(Int64(number)) }
    }
  }
}
