public import Events
public import Expressions

/// A rule, checked and resolved: all that detection needs to run it.
///
/// **Slots.** A rule's programs read one frame: the fields of the schema come first, at their own slots; for a window rule
/// its `let`s follow (at `schema.fields.count`, in the file's order), then its aggregates, in the order in which the `let`s
/// name them.
public struct RulePlan: Sendable {
  /// The rule's id in the pipeline file.
  public var id: String
  /// What its state is known by (16 bytes): two rules of equal identity, one after the other, share it. By default a digest
  /// of the id.
  public var identity: [UInt8]
  /// Conditions on one event (`where`); all must hold. Empty: every event.
  public var filters: [Program]
  /// Events that are let through although the filters hold (`except`).
  public var exceptions: [ExceptionPlan]
  /// Slots of the fields that make the key (`by`); the first is the subject. Empty: an event rule without `by`.
  public var keySlots: [Int]
  /// What is watched.
  public var kind: Kind
  /// How grave, gravest first: the first that holds counts.
  public var severities: [SeverityStep]
  /// The sentence a person reads.
  public var message: Template
  /// How long the condition must have held before an alert opens (`for`), in nanoseconds of event time.
  public var pending: Int64
  /// How long the condition must have been false before an alert closes (`keep_firing_for`), in nanoseconds of event time.
  public var keepFiring: Int64
  /// The shortest time between two updates of one episode, in nanoseconds of event time.
  public var updateEvery: Int64
  /// How many events an alert carries as evidence, the causing one among them; 0: only where it stands, none of its fields.
  public var evidenceLimit: Int
  /// Slots of the fields that evidence shows.
  public var evidenceSlots: [Int]

  /// The questions whether a field is in a table that it asks, of the event that causes an alert: each that is answered yes
  /// is told with the alert. At first those of its own expressions.
  public var memberships: [Program.Membership] = []

  /// Whether another task has run the filters already and counted what they let go: the rule runs behind an exchange.
  public var isPrefiltered = false

  /// What a rule watches.
  public enum Kind: Sendable {
    /// One event.
    case event
    /// The events of one key in a window of event time.
    case window(WindowPlan)
  }

  /// Makes a plan; the pipeline file's reader has checked what it says.
  public init(
    id: String, filters: [Program], exceptions: [ExceptionPlan] = [], keySlots: [Int] = [], kind: Kind,
    severities: [SeverityStep], message: Template, pending: Int64 = 0, keepFiring: Int64 = 0, updateEvery: Int64 = 0,
    evidenceLimit: Int = 10, evidenceSlots: [Int] = [], identity: [UInt8]? = nil
  ) {
    self.id = id
    self.identity = identity ?? Array(SHA256.digest([Array(id.utf8)]).prefix(16))
    self.filters = filters
    self.exceptions = exceptions
    self.keySlots = keySlots
    self.kind = kind
    self.severities = severities
    self.message = message
    self.pending = pending
    self.keepFiring = keepFiring
    self.updateEvery = updateEvery
    self.evidenceLimit = evidenceLimit
    self.evidenceSlots = evidenceSlots
    addMemberships(of: filters + windowPrograms + severities.compactMap(\.condition))
  }

  /// The expressions of its window: what aggregates take in, its `let`s, and its conditions.
  public var windowPrograms: [Program] {
    guard case .window(let window) = kind else { return [] }
    return window.aggregates.flatMap { [$0.argument, $0.filter].compactMap { $0 } } + window.lets.map(\.program)
      + window.conditions
  }

  /// Adds what further expressions ask, as those of derived fields that it reads.
  public mutating func addMemberships(of programs: [Program]) {
    for membership in programs.flatMap(\.memberships) where !memberships.contains(membership) {
      memberships.append(membership)
    }
  }
}

/// One step of a severity ladder.
public struct SeverityStep: Sendable {
  /// The severity that this step gives.
  public var severity: Severity
  /// When; nil: always.
  public var condition: Program?

  /// A step.
  public init(_ severity: Severity, when condition: Program? = nil) {
    self.severity = severity
    self.condition = condition
  }
}

/// Events that a rule does not count, and why.
public struct ExceptionPlan: Sendable {
  /// Which events.
  public var condition: Program
  /// Why, as the file says.
  public var reason: String
  /// The ticket that allows it.
  public var ticket: String?
  /// From this event time on (nanoseconds since 1970) the exception is no longer in force; nil: it stays.
  public var until: Int64?

  /// An exception.
  public init(condition: Program, reason: String, ticket: String? = nil, until: Int64? = nil) {
    self.condition = condition
    self.reason = reason
    self.ticket = ticket
    self.until = until
  }
}

/// A window, what is computed over its events, and when that is an alert.
public struct WindowPlan: Sendable {
  /// Which events of a key stand together.
  public var span: WindowSpan
  /// The functions over the window's events; their results stand at the slots from `firstAggregateSlot` on.
  public var aggregates: [AggregateCall]
  /// The slot of the first aggregate.
  public var firstAggregateSlot: Int
  /// The rule's `let`s in order; each stands at `firstLetSlot` and on.
  public var lets: [LetPlan]
  /// The slot of the first `let`.
  public var firstLetSlot: Int
  /// All must hold.
  public var conditions: [Program]

  /// A window.
  public init(
    span: WindowSpan, aggregates: [AggregateCall], firstAggregateSlot: Int, lets: [LetPlan], firstLetSlot: Int,
    conditions: [Program]
  ) {
    self.span = span
    self.aggregates = aggregates
    self.firstAggregateSlot = firstAggregateSlot
    self.lets = lets
    self.firstLetSlot = firstLetSlot
    self.conditions = conditions
  }
}

/// A named value of a window.
public struct LetPlan: Sendable {
  /// Its name.
  public var name: String
  /// What it is, made of aggregates, earlier names and the event that just came.
  public var program: Program

  /// A named value.
  public init(name: String, program: Program) {
    self.name = name
    self.program = program
  }
}

/// Which events of a key stand together.
public enum WindowSpan: Sendable, Hashable {
  /// The `span` nanoseconds that end with each event, kept in granules of `granule` nanoseconds: the window holds at most
  /// one granule too much, never too little.
  case trailing(span: Int64, granule: Int64)
  /// Windows of so many nanoseconds, one after the other, from 1970-01-01T00:00:00Z.
  case tumbling(Int64)
  /// The calendar's days, weeks (from Monday) or months in a time zone, which is one of the tz database.
  case calendar(CalendarUnit, zone: String)

  /// The share of a trailing window's span that one granule is.
  public static let granulesInSpan: Int64 = 60

  /// A trailing window with the usual granule.
  public static func trailing(_ span: Int64) -> WindowSpan {
    .trailing(span: span, granule: max(1, span / granulesInSpan + (span % granulesInSpan == 0 ? 0 : 1)))
  }
}

/// A unit of the calendar that a window may be.
public enum CalendarUnit: String, Sendable, Hashable, CaseIterable {
  case day, week, month
}
