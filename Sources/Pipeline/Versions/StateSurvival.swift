internal import Detection

/// What becomes of the state of each rule where one version of a pipeline takes another's place.
public struct StateSurvival: Sendable, Hashable {
  /// What becomes of a rule's state.
  public enum Fate: Sendable, Hashable {
    /// It goes on with the state of the rule before it.
    case kept
    /// It has none: each event is judged by itself.
    case stateless
    /// It starts anew, because these parts changed (`StateIdentity.Part`).
    case anew([String])
    /// It is new, and starts with nothing.
    case new
    /// It is no longer there; its open alerts are not told of any more.
    case removed
  }

  /// One rule.
  public struct Rule: Sendable, Hashable {
    /// Its id.
    public var id: String
    /// What becomes of its state.
    public var fate: Fate

    /// A rule's fate in a sentence without its end.
    public var sentence: String {
      switch fate {
      case .kept: return "keeps its state"
      case .stateless: return "has no state"
      case .new: return "is new: its conditions are looked at once its window lies wholly after the change"
      case .removed: return "is removed; alerts of it that are open are not told of any more"
      case .anew(let parts):
        let names = parts.isEmpty ? "the order of its `let`s" : parts.map { "`\($0)`" }.joined(separator: ", ")
        return "starts anew because \(names) changed"
      }
    }
  }

  /// The rules in the new version's order, then those that are removed, in the old one's.
  public var rules: [Rule]

  /// Compares two versions.
  public init(from old: PipelinePlan, to new: PipelinePlan) {
    let before = Dictionary(old.identities.map { ($0.id, $0) }) { first, _ in first }
    rules = zip(new.rules, new.identities).map { rule, identity in
      guard let earlier = before[identity.id] else { return Rule(id: identity.id, fate: .new) }
      if rule.keySlots.isEmpty { return Rule(id: identity.id, fate: .stateless) }
      if earlier.digest == identity.digest { return Rule(id: identity.id, fate: .kept) }
      return Rule(id: identity.id, fate: .anew(identity.changes(from: earlier)))
    }
    let now = Set(new.identities.map(\.id))
    rules += old.identities.filter { !now.contains($0.id) }.map { Rule(id: $0.id, fate: .removed) }
  }

  /// The rules that do not go on with the state that they had, with what becomes of them.
  public var losses: [Rule] {
    rules.filter { rule in
      if case .anew = rule.fate { return true }
      return rule.fate == .removed
    }
  }
}
