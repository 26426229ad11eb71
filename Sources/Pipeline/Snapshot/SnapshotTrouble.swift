/// What is known of a cut that was not written, and what that means: for snapshots what `TransactionTrouble` is for outputs.
public struct SnapshotTrouble: Sendable, Hashable {
  /// What the call said, in one line.
  public var reason: String
  /// Why the broker does not allow it; nil: it is not about permission.
  public var denial: String?
  /// Why a record can never be written; nil: none was refused.
  public var refusal: String?
  /// Whether the topic is not there.
  public var isTopicMissing = false
  /// Whether the group has another generation by now.
  public var isStale = false
  /// What to tell where another process has taken this one's name; nil: nothing looks like it.
  public var fence: String?
  /// How long the transaction had been tried for, in milliseconds.
  public var age: Int64
  /// After how long the broker ends a transaction by itself, in milliseconds.
  public var transactionTimeout: Int64

  /// What is known.
  public init(reason: String, age: Int64, transactionTimeout: Int64) {
    self.reason = reason
    self.age = age
    self.transactionTimeout = transactionTimeout
  }

  /// What it means. No permission, a record that is refused for good, and another process of our name end the process; a
  /// transaction that outlived its time-out looks as if another process had our name: its age tells the two apart. Anything
  /// else is tried again, under the assignment of then.
  public var failure: SnapshotFailure {
    if let denial { return .failed(PipelineFailure(.configuration, denial)) }
    if let refusal { return .failed(PipelineFailure(.configuration, refusal)) }
    if isTopicMissing { return .lost("\(reason); the state topic is made again at the next start") }
    if isStale { return .stale }
    let mayHaveExpired = age >= transactionTimeout * 8 / 10
    if let fence, !mayHaveExpired { return .failed(PipelineFailure(.fenced, fence)) }
    return .lost(reason)
  }
}
