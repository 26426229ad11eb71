extension Program {
  /// A question whether a field's value is in a table.
  public struct Membership: Hashable, Sendable {
    /// Place of the table in the frame.
    public var table: Int
    /// Slot of the column that is the key.
    public var slot: Int
    /// The field's name.
    public var field: String
  }

  /// All questions `field in table` that it asks, each once: who wants every hit asks them all, since `||` stops at the first
  /// that holds.
  public var memberships: [Membership] {
    var found: [Membership] = []
    node.visit { node in
      guard case .inTable(let table, let key, _) = node.kind, case .column(let slot, let name) = key.kind else {
        return
      }
      let membership = Membership(table: table, slot: slot, field: name)
      if !found.contains(membership) { found.append(membership) }
    }
    return found
  }
}

extension TableHit {
  /// A hit that was found outside an expression.
  public init(table: Int, entry: Int32, key: String, field: String?) {
    self.init(table: table, entry: entry, field: field, key: key)
  }
}
