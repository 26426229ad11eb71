extension AlertRecord {
  /// What an alert says of its rule.
  public struct Rule: Sendable, Hashable {
    /// What is recommended; never carried out by Tocsin itself.
    public enum Action: String, Sendable, Hashable, CaseIterable {
      /// Nothing.
      case none
      /// Somebody should look.
      case review
      /// Hold it back until somebody has looked.
      case hold
      /// Refuse it.
      case block
    }

    /// The rule's id in its file; part of every id.
    public var id: String
    /// A few words.
    public var title: String
    /// What it is about.
    public var description: String?
    /// `sha256:` and the SHA-256 of the rule as it stands in the file.
    public var version: String
    /// The crimes that it points at, such as `money-laundering`.
    public var crimes: [String]
    /// Free words; `name:value` stands as such in the alert.
    public var tags: [String]
    /// Addresses to read on.
    public var references: [String]
    /// What to do about an alert.
    public var runbook: String?
    /// Who answers for the rule.
    public var owner: String?
    /// Points of risk; nil: not said.
    public var riskScore: Int?
    /// What is recommended.
    public var action: Action

    /// A rule.
    public init(
      id: String, title: String, description: String? = nil, version: String, crimes: [String] = [],
      tags: [String] = [], references: [String] = [], runbook: String? = nil, owner: String? = nil,
      riskScore: Int? = nil, action: Action = .none
    ) {
      self.id = id
      self.title = title
      self.description = description
      self.version = version
      self.crimes = crimes
      self.tags = tags
      self.references = references
      self.runbook = runbook
      self.owner = owner
      self.riskScore = riskScore
      self.action = action
    }
  }
}
