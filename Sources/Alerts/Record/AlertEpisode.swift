extension AlertRecord {
  /// An episode, and where in its life an alert stands.
  public struct Episode: Sendable, Hashable {
    /// What happened to the episode.
    public enum State: String, Sendable, Hashable, CaseIterable {
      /// It began.
      case opened
      /// It goes on.
      case updated
      /// It is over.
      case closed
    }

    /// What happened.
    public var state: State
    /// The number of this alert in its episode, from 1.
    public var revision: Int
    /// The start that is part of the episode's id, in nanoseconds since 1970.
    public var start: Int64
    /// The record that opened it; part of the episode's id.
    public var opening: RecordPlace
    /// When it was opened, in nanoseconds since 1970.
    public var opened: Int64
    /// Events that belong to it so far.
    public var events: Int
    /// Events since the alert before this one that raised no alert of their own, since updates are bounded.
    public var heldBack: Int
    /// Whether there is more evidence than the alert shows.
    public var isEvidenceTruncated: Bool

    /// An episode.
    public init(
      state: State, revision: Int, start: Int64, opening: RecordPlace, opened: Int64, events: Int, heldBack: Int = 0,
      isEvidenceTruncated: Bool = false
    ) {
      self.state = state
      self.revision = revision
      self.start = start
      self.opening = opening
      self.opened = opened
      self.events = events
      self.heldBack = heldBack
      self.isEvidenceTruncated = isEvidenceTruncated
    }
  }
}
