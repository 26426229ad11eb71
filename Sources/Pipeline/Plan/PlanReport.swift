internal import Detection
internal import Events

/// What `tocsin plan` says of a pipeline: what runs where, which topics there are, what state takes, and which rules keep
/// theirs where this takes another's place.
public struct PlanReport: Sendable, Encodable {
  /// What is done in one place: a topic is read and rules are run over it.
  public struct SubTopology: Sendable, Encodable {
    /// The topic that is read.
    public var reads: String
    /// The fields that it is partitioned on; empty: not said.
    public var key: [String]
    /// The rules that run there.
    public var rules: [PlacedRule]
    /// The topics that are written to.
    public var writes: [String]
  }

  /// A rule in its place.
  public struct PlacedRule: Sendable, Encodable {
    /// The rule's id.
    public var rule: String
    /// Whether it runs in the task that reads the source.
    public var isFused: Bool
    /// Why it runs there.
    public var why: String
  }

  /// A topic.
  public struct Topic: Sendable, Encodable {
    /// Its name.
    public var topic: String
    /// What it is for.
    public var role: String
    /// How many partitions it has, or will have; nil: not known here.
    public var partitions: Int?
    /// How many partitions it should have, in words.
    public var partitioning: String
  }

  /// What a rule's state takes.
  public struct StateEstimate: Sendable, Encodable {
    /// Bytes of a key.
    public var keyBytes: Int
    /// Bytes of a granule or window in which a key has events.
    public var pieceBytes: Int
    /// Most granules of a key.
    public var pieces: Int
    /// Bytes of an event of evidence.
    public var evidenceBytes: Int
    /// Most events of evidence.
    public var evidence: Int
    /// How the bytes are computed, in words.
    public var formula: String
    /// For how many keys.
    public var keys: Int
    /// Bytes where each key has one event.
    public var least: Int
    /// Bytes where each key has events in all granules, and as much evidence as it may have.
    public var most: Int
    /// The most that one partition keeps of it, in bytes; beyond, the oldest is dropped.
    public var bound: Int
    /// What is not in it.
    public var besides: String?
  }

  /// A rule.
  public struct Rule: Sendable, Encodable {
    /// Its id.
    public var rule: String
    /// `event` or the window as the file has it.
    public var kind: String
    /// The fields of its key.
    public var by: [String]
    /// What its state depends on, in hex digits: equal identity, kept state.
    public var identity: String
    /// What its window state takes; nil where it has none.
    public var state: StateEstimate?
  }

  /// What becomes of a rule's state.
  public struct Survival: Sendable, Encodable {
    /// The rule's id.
    public var rule: String
    /// `kept`, `stateless`, `anew`, `new` or `removed`.
    public var state: String
    /// The parts that changed.
    public var changed: [String]
    /// All that in words.
    public var sentence: String
  }

  /// The pipeline's name.
  public var pipeline: String
  /// The version of the file.
  public var version: String
  /// What runs where.
  public var subTopologies: [SubTopology]
  /// The topics.
  public var topics: [Topic]
  /// The rules.
  public var rules: [Rule]
  /// What becomes of the rules' state; nil where nothing is compared.
  public var survival: [Survival]?
  /// The settings that a running process does not take over; nil where nothing is compared.
  public var needsRestart: [String]?

  /// Makes a report.
  ///
  /// - Parameters:
  ///   - keys: how many keys the estimates are for.
  ///   - group: the consumer group, after which internal topics are named; nil: what the file says, else the pipeline's name.
  ///   - partitions: the number of partitions of topics, as far as it is known.
  ///   - old: the version that this one is to take the place of.
  public init(
    _ plan: PipelinePlan, keys: Int, group: String? = nil, partitions: [String: Int] = [:],
    against old: PipelinePlan? = nil
  ) {
    let topology = Topology(plan, group: group)
    pipeline = plan.name
    version = plan.version
    topics = Self.topics(plan, topology, group ?? plan.properties["group.id"] ?? plan.name, partitions)
    subTopologies = Self.subTopologies(plan, topology)
    rules = zip(plan.rules, plan.descriptions).map { rule, description in
      Rule(
        rule: rule.id, kind: description.window ?? "event", by: Self.names(rule, plan),
        identity: SHA256.hexDigits(rule.identity), state: StateEstimate(rule, keys: keys, bound: plan.limits.stateBytes)
      )
    }
    guard let old else { return }
    survival = StateSurvival(from: old, to: plan).rules.map { Survival($0) }
    needsRestart = ReloadDecision.fixedSettings(old, plan)
  }

