/// Where to begin where nothing is committed yet.
public enum StartOffset: String, Sendable, Hashable, CaseIterable {
  /// Nowhere: it is an error.
  case committed
  /// At the oldest record that is kept.
  case beginning
  /// After the newest.
  case end
}
