/// How grave an alert is. The raw value is OCSF's `severity_id`, so a larger one is graver.
public enum Severity: Int, Comparable, Sendable, CaseIterable {
  case informational = 1
  case low = 2
  case medium = 3
  case high = 4
  case critical = 5

  /// The severity a pipeline file names (`informational`, `low`, `medium`, `high`, `critical`), or nil for another word.
  public init?(name: some StringProtocol) {
    guard let found = Severity.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// The word that stands in a pipeline file.
  public var name: String {
    switch self {
    case .informational: "informational"
    case .low: "low"
    case .medium: "medium"
    case .high: "high"
    case .critical: "critical"
    }
  }

  /// Whether the left one is less grave.
  public static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
}
