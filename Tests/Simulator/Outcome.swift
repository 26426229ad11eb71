/// What must hold, whatever happens. Each is checked at the step that could break it; `missing` and `liveness` at the end too.
public enum Invariant: String, Sendable, Hashable, CaseIterable {
  /// Every output of an undisturbed run is committed.
  case missing
  /// None is committed twice.
  case twice
  /// None is committed that an undisturbed run does not have.
  case foreign
  /// Keys, bytes and headers are those of an undisturbed run.
  case bytes
  /// A partition's outputs are committed in the order of an undisturbed run.
  case order
  /// A partition's committed position never goes back.
  case offsets
  /// Once outputs of a later owner of a partition are committed, none of an earlier owner are.
  case owners
  /// The owner of a partition never sends a pair again that is settled.
  case settled
  /// A partition is not read on while more than the bound is unsettled.
  case memory
  /// Once the faults stop, everything is read and settled within a bounded number of steps.
  case liveness
  /// Partitions that are handed over in order, with no fault about, are settled when they are given up.
  case handOver
  /// Behind an exchange, each event that a rule there wants is seen once, none is late that was not at its source, and windows
  /// are whole.
  case crossing
  /// A snapshot never lies past what the group has committed, nor before an earlier one.
  case snapshot
  /// A task whose state comes from the last snapshot goes on as an undisturbed one.
  case state
  /// Of two processes with one name, only one goes on.
  case name
  /// The undisturbed run itself finds what the slow, obvious model finds.
  case model
}

/// An invariant that did not hold.
public struct Violation: Error, Sendable, Hashable, CustomStringConvertible {
  /// Which.
  public var invariant: Invariant
  /// What was seen.
  public var detail: String
  /// At which step.
  public var step: Int

  /// `invariant at step N: detail`.
  public var description: String { "\(invariant.rawValue) at step \(step): \(detail)" }
}

/// What came of one seed.
public struct Outcome: Sendable {
  /// What did not hold; nil: all held.
  public var violation: Violation?
  /// All steps.
  public var steps = 0
  /// Steps that were taken while faults were about.
  public var faultedSteps = 0
  /// How often which fault struck.
  public var faults: [Fault: Int] = [:]
  /// Outputs that were committed.
  public var outputs = 0
  /// What happened, line by line; only where it was asked for.
  public var trace: [String] = []
}
