public import Events
public import Expressions

/// What a rule has to tell: an alert opened, was updated, or closed. Only these rare things become values of their own.
public struct Finding: Sendable, Hashable {
  /// What became of the episode.
  public enum Transition: String, Sendable, Hashable {
    case opened, updated, closed
  }

  /// The rule's number in the plan.
  public var rule: Int
  /// The offset, in the log that is read, of the record that caused it. A close is caused by the one that moved the
  /// watermark past its time.
  public var cause: Int64
  /// The `RecordBatch.Record.order` of that record: of several events in one block, which.
  public var order: Int64
  /// What became of the episode.
  public var transition: Transition
  /// When, in event time: of the causing event, or the time at which the episode ended. Nanoseconds since 1970.
  public var time: Int64
  /// The episode after it.
  public var episode: EpisodeState
  /// The sentence a person reads.
  public var message: String
  /// What each condition saw.
  public var observations: [Observation]
  /// The rule's `let`s, by name.
  public var values: [NamedValue]
  /// The window that was looked at, in nanoseconds since 1970; nil: none. A trailing one ends with the causing event, which
  /// is in it; of the others the end is not.
  public var window: TimeRange?
  /// Table entries that were hit.
  public var hits: [TableHit]
  /// The events that led to it, oldest first; the causing one last where there is one.
  public var evidence: [Evidence]

  /// A stretch of event time in nanoseconds since 1970.
  public struct TimeRange: Sendable, Hashable {
    /// Included.
    public var start: Int64
    /// Not included, but for a trailing window.
    public var end: Int64
  }

  /// A value with its name.
  public struct NamedValue: Sendable, Hashable {
    /// The name that the file gives it.
    public var name: String
    /// The value; nil where it has none.
    public var value: Scalar?
  }
}

/// How an episode stands.
public struct EpisodeState: Sendable, Hashable {
  /// The event time at which it opened, in nanoseconds since 1970.
  public var opened: Int64
  /// Where the record that opened it stands in the source topic.
  public var opening: EventOrigin
  /// 0 for the opening, one more for each that follows.
  public var revision: Int
  /// The key's values in the order of `by`; empty for a rule without `by`.
  public var key: [Scalar]
  /// The gravest that it has been.
  public var severity: Severity
  /// Events of the key in the window at the opening, and since.
  public var eventCount: Int64
  /// The earliest event time of them, in nanoseconds since 1970.
  public var firstSeen: Int64
  /// The latest event time of them, in nanoseconds since 1970.
  public var lastSeen: Int64
  /// Events since the last telling that did not cause an update of their own.
  public var heldBack: Int64
}

/// What a condition saw.
public struct Observation: Sendable, Hashable {
  /// The condition as it stands in the file.
  public var text: String
  /// The left side's text, where the condition is a comparison.
  public var metric: String?
  /// The left side's value.
  public var observed: Scalar?
  /// The comparison's operator.
  public var `operator`: String?
  /// The right side's value.
  public var threshold: Scalar?
  /// What the metric is, where it is a `let`: `sum(usd)`.
  public var of: String?
}

/// How often what happened in one rule; a batch's numbers, to be added up by whoever counts.
public struct RuleCounts: Sendable, Hashable {
  /// Events that the rule's filters let through, less the excepted ones.
  public var selected = 0
  /// Events that an exception let go, by its place in the rule.
  public var excepted: [Int]
  /// Events whose key is null.
  public var nullKeys = 0
  /// Events for which a filter or a condition had no value.
  public var errors = 0
  /// Alerts opened.
  public var opened = 0
  /// Alerts updated.
  public var updated = 0
  /// Alerts closed.
  public var closed = 0
  /// Generations of windows dropped because the rule's state had reached its bound.
  public var evicted = 0
  /// Events kept out of their window because the rule's state had reached its bound and held nothing older.
  public var refused = 0
  /// Episodes not opened because so many were open.
  public var unopened = 0

  /// Zeros.
  public init(exceptions: Int) { excepted = Array(repeating: 0, count: exceptions) }
}
