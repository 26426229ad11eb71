/// What is known of a transaction that did not go through, and what that means: the one place where errors become decisions.
public struct TransactionTrouble: Sendable, Hashable {
  /// What the call said, in one line.
  public var reason: String
  /// Outputs that were refused as never to be written.
  public var unwritable: [SinkFailure.Place] = []
  /// Why the broker does not allow it; nil: it is not about permission.
  public var denial: String?
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

  /// What it means. A record that can never be written concerns that record alone. No permission, and another process of
  /// our name, end this one; a transaction that outlived its time-out looks as if another process had our name: its age
  /// tells the two apart. Anything else is settled.
  public var failure: SinkFailure {
    if !unwritable.isEmpty { return .unwritable(unwritable, reason) }
    if let denial { return .failed(PipelineFailure(.configuration, denial)) }
    let mayHaveExpired = age >= transactionTimeout * 8 / 10
    if let fence, !mayHaveExpired { return .failed(PipelineFailure(.fenced, fence)) }
    return .lost(reason)
  }
}
