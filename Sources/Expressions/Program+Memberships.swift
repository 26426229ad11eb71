public import Events

extension Program {
  /// A question whether a field's value is in a table.
  public struct Membership: Hashable, Sendable {
    /// Place of the table in the frame.
    public var table: Int
    /// Slot of the column that is the key.
    public var slot: Int
    /// The field's name.
    public var field: String
    /// The form in which the table holds its keys.
    public var form: TextForm
  }

  /// All questions `field in table` that it asks, each once: who wants every hit asks them all, since `||` stops at the first
  /// that holds.
  public var memberships: [Membership] {
    var found: [Membership] = []
    node.visit { node in
      guard case .inTable(let table, let key, _) = node.kind, let (slot, name) = key.field else { return }
      let membership = Membership(table: table, slot: slot, field: name, form: key.form)
      if !found.contains(membership) { found.append(membership) }
    }
    return found
  }
}

extension Program.Membership {
  /// The entry that the value of a row is, if it is one.
  public func hit(in frame: Frame, row: Int) -> TableHit? {
    let column = frame.columns[slot]
    guard column.state(row) == .value, var key = form.normalised(column.views[row].string) else { return nil }
    let entry = key.withUTF8 { frame.tables[table].find(BytesView(start: $0.baseAddress, count: $0.count)) }
    return entry < 0 ? nil : TableHit(table: table, entry: entry, key: key, field: field)
  }
}

extension TableHit {
  /// A hit that was found outside an expression.
  public init(table: Int, entry: Int32, key: String, field: String?) {
    self.init(table: table, entry: entry, field: field, key: key)
  }
}
