public import Events

/// All that one alert says. Times are nanoseconds since 1970 of event time; there is no wall-clock time in it.
public struct AlertRecord: Sendable, Hashable {
  /// Who speaks.
  public var pipeline: Pipeline
  /// The rule that found it.
  public var rule: Rule
  /// The episode, and where in its life it stands.
  public var episode: Episode
  /// Whom it is about.
  public var subject: Subject
  /// How grave it is.
  public var severity: Severity
  /// The event time at which this alert was raised: that of the event that caused it; for a close, the time that passed.
  public var eventTime: Int64
  /// The time of the episode's first event.
  public var firstSeen: Int64
  /// The time of the episode's last event so far.
  public var lastSeen: Int64
  /// The sentence a person reads.
  public var message: String
  /// Why: each condition with what was observed.
  public var conditions: [Condition]
  /// The rule's `let` values in the file's order.
  public var values: [NamedScalar]
  /// The window that was looked at; nil for an event rule.
  public var window: Window?
  /// Records as evidence, oldest first.
  public var evidence: [Evidence]
  /// What was found in tables.
  public var hits: [TableHit]
  /// The version of each table in force, by the table's name.
  public var tables: [String: String]
  /// The `traceparent` header of the record that caused it; one that is not of the W3C's form is left out of the alert.
  public var traceParent: String?
  /// What an alert about crypto assets says besides.
  public var crypto: Crypto?

  /// Makes a record; what is not given is empty.
  public init(
    pipeline: Pipeline, rule: Rule, episode: Episode, subject: Subject, severity: Severity, eventTime: Int64,
    firstSeen: Int64, lastSeen: Int64, message: String, conditions: [Condition] = [], values: [NamedScalar] = [],
    window: Window? = nil, evidence: [Evidence] = [], hits: [TableHit] = [], tables: [String: String] = [:],
    traceParent: String? = nil, crypto: Crypto? = nil
  ) {
    self.pipeline = pipeline
    self.rule = rule
    self.episode = episode
    self.subject = subject
    self.severity = severity
    self.eventTime = eventTime
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
    self.message = message
    self.conditions = conditions
    self.values = values
    self.window = window
    self.evidence = evidence
    self.hits = hits
    self.tables = tables
    self.traceParent = traceParent
    self.crypto = crypto
  }
}

extension AlertRecord {
  /// The pipeline that raised an alert.
  public struct Pipeline: Sendable, Hashable {
    /// `pipeline:` of the file; part of every id.
    public var name: String
    /// `sha256:` and the SHA-256 of the file in hex digits.
    public var version: String
    /// Tocsin's own version.
    public var productVersion: String
    /// The organisation's part of `ce_source`, such as `//bank.example/tocsin`, without a slash at its end.
    public var alertSource: String

    /// A pipeline.
    public init(name: String, version: String, productVersion: String, alertSource: String) {
      self.name = name
      self.version = version
      self.productVersion = productVersion
      self.alertSource = alertSource
    }
  }

  /// Whom an alert is about.
  public struct Subject: Sendable, Hashable {
    /// The kind of thing, such as `wallet`; `event` for a rule without `by`.
    public var entity: String
    /// Its id as text; `topic/partition/offset` for a rule without `by`.
    public var value: String
    /// The type of the field it stands in.
    public var type: FieldType
    /// All parts of the key by their fields' names, the subject's own first; empty for a rule without `by`.
    public var key: [NamedScalar]

    /// A subject.
    public init(entity: String, value: String, type: FieldType = .string, key: [NamedScalar]) {
      self.entity = entity
      self.value = value
      self.type = type
      self.key = key
    }
  }

  /// What an alert about crypto assets says besides.
  public struct Crypto: Sendable, Hashable {
    /// How near the subject is to what was found.
    public enum Exposure: String, Sendable, Hashable, CaseIterable {
      /// It dealt with it itself.
      case direct
      /// Others stand between.
      case indirect
    }

    /// The chain, such as `bitcoin`.
    public var chain: String?
    /// The asset, such as `BTC`.
    public var asset: String?
    /// The address that the alert is about.
    public var address: String
    /// How near the subject is to it.
    public var exposure: Exposure

    /// What is known.
    public init(chain: String? = nil, asset: String? = nil, address: String, exposure: Exposure) {
      self.chain = chain
      self.asset = asset
      self.address = address
      self.exposure = exposure
    }
  }
}

/// A value and its name.
public struct NamedScalar: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// The value.
  public var value: Scalar

  /// A named value.
  public init(_ name: String, _ value: Scalar) {
    self.name = name
    self.value = value
  }
}
