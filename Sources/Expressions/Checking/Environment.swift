public import Events

/// What names mean in an expression.
public struct Environment: Sendable {
  /// A field of the event, or a name of the rule.
  public struct Variable: Sendable, Hashable {
    /// How it is written in expressions.
    public var name: String
    /// What its cells are.
    public var type: ColumnType
    /// Place of its column in the frame.
    public var slot: Int
    /// Whether events may lack it.
    public var isOptional: Bool
    /// The form in which its texts are held.
    public var form: TextForm
    /// Whether it is a whole number that comes of a division of two ints.
    public var isIntegerRatio = false

    /// A name for the column at `slot`.
    public init(name: String, type: ColumnType, slot: Int, isOptional: Bool = false, form: TextForm = .plain) {
      self.name = name
      self.type = type
      self.slot = slot
      self.isOptional = isOptional
      self.form = form
    }
  }

  /// What a bare name means.
  public enum Scope: Sendable {
    /// A field of one event.
    case event
    /// A `let` or `by` name; the event that just came is `event.x`.
    case names
  }

  /// What a bare name means.
  public var scope: Scope
  /// The fields of one event.
  public var fields: [Variable]
  /// The `let`, `by` and hidden names of a rule.
  public var names: [Variable]
  /// The values under `params.x`.
  public var params: [String: Scalar]
  /// The tables, in the frame's order.
  public var tables: [TableDeclaration]
  /// Names whose own declaration is wrong (fields, names, tables; parameters as `params.x`): an expression that needs one
  /// can't be checked, and nothing is said of it: its error has no diagnostics then.
  public var unusable: Set<String> = []
  /// Whether there are names that are not known here, since a part of the file can't be read: nothing is said of an
  /// unknown name then either.
  public var isIncomplete = false
  /// Whether a constant that has no value is a mistake, as in a file. Else it is CEL's error value.
  public var refusesConstantErrors = false
  /// Variables with values of any type, for comparisons with other implementations of CEL.
  var bindings: [String: Value] = [:]
  var container = ""

  /// An environment; what is not given is empty.
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
  /// How expressions call it.
  public var name: String
  /// What `table[key].column` reads, by place.
  public var columns: [TableColumn]
  /// Whether an absent key reads as the table's `else` row.
  public var hasElse: Bool
  /// The form in which its keys are held.
  public var key: TextForm

  /// A table by its name, its columns, whether it has an `else` row, and the form of its keys.
  public init(name: String, columns: [TableColumn], hasElse: Bool, key: TextForm = .plain) {
    self.name = name
    self.columns = columns
    self.hasElse = hasElse
    self.key = key
  }
}
