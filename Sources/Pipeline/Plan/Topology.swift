internal import Detection
internal import Events
internal import Expressions

/// What runs where. A windowed rule must see every event of its key in one place: where its `by` holds the field that the
/// source topic is partitioned on, that is the task that reads the event (the rule is *fused*); else the event's columns cross
/// an *exchange*, an internal topic that is partitioned on the rule's key.
public struct Topology: Sendable {
  /// What runs in the tasks that read the source: the whole plan with the fused rules only.
  public var source: PipelinePlan
  /// The exchanges, in the order in which the file's rules ask for them.
  public var exchanges: [ExchangePlan]
  /// Where each rule of the plan runs and why, by its number in the plan.
  public var placements: [RulePlacement]

  /// The topology of a plan.
  ///
  /// - Parameter group: the consumer group, after which the exchanges' topics are named so that two groups never share one;
  ///   nil: what the file says, else the pipeline's name.
  public init(_ plan: PipelinePlan, group: String? = nil) {
    let prefix = group ?? plan.properties["group.id"] ?? plan.name
    let placements = plan.rules.map { RulePlacement($0, plan) }
    self.placements = placements
    source = plan.selecting(placements.indices.filter { placements[$0].key == nil })
    var keys: [[String]] = []
    for key in placements.compactMap(\.key) where !keys.contains(key) { keys.append(key) }
    exchanges = keys.enumerated().map { number, key in
      ExchangePlan(
        number: number, prefix: prefix, key: key, rules: placements.indices.filter { placements[$0].key == key },
        of: plan)
    }
  }

  /// The topology with its exchanges in the order of these topics, by which a process numbers them; those that are not among
  /// them are left out.
  func arranged(like topics: [String]) -> Topology {
    var topology = self
    topology.exchanges = topics.enumerated().compactMap { number, topic in
      var found = exchange(ofTopic: topic)
      found?.number = number
      return found
    }
    return topology
  }

  /// The exchange whose topic has this name.
  public func exchange(ofTopic topic: String) -> ExchangePlan? { exchanges.first { $0.topic == topic } }
}

/// Where a rule runs, and why.
public struct RulePlacement: Sendable, Hashable {
  /// Why a rule runs where it runs.
  public enum Reason: Sendable, Hashable {
    /// An event rule without `by`: it looks at one event at a time.
    case singleEvents
    /// An event rule with `by` and without `keep_firing_for`: each of its alerts ends with the event that opened it.
    case momentary
    /// The key holds the field that the source is partitioned on.
    case sourceKey(String)
    /// The source does not say what it is partitioned on: the rule is right only where all events of a key are in one partition.
    case keyNotSaid
    /// The key does not hold the field that the source is partitioned on.
    case otherKey(source: String)
  }

  /// The rule's id.
  public var rule: String
  /// The fields of the exchange's key; nil: the rule is fused.
  public var key: [String]?
  /// Why.
  public var reason: Reason

  init(_ rule: RulePlan, _ plan: PipelinePlan) {
    self.rule = rule.id
    let fields = rule.keySlots.map { plan.schema.fields[$0].name }
    if fields.isEmpty {
      reason = .singleEvents
    } else if let source = plan.source.key {
      if fields.contains(source) {
        reason = .sourceKey(source)
      } else if case .event = rule.kind, rule.keepFiring == 0 {
        reason = .momentary
      } else {
        reason = .otherKey(source: source)
        key = fields
      }
    } else {
      reason = .keyNotSaid
    }
  }

  /// The reason as a person reads it.
  public var explanation: String {
    switch reason {
    case .singleEvents: "fused: it looks at one event at a time"
    case .momentary: "fused: without `keep_firing_for` an alert of it ends with its event"
    case .sourceKey(let field): "fused: its `by` holds `\(field)`, which the source is partitioned on"
    case .keyNotSaid: "fused: the source does not say what it is partitioned on"
    case .otherKey(let field):
      "exchanged: its `by` (\((key ?? []).joined(separator: ", "))) does not hold `\(field)`, which the source is "
        + "partitioned on"
    }
  }
}

/// An exchange: the topic through which events come to rules of another key.
public struct ExchangePlan: Sendable {
  /// Its place in `Topology.exchanges`.
  public var number: Int
  /// `GROUP.by-FIELD[-FIELD]`, where the group is the pipeline's name unless `group.id` is set.
  public var topic: String
  /// The fields of the key, in the order of the rules' `by`.
  public var key: [String]
  /// Their slots.
  public var keySlots: [Int]
  /// The slots of the fields that cross, rising; the event's time crosses in any case and is not among them.
  public var columnSlots: [Int]
  /// The numbers of its rules in the whole plan.
  public var rules: [Int]
  /// What runs in the tasks that read it: the whole plan with these rules only, and nothing left to compute.
  public var plan: PipelinePlan
  /// The topic's number of partitions; nil: the source's.
  public var partitions: Int?

  init(number: Int, prefix: String, key: [String], rules: [Int], of plan: PipelinePlan) {
    self.number = number
    self.key = key
    self.rules = rules
    topic = "\(prefix).by-\(key.joined(separator: "-"))"
    keySlots = key.compactMap { plan.schema.slot(of: $0) }
    let needed = rules.reduce(into: Set<Int>()) { $0.formUnion(plan.rules[$1].slots) }
    columnSlots = needed.filter { $0 < plan.schema.fields.count && $0 != plan.schema.timeField }.sorted()
    partitions = plan.exchange.partitions
    var downstream = plan.selecting(rules)
    downstream.derived = []
    downstream.limits.batchRecords = BlockStage.batchRows
    for place in downstream.rules.indices { downstream.rules[place].isPrefiltered = true }
    self.plan = downstream
  }
}

extension PipelinePlan {
  /// The plan with some of its rules only.
  func selecting(_ numbers: [Int]) -> PipelinePlan {
    var plan = self
    plan.rules = numbers.map { rules[$0] }
    plan.descriptions = numbers.map { descriptions[$0] }
    plan.identities = numbers.map { identities[$0] }
    return plan
  }
}

extension RulePlan {
  /// The slots of the fields that it reads and shows; some may be those of its own `let`s and aggregates.
  var slots: Set<Int> {
    let programs =
      filters + exceptions.map(\.condition) + severities.compactMap(\.condition) + message.programs + windowPrograms
    var slots = Set(keySlots + memberships.map(\.slot))
    if evidenceLimit > 0 { slots.formUnion(evidenceSlots) }
    for program in programs { slots.formUnion(program.slots) }
    return slots
  }
}

/// How exchanges are run.
public struct ExchangeSettings: Sendable, Hashable {
  /// Partitions of each exchange's topic; nil: as many as the source has.
  public var partitions: Int?
  /// How far a partition of the source may run ahead of the slowest one in event time before it waits, in nanoseconds.
  public var lead: Int64 = 3_600_000_000_000
  /// For how long events are gathered into a block, in nanoseconds of processing time.
  public var gather: Int64 = 50_000_000

  /// The documented defaults.
  public init() {}
}
