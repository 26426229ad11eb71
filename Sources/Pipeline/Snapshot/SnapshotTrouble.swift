/// What is known of a cut that was not written, and what that means: for snapshots what `TransactionTrouble` is for outputs.
public struct SnapshotTrouble: Sendable, Hashable {
  /// What is known of its transaction.
  public var transaction: TransactionTrouble
  /// Why a record can never be written; nil: none was refused.
  public var refusal: String?
  /// Whether the topic is not there.
  public var isTopicMissing = false
  /// Whether the group has another generation by now.
  public var isStale = false

  /// What is known.
  public init(_ transaction: TransactionTrouble) { self.transaction = transaction }

  /// What it means. No permission, a record that is refused for good, and another process of our name end the process.
  /// Anything else is tried again, under the assignment of then.
  public var failure: SnapshotFailure {
    if transaction.denial == nil {
      if let refusal { return .failed(PipelineFailure(.configuration, refusal)) }
      if isTopicMissing { return .lost("\(transaction.reason); the state topic is made again at the next start") }
      if isStale { return .stale }
    }
    return SnapshotFailure(transaction.failure)
  }
}

extension SnapshotFailure {
  /// What a transaction's failure means for a snapshot. A record of state that can never be written has been told before.
  public init(_ failure: SinkFailure) {
    switch failure {
    case .failed(let failure): self = .failed(failure)
    case .lost(let reason), .unwritable(_, let reason): self = .lost(reason)
    }
  }
}
