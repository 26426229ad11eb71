/// Whether a new version may take a running one's place.
public enum ReloadDecision: Sendable, Hashable {
  /// It is the same.
  case unchanged
  /// It changes what a running process can't change; a line for each setting.
  case refused([String])
  /// It may.
  case accepted(StateSurvival)

  /// Decides.
  ///
  /// - Parameters:
  ///   - running: the version that came into force last, or is about to.
  ///   - loaded: the one that was loaded without a mistake.
  public init(running: PipelineVersion, loaded: PipelineVersion) {
    if running.id == loaded.id {
      self = .unchanged
      return
    }
    let settings = Self.fixedSettings(running.plan, loaded.plan)
    guard settings.isEmpty else {
      self = .refused(settings.map { "`\($0)` can't change while the pipeline runs: restart it" })
      return
    }
    self = .accepted(StateSurvival(from: running.plan, to: loaded.plan))
  }

  /// The rules whose `by` needs an exchange that the other version does not have.
  private static func otherExchanges(_ old: PipelinePlan, _ new: PipelinePlan) -> [String] {
    let (before, after) = (Topology(old, group: old.name).placements, Topology(new, group: old.name).placements)
    func missing(_ placements: [RulePlacement], in others: [RulePlacement]) -> [String] {
      let keys = Set(others.compactMap(\.key))
      return placements.filter { placement in placement.key.map { !keys.contains($0) } ?? false }.map(\.rule)
    }
    var rules = missing(after, in: before)
    for rule in missing(before, in: after) where !rules.contains(rule) { rules.append(rule) }
    return rules.map { "by of rule \($0)" }
  }

  /// The settings that differ and that only a restart changes, as they are called in the file.
  static func fixedSettings(_ old: PipelinePlan, _ new: PipelinePlan) -> [String] {
    var names: [String] = []
    func compare<T: Equatable>(_ name: String, _ value: (PipelinePlan) -> T) {
      if value(old) != value(new) { names.append(name) }
    }
    let source = "sources.\(old.source.name)"
    compare("pipeline") { $0.name }
    compare("\(source).topic") { $0.source.topic }
    compare("\(source).key") { $0.source.key }
    compare("\(source).time.idle") { $0.source.idle }
    compare("outputs.alerts.topic") { $0.outputs.alerts }
    compare("outputs.late.topic") { $0.outputs.late }
    compare("outputs.dead_letter.topic") { $0.outputs.deadLetter }
    compare("delivery") { $0.delivery }
    for property in Set(old.properties.keys).union(new.properties.keys).sorted() {
      compare("librdkafka.\(property)") { $0.properties[property] }
    }
    compare("exchange") { $0.exchange }
    names += otherExchanges(old, new)
    compare("limits.batch_records") { $0.limits.batchRecords }
    compare("limits.unsettled_bytes") { $0.limits.unsettledBytes }
    return names
  }
}
