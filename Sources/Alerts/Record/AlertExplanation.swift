public import Events

extension AlertRecord {
  /// A condition that held, with what was observed.
  public struct Condition: Sendable, Hashable {
    /// The condition as it stands in the file.
    public var text: String
    /// The name that is compared; nil where the condition is no plain comparison.
    public var metric: String?
    /// What it was.
    public var observed: Scalar?
    /// How it is compared, such as `>=`.
    public var comparison: String?
    /// What it is compared with.
    public var threshold: Scalar?
    /// What the metric is, such as `count_distinct(to)`.
    public var aggregate: String?

    /// A condition.
    public init(
      text: String, metric: String? = nil, observed: Scalar? = nil, comparison: String? = nil,
      threshold: Scalar? = nil, aggregate: String? = nil
    ) {
      self.text = text
      self.metric = metric
      self.observed = observed
      self.comparison = comparison
      self.threshold = threshold
      self.aggregate = aggregate
    }
  }

  /// The window that was looked at.
  public struct Window: Sendable, Hashable {
    /// The window as the file says it: `over: 24h`, `per: 1d`.
    public var text: String
    /// Its start, in nanoseconds since 1970.
    public var from: Int64
    /// Its end, in nanoseconds since 1970.
    public var to: Int64

    /// A window.
    public init(text: String, from: Int64, to: Int64) {
      self.text = text
      self.from = from
      self.to = to
    }
  }
}
