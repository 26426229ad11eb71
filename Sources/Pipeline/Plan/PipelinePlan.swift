public import Detection
public import Events
public import Expressions
public import Tables

/// A pipeline file, checked and resolved: all that it takes to run it. It knows nothing of the file any more.
public struct PipelinePlan: Sendable {
  /// `pipeline:`, part of every alert's identity.
  public var name: String
  /// `sha256:` and the SHA-256 of the file's bytes in hex digits.
  public var version: String
  /// Where events come from.
  public var source: SourcePlan
  /// The fields of an event.
  public var schema: Schema
  /// The fields that are computed from others, in an order in which each finds what it reads.
  public var derived: [DerivedFieldPlan]
  /// The tables by their number in expressions.
  public var tables: [TableSource]
  /// The rules that run (`mode: off` is left out), in the file's order.
  public var rules: [RulePlan]
  /// What alerts of each rule say besides, by the rule's number.
  public var descriptions: [RuleDescription]
  /// What the state of each rule depends on, by the rule's number.
  public var identities: [StateIdentity]
  /// The topics that are written to.
  public var outputs: OutputsPlan
  /// What is promised.
  public var delivery: Delivery
  /// librdkafka's properties, as the file gives them.
  public var properties: [String: String]
  /// The bounds.
  public var limits: PipelineLimits
  /// How state is kept.
  public var snapshot: SnapshotPlan
  /// Whether topics of the pipeline's own are made where they are missing.
  public var internalTopics: InternalTopics
  /// How exchanges are run, where there are any.
  public var exchange = ExchangeSettings()
  /// The file's expressions as they were read, for `check --explain`: where each stands, and its text and type.
  public var expressions: [ExplainedExpression]

  /// Makes a plan.
  public init(
    name: String, version: String, source: SourcePlan, schema: Schema, derived: [DerivedFieldPlan],
    tables: [TableSource], rules: [RulePlan], descriptions: [RuleDescription], identities: [StateIdentity],
    outputs: OutputsPlan, delivery: Delivery, properties: [String: String], limits: PipelineLimits,
    expressions: [ExplainedExpression],
    snapshot: SnapshotPlan = SnapshotPlan(), internalTopics: InternalTopics = .create
  ) {
    self.name = name
    self.version = version
    self.source = source
    self.schema = schema
    self.derived = derived
    self.tables = tables
    self.rules = rules
    self.descriptions = descriptions
    self.identities = identities
    self.outputs = outputs
    self.delivery = delivery
    self.properties = properties
    self.limits = limits
    self.expressions = expressions
    self.snapshot = snapshot
    self.internalTopics = internalTopics
  }
}

/// How state is kept.
public struct SnapshotPlan: Sendable, Hashable {
  /// Between two snapshots of a partition, in nanoseconds.
  public var every: Int64
  /// The format that is written; one of `SnapshotCodec.formats`.
  public var format: Int

  /// What is not given has the documented default.
  public init(every: Int64 = 30_000_000_000, format: Int = 1) {
    self.every = every
    self.format = format
  }
}

/// What is done about topics of the pipeline's own that are missing.
public enum InternalTopics: String, Sendable, Hashable, CaseIterable {
  /// They are made.
  case create
  /// It is an error: somebody else makes them.
  case require
}

/// Where events come from, and how their time goes.
public struct SourcePlan: Sendable, Hashable {
  /// The source's name in the file.
  public var name: String
  /// The topic.
  public var topic: String
  /// The field that the topic is partitioned on; nil: not said.
  public var key: String?
  /// How far behind the largest time seen an event may lie and still count, in nanoseconds.
  public var outOfOrder: Int64
  /// After so long without a record a partition is taken for idle, in nanoseconds of processing time.
  public var idle: Int64

  /// Makes a source.
  public init(name: String, topic: String, key: String?, outOfOrder: Int64, idle: Int64) {
    self.name = name
    self.topic = topic
    self.key = key
    self.outOfOrder = outOfOrder
    self.idle = idle
  }
}

/// A field computed once an event.
public struct DerivedFieldPlan: Sendable {
  /// The field's slot.
  public var slot: Int
  /// What it is.
  public var program: Program

  /// Makes one.
  public init(slot: Int, program: Program) {
    self.slot = slot
    self.program = program
  }
}

