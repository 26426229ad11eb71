/// Where outputs and positions go, together. All calls come from one queue and may block.
public protocol Sink: AnyObject, Sendable {
  /// Writes the outputs and commits the positions: all of it, or nothing.
  func commit(_ transaction: Transaction) throws(SinkFailure)
  /// After a `lost`: settles what was under way, and tells what is committed of these partitions now (nil: nothing).
  func recover(_ partitions: [PartitionID]) throws(SinkFailure) -> [PartitionID: Position]
  /// May be called from any thread: a commit or recovery under way fails soon as `lost`.
  func abandon()
}

/// Why a transaction did not go through, as far as it matters for what comes next.
public enum SinkFailure: Error, Sendable, Hashable {
  /// Whether it went through is not known, or it cannot: settle it (`Sink.recover`) and send again what did not.
  case lost(String)
  /// These outputs (by pair and place) can never be written; the rest can.
  case unwritable([Place], String)
  /// The process has to end.
  case failed(PipelineFailure)

  /// An output of a transaction.
  public struct Place: Sendable, Hashable {
    /// The pair's place in the transaction.
    public var pair: Int
    /// The output's place in the pair.
    public var output: Int

    /// An output of a transaction.
    public init(pair: Int, output: Int) {
      self.pair = pair
      self.output = output
    }
  }
}
