public import Events

/// The records of one partition, pulled. It wakes its worker when there is something after there was nothing.
public protocol PartitionLog: AnyObject, Sendable {
  /// Appends waiting records to `batch` until it is full or nothing waits; never waits itself.
  func pull(into batch: RecordBatch) -> PullOutcome
  /// Sees to it that the record after the last one pulled comes next, whatever becomes of what is on its way.
  ///
  /// - Returns: why that can't be; nil: it can.
  func keepPlace() -> PipelineFailure?
  /// Gives the partition up; nobody is woken after it.
  func close()
}

extension PartitionLog {
  /// Nothing is lost on the way.
  public func keepPlace() -> PipelineFailure? { nil }
}

/// What a pull brought besides records.
public struct PullOutcome: Sendable, Hashable {
  /// True where nothing waits any more: the next wake-up will come by itself.
  public var isDrained: Bool
  /// Why nothing more will come from this partition; nil: it goes on.
  public var failure: PipelineFailure?
  /// All records below this offset have come, also those that came with it; nil: the log has more, or does not know yet.
  public var end: Int64?
  /// Why the record that was to come next is gone: nothing more comes until somebody says where to go on. nil: it is not.
  public var passed: String?

  /// What a pull brought.
  public init(isDrained: Bool, failure: PipelineFailure? = nil, end: Int64? = nil) {
    self.isDrained = isDrained
    self.failure = failure
    self.end = end
  }
}

/// Why a pipeline cannot go on.
public struct PipelineFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of thing it is: it decides the process's exit code.
  public enum Kind: Sendable, Hashable {
    /// Somebody must change a setting, a topic, a permission or a credential.
    case configuration
    /// The brokers could not be reached in time.
    case unreachable
    /// Another process runs under this one's name.
    case fenced
    /// Anything else that ends the process.
    case fatal
  }

  /// What kind of thing it is.
  public var kind: Kind
  /// In one line: what happened, and what to do.
  public var message: String

  /// A reason.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
