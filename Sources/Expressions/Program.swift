public import Events

/// A checked expression, ready to be evaluated: immutable, shared by all who use it.
public struct Program: Sendable {
  /// As it was written.
  public let text: String
  /// What is probably a mistake, though it can be evaluated.
  public let warnings: [Diagnostic]
  let node: Node
  /// Where the text begins in the source that the node's offsets count from.
  private let start: Int

  /// Reads and checks an expression.
  ///
  /// - Throws: all that is wrong with it.
  public static func compile(_ source: String, in environment: Environment) throws(ExpressionError) -> Program {
    try compile(source, in: environment, isShown: false)
  }

  /// - Parameter isShown: its value is for a person to read: a ratio that is cut to a whole number is warned of.
  static func compile(
    _ source: String, in environment: Environment, isShown: Bool
  ) throws(ExpressionError) -> Program {
    let names = Set(environment.fields.map(\.name) + environment.names.map(\.name))
    let syntax: Syntax
    do throws(Diagnostic) {
      syntax = try Parser.parse(source, fieldNames: names)
    } catch {
      throw ExpressionError([error])
    }
    var checker = Checker(environment)
    let node = try checker.check(syntax)
    if isShown { checker.warnOfIntegerRatio(node) }
    return Program(text: source, node: node, warnings: checker.warnings)
  }

  init(text: String, node: Node, warnings: [Diagnostic] = [], start: Int = 0) {
    self.text = text
    self.node = node
    self.warnings = warnings
    self.start = start
  }

  /// The column that can hold its values; nil where none can (maps, types, values of unknown type).
  public var type: ColumnType? { node.type.column }
  /// The form in which its texts are known to be.
  public var form: TextForm { node.form }
  /// Its type as it stands in messages.
  public var typeName: String { node.type.name }

  /// Slots of the columns that it reads.
  public var slots: Set<Int> {
    var slots: Set<Int> = []
    node.visit { if case .column(let slot, _) = $0.kind { slots.insert(slot) } }
    return slots
  }

  /// The tables that it asks, with the slot of the field that is the key where one is.
  public var tableKeys: [(table: Int, slot: Int?)] {
    var keys: [(table: Int, slot: Int?)] = []
    func note(_ table: Int, _ key: Node) {
      keys.append((table, key.field?.slot))
    }
    node.visit { node in
      switch node.kind {
      case .inTable(let table, let key, _), .tableColumn(let table, _, let key): note(table, key)
      default: break
      }
    }
    return keys
  }

  /// The parts of its `&&`s, each with its own text; empty where it is none.
  public var conjuncts: [Program] {
    guard case .and = node.kind else { return [] }
    var parts: [Node] = []
    func collect(_ node: Node) {
      if case .and(let left, let right) = node.kind {
        collect(left)
        collect(right)
      } else {
        parts.append(node)
      }
    }
    collect(node)
    return parts.map { part($0) }
  }

  /// Its two sides, where it is a comparison.
  public var comparison: (left: Program, operator: String, right: Program)? {
    guard case .call(let operation, let operands) = node.kind, operation.isComparison else { return nil }
    return (part(operands[0]), operation.symbol, part(operands[1]))
  }

  private func part(_ node: Node) -> Program {
    let bytes = Array(text.utf8)
    let from = min(max(node.offset - start, 0), bytes.count)
    let to = min(from + node.length, bytes.count)
    return Program(text: String(decoding: bytes[from..<to], as: UTF8.self), node: node, start: node.offset)
  }

  /// The value for one row. Table entries that were found are appended to `hits`. Off the hot path.
  public func value(_ frame: Frame, row: Int, hits: inout [TableHit]) -> Result<Value, EvaluationError> {
    var interpreter = Interpreter(frame: frame, row: row)
    defer { hits += interpreter.hits }
    do throws(EvaluationError) {
      return .success(try interpreter.evaluate(node))
    } catch {
      return .failure(error)
    }
  }

  /// Evaluates whole columns; it owns its memory, so each task has one of its own.
  ///
  /// - Parameter capacity: most rows of a frame.
  /// - Precondition: `type` is not nil.
  public func evaluator(capacity: Int) -> ColumnEvaluator { ColumnEvaluator(node, capacity: capacity) }
}