/// What an alert says of its rule.
public struct RuleDescription: Sendable, Hashable {
  /// What is recommended; never carried out by Tocsin itself.
  public enum Action: String, Sendable, Hashable, CaseIterable {
    case none, review, hold, block
  }

  /// The rule's id.
  public var id: String
  /// `sha256:` and the SHA-256 of the rule as it stands in the file.
  public var version: String
  /// A few words; the id where the file gives none.
  public var title: String
  /// What it is about.
  public var description: String?
  /// The crimes that it points at, such as `money-laundering`.
  public var crimes: [String]
  /// Free words.
  public var tags: [String]
  /// Addresses to read on.
  public var references: [String]
  /// What to do about an alert.
  public var runbook: String?
  /// Who answers for the rule.
  public var owner: String?
  /// Points of risk that an alert stands for; nil: not said.
  public var risk: Int?
  /// What is recommended.
  public var action: Action
  /// The window as the file says it (`over: 24h`), for the alert; nil for an event rule.
  public var window: String?
  /// The kind of thing that the subject is, such as `wallet`: the entity of the first `by` field, else that field's name;
  /// for a rule without `by`, `event`.
  public var entity: String

  /// Makes one.
  public init(
    id: String, version: String, title: String, description: String? = nil, crimes: [String] = [],
    tags: [String] = [], references: [String] = [], runbook: String? = nil, owner: String? = nil, risk: Int? = nil,
    action: Action = .none, window: String? = nil, entity: String
  ) {
    self.id = id
    self.version = version
    self.title = title
    self.description = description
    self.crimes = crimes
    self.tags = tags
    self.references = references
    self.runbook = runbook
    self.owner = owner
    self.risk = risk
    self.action = action
    self.window = window
    self.entity = entity
  }
}

/// The topics that are written to.
public struct OutputsPlan: Sendable, Hashable {
  /// Where alerts go.
  public var alerts: String
  /// The organisation's part of `ce_source`, such as `//bank.example/tocsin`; without a slash at its end.
  public var alertSource: String
  /// Where late events go; nil: they are counted only.
  public var late: String?
  /// Where records go that can't be decoded; nil: they are counted only.
  public var deadLetter: String?

  /// Makes one.
  public init(alerts: String, alertSource: String, late: String? = nil, deadLetter: String? = nil) {
    self.alerts = alerts
    self.alertSource = alertSource
    self.late = late
    self.deadLetter = deadLetter
  }
}

/// What is promised about alerts.
public enum Delivery: String, Sendable, Hashable, CaseIterable {
  case exactlyOnce = "exactly_once"
  case atLeastOnce = "at_least_once"
}

/// Bounds, each with its unit.
public struct PipelineLimits: Sendable, Hashable {
  /// A record's value; a longer one is a dead letter. Bytes.
  public var recordBytes: Int
  /// How far an event's time may lie after its record's Kafka timestamp, in nanoseconds.
  public var future: Int64
  /// Window state of one rule in one partition, in bytes.
  public var stateBytes: Int
  /// Open episodes of one rule in one partition.
  public var episodes: Int
  /// Records in a batch.
  public var batchRecords: Int
  /// Outputs of one partition that wait to be settled, in bytes; beyond it the partition is not read on.
  public var unsettledBytes: Int

  /// Bounds; what is not given has the documented default.
  public init(
    recordBytes: Int = 1 << 20, future: Int64 = 86_400_000_000_000, stateBytes: Int = 256 << 20,
    episodes: Int = 100_000, batchRecords: Int = 512, unsettledBytes: Int = 8 << 20
  ) {
    self.recordBytes = recordBytes
    self.future = future
    self.stateBytes = stateBytes
    self.episodes = episodes
    self.batchRecords = batchRecords
    self.unsettledBytes = unsettledBytes
  }
}

/// An expression of the file as it was read.
public struct ExplainedExpression: Sendable, Hashable {
  /// Line in the file, from 1.
  public var line: Int
  /// What it is, such as `rule structuring, condition 1`.
  public var place: String
  /// The expression's text.
  public var text: String
  /// Its type.
  public var type: String

  /// Makes one.
  public init(line: Int, place: String, text: String, type: String) {
    self.line = line
    self.place = place
    self.text = text
    self.type = type
  }
}