  private static func names(_ rule: RulePlan, _ plan: PipelinePlan) -> [String] {
    rule.keySlots.map { plan.schema.fields[$0].name }
  }

  private static func subTopologies(_ plan: PipelinePlan, _ topology: Topology) -> [SubTopology] {
    func rules(_ key: [String]?) -> [PlacedRule] {
      topology.placements.filter { $0.key == key }.map {
        PlacedRule(rule: $0.rule, isFused: $0.key == nil, why: $0.explanation)
      }
    }
    let alerts = [plan.outputs.alerts]
    let rejected = [plan.outputs.late, plan.outputs.deadLetter].compactMap { $0 }
    let source = SubTopology(
      reads: plan.source.topic, key: plan.source.key.map { [$0] } ?? [], rules: rules(nil),
      writes: alerts + rejected + topology.exchanges.map(\.topic))
    return [source]
      + topology.exchanges.map { SubTopology(reads: $0.topic, key: $0.key, rules: rules($0.key), writes: alerts) }
  }

  private static func topics(
    _ plan: PipelinePlan, _ topology: Topology, _ group: String, _ partitions: [String: Int]
  ) -> [Topic] {
    func topic(_ name: String, _ role: String, _ partitioning: String, _ planned: Int? = nil) -> Topic {
      Topic(topic: name, role: role, partitions: partitions[name] ?? planned, partitioning: partitioning)
    }
    var topics = [topic(plan.source.topic, "source", "as it is")]
    topics.append(topic(plan.outputs.alerts, "alerts", "any; --create-topics makes as many as the source has"))
    if let late = plan.outputs.late { topics.append(topic(late, "late events", "as alerts")) }
    if let dead = plan.outputs.deadLetter { topics.append(topic(dead, "dead letters", "as alerts")) }
    for exchange in topology.exchanges {
      topics.append(topic(exchange.topic, "exchange", "as many as the source has", exchange.partitions))
    }
    topics.append(topic("\(group).state", "state, compacted", "as many as the source has"))
    for exchange in topology.exchanges {
      topics.append(
        topic("\(exchange.topic).state", "state, compacted", "as many as the exchange has", exchange.partitions))
    }
    topics.append(topic("\(group).versions", "versions, compacted", "2"))
    return topics
  }
}

extension PlanReport.StateEstimate {
  init?(_ rule: RulePlan, keys: Int, bound: Int) {
    guard let layout = StateLayout(rule) else { return nil }
    self.bound = bound
    keyBytes = layout.keyBytes
    pieceBytes = layout.pieceBytes
    pieces = layout.pieces
    evidenceBytes = layout.evidenceBytes
    evidence = layout.evidence
    formula =
      "keys x (\(keyBytes) + granules x \(pieceBytes)"
      + (evidence > 0 ? " + events of evidence x \(evidenceBytes))" : ")")
    self.keys = keys
    least = layout.bytes(keys: keys, pieces: 1, evidence: 1)
    most = layout.bytes(keys: keys, pieces: pieces, evidence: evidence)
    besides = layout.isOpen ? "different values and texts that aggregates keep" : nil
  }
}

extension PlanReport.Survival {
  init(_ rule: StateSurvival.Rule) {
    self.rule = rule.id
    sentence = rule.sentence
    changed = []
    switch rule.fate {
    case .kept: state = "kept"
    case .stateless: state = "stateless"
    case .new: state = "new"
    case .removed: state = "removed"
    case .anew(let parts):
      state = "anew"
      changed = parts
    }
  }
}
