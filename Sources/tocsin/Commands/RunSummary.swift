import Detection
import Pipeline
import Telemetry

/// What came of a run, in numbers.
struct RunSummary {
  /// What came of one rule.
  struct Rule {
    var id: String
    /// Alerts by what became of them.
    var alerts: [(state: String, count: Int64)]
    /// Events that it took in.
    var events: Int64
    /// What should not be, as far as it was: a field's name, what a person reads, how often.
    var notes: [(field: String, text: String, count: Int64)]
    /// Events that exceptions let go, by reason, with the ticket that allows it.
    var excepted: [(reason: String, ticket: String?, count: Int64)]
  }

  let seconds: Double
  /// Events of the source, those that were read again included: what crosses an exchange is no event of its own.
  let events: Int64
  let replayed: Int64
  let late: Int64
  let deadLetters: Int64
  let commits: Int64
  /// The rules of the plan in its order, then those that a changed file brought in.
  let rules: [Rule]

  /// - Parameter plan: the one that the run began with.
  init(_ registry: MetricsRegistry, _ plan: PipelinePlan, seconds: Double) {
    self.seconds = seconds
    events = Self.eventsRead(registry, plan)
    replayed = registry.total(PipelineMetrics.replayed, where: ["topic": plan.source.topic])
    late = registry.total(PipelineMetrics.late)
    deadLetters = registry.total(PipelineMetrics.deadLetters)
    commits = registry.total(PipelineMetrics.transactions)
    let ids = plan.rules.map(\.id)
    let later = registry.values(of: "rule", in: PipelineMetrics.selected).filter { !ids.contains($0) }
    rules = (ids + later).map { id in
      Self.rule(id, plan.rules.first { $0.id == id }?.exceptions ?? [], registry)
    }
  }

  /// Events of the source that have been read so far.
  static func eventsRead(_ registry: MetricsRegistry, _ plan: PipelinePlan) -> Int64 {
    registry.total(PipelineMetrics.records, where: ["topic": plan.source.topic])
  }

  private static func rule(_ id: String, _ exceptions: [ExceptionPlan], _ registry: MetricsRegistry) -> Rule {
    func total(_ declaration: MetricDeclaration, _ labels: [String: String] = [:]) -> Int64 {
      registry.total(declaration, where: labels.merging(["rule": id]) { $1 })
    }
    let notes: [(String, MetricDeclaration, String)] = [
      ("without_value", PipelineMetrics.ruleErrors, "without a value"),
      ("without_key", PipelineMetrics.nullKeys, "without a key"),
      ("evictions", PipelineMetrics.evicted, "evictions: state was at its bound"),
      ("not_opened", PipelineMetrics.unopened, "not opened: too many were open"),
    ]
    let later = registry.values(of: "reason", in: PipelineMetrics.excepted, where: ["rule": id])
      .filter { reason in !exceptions.contains { $0.reason == reason } }
    let excepted = exceptions.map { ($0.reason, $0.ticket) } + later.map { ($0, nil) }
    return Rule(
      id: id, alerts: ["opened", "updated", "closed"].map { ($0, total(PipelineMetrics.alerts, ["state": $0])) },
      events: total(PipelineMetrics.selected),
      notes: notes.map { ($0.0, $0.2, total($0.1)) }.filter { $0.2 > 0 },
      excepted: excepted.map { ($0, $1, total(PipelineMetrics.excepted, ["reason": $0])) })
  }

  /// For a person.
  var text: String {
    var lines = [
      "\(events) events read in \(Self.text(seconds)) s" + (replayed > 0 ? ", \(replayed) of them again" : "")
        + "; \(late) late, \(deadLetters) dead letters, \(commits) commits"
    ]
    for rule in rules {
      let alerts = rule.alerts.map { "\($0.count) \($0.state)" }.joined(separator: ", ")
      let notes = rule.notes.map { "; \($0.count) \($0.text)" }.joined()
      lines.append("  \(rule.id): \(alerts); \(rule.events) events\(notes)")
      lines += rule.excepted.map { excepted in
        "    \(excepted.count) excepted: \(excepted.reason)" + (excepted.ticket.map { " (\($0))" } ?? "")
      }
    }
    return lines.joined(separator: "\n")
  }

  /// For the log: a field for each number, those of a rule as `rule.ID.NAME`.
  var fields: [String: String] {
    var fields = [
      "seconds": Self.text(seconds), "events": "\(events)", "replayed": "\(replayed)", "late": "\(late)",
      "dead_letters": "\(deadLetters)", "commits": "\(commits)",
    ]
    for rule in rules {
      let name = "rule.\(rule.id)."
      for alerts in rule.alerts { fields[name + alerts.state] = "\(alerts.count)" }
      fields[name + "events"] = "\(rule.events)"
      for note in rule.notes { fields[name + note.field] = "\(note.count)" }
      if !rule.excepted.isEmpty { fields[name + "excepted"] = "\(rule.excepted.reduce(0) { $0 + $1.count })" }
    }
    return fields
  }

  private static func text(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }
}
