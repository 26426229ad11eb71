public import Events

/// What names mean in an expression.
public struct Environment: Sendable {
  /// A field of the event, or a name of the rule.
  public struct Variable: Sendable, Hashable {
    public var name: String
    public var type: ColumnType
    /// Place of its column in the frame.
    public var slot: Int
    /// Whether events may lack it.
    public var isOptional: Bool

    public init(name: String, type: ColumnType, slot: Int, isOptional: Bool = false) {
      self.name = name
      self.type = type
      self.slot = slot
      self.isOptional = isOptional
    }
  }

  /// What a bare name means.
  public enum Scope: Sendable {
    /// A field of one event.
    case event
    /// A `let` or `by` name; the event that just came is `event.x`.
    case names
  }

  public var scope: Scope
  public var fields: [Variable]
  public var names: [Variable]
  public var params: [String: Scalar]
  public var tables: [TableDeclaration]
  /// Names whose own declaration is wrong (fields, names, tables; parameters as `params.x`): an expression that needs one
  /// can't be checked, and nothing is said of it: its error has no diagnostics then.
  public var unusable: Set<String> = []
  /// Whether there are names that are not known here, since a part of the file can't be read: nothing is said of an
  /// unknown name then either.
  public var isIncomplete = false
  /// Variables with values of any type, for comparisons with other implementations of CEL.
  var bindings: [String: Value] = [:]
  var container = ""

  public init(
    scope: Scope = .event, fields: [Variable] = [], names: [Variable] = [], params: [String: Scalar] = [:],
    tables: [TableDeclaration] = []
  ) {
    self.scope = scope
    self.fields = fields
    self.names = names
    self.params = params
    self.tables = tables
  }
}

/// What a table offers to expressions. Its place in `Environment.tables` is its place in `Frame.tables`.
public struct TableDeclaration: Sendable, Hashable {
  public var name: String
  public var columns: [TableColumn]
  /// Whether an absent key reads as the table's `else` row.
  public var hasElse: Bool

  public init(name: String, columns: [TableColumn], hasElse: Bool) {
    self.name = name
    self.columns = columns
    self.hasElse = hasElse
  }
}
