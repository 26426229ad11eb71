public import Events

/// The functions over the events of a window.
public enum AggregateFunction: String, Sendable, CaseIterable {
  case count, sum, avg, min, max
  case countDistinct = "count_distinct"
  case earliest, latest
}

/// One aggregate inside a `let`: `sum(usd, status == 'ok')`.
public struct AggregateCall: Sendable {
  /// What is computed.
  public var function: AggregateFunction
  /// What is added up, counted or compared, of one event; nil for `count`.
  public var argument: Program?
  /// Which events take part; nil: all.
  public var filter: Program?
  /// How the results lie in a column.
  public var resultType: ColumnType
  /// The call as it was written.
  public var text: String
}

/// An expression under `let`: aggregates, and what is made of them.
public struct LetProgram: Sendable {
  /// Their results stand at the slots from `firstAggregateSlot` on.
  public var aggregates: [AggregateCall]
  /// Reads those slots, earlier names and `event.x`.
  public var program: Program
  /// Whether its value is a whole number that comes of a division of two ints.
  public var isIntegerRatio: Bool

  /// - Parameter environment: of scope `.names`; its names are the earlier ones.
  public static func compile(
    _ source: String, in environment: Environment, firstAggregateSlot: Int
  ) throws(ExpressionError) -> LetProgram {
    let fieldNames = Set(environment.fields.map(\.name) + environment.names.map(\.name))
    let syntax: Syntax
    do throws(Diagnostic) {
      syntax = try Parser.parse(source, fieldNames: fieldNames)
    } catch {
      throw ExpressionError([error])
    }
    var extractor = AggregateExtractor(source: source, environment: environment, firstSlot: firstAggregateSlot)
    let rest = extractor.extract(syntax)
    guard extractor.diagnostics.isEmpty, !extractor.isUnusable else { throw ExpressionError(extractor.diagnostics) }
    var environment = environment
    environment.names += extractor.variables
    var checker = Checker(environment)
    let node = try checker.check(rest)
    checker.warnOfIntegerRatio(node)
    let program = Program(text: source, node: node, warnings: checker.warnings + extractor.warnings)
    guard program.type != nil else {
      throw ExpressionError([
        Diagnostic(offset: 0, length: source.utf8.count, message: "a `let` can't hold a \(program.typeName)")
      ])
    }
    let isRatio = node.type == .int && (checker.integerRatio(node) != nil || checker.ratioName(node) != nil)
    return LetProgram(aggregates: extractor.calls, program: program, isIntegerRatio: isRatio)
  }
}

/// Takes the aggregate calls out of an expression and puts hidden names in their places.
private struct AggregateExtractor {
  let source: String
  let environment: Environment
  let firstSlot: Int
  var calls: [AggregateCall] = []
  var variables: [Environment.Variable] = []
  var diagnostics: [Diagnostic] = []
  var warnings: [Diagnostic] = []
  /// An aggregate needs a name whose own declaration is wrong.
  var isUnusable = false

  mutating func extract(_ syntax: Syntax) -> Syntax {
    if case .call(let name, nil, let arguments) = syntax.kind {
      if let function = AggregateFunction(rawValue: name) { return aggregate(function, arguments, syntax) }
      return rebuild(syntax, .call(name, target: nil, arguments.map { extract($0) }))
    }
    switch syntax.kind {
    case .call(let name, let target?, let arguments):
      return rebuild(syntax, .call(name, target: extract(target), arguments.map { extract($0) }))
    case .select(let target, let name): return rebuild(syntax, .select(extract(target), name))
    case .index(let target, let key): return rebuild(syntax, .index(extract(target), extract(key)))
    case .list(let elements): return rebuild(syntax, .list(elements.map { extract($0) }))
    case .map(let entries): return rebuild(syntax, .map(entries.map { (extract($0.key), extract($0.value)) }))
    case .not(let operand): return rebuild(syntax, .not(extract(operand)))
    case .negate(let operand): return rebuild(syntax, .negate(extract(operand)))
    case .binary(let symbol, let left, let right):
      return rebuild(syntax, .binary(symbol, extract(left), extract(right)))
    case .and(let left, let right): return rebuild(syntax, .and(extract(left), extract(right)))
    case .or(let left, let right): return rebuild(syntax, .or(extract(left), extract(right)))
    case .conditional(let a, let b, let c): return rebuild(syntax, .conditional(extract(a), extract(b), extract(c)))
    default: return syntax
    }
  }

  private func rebuild(_ syntax: Syntax, _ kind: Syntax.Kind) -> Syntax {
    Syntax(kind, offset: syntax.offset, length: syntax.length)
  }

  private mutating func aggregate(_ function: AggregateFunction, _ arguments: [Syntax], _ syntax: Syntax) -> Syntax {
    let hasArgument = function != .count
    guard arguments.count >= (hasArgument ? 1 : 0), arguments.count <= (hasArgument ? 2 : 1) else {
      return fail(
        syntax,
        hasArgument
          ? "`\(function.rawValue)` takes a value and perhaps a condition" : "`count` takes at most a condition")
    }
    let argument = hasArgument ? compile(arguments[0]) : nil
    let filterSyntax = arguments.count > (hasArgument ? 1 : 0) ? arguments.last : nil
    let filter = filterSyntax.flatMap { compile($0) }
    if hasArgument, argument == nil { return syntax }
    if let filterSyntax {
      guard let filter else { return syntax }
      if filter.type != .bool { return fail(filterSyntax, "a condition is a bool, not a \(filter.typeName)") }
    }
    guard let type = resultType(function, argument, syntax) else { return syntax }
    let name = "aggregate \(calls.count)"
    calls.append(
      AggregateCall(function: function, argument: argument, filter: filter, resultType: type, text: text(syntax)))
    let form = [.min, .max, .earliest, .latest].contains(function) ? argument?.form ?? .plain : .plain
    variables.append(
      Environment.Variable(name: name, type: type, slot: firstSlot + variables.count, isOptional: true, form: form))
    return rebuild(syntax, .identifier(name))
  }

  private mutating func fail(_ syntax: Syntax, _ message: String, hint: String? = nil) -> Syntax {
    diagnostics.append(Diagnostic(offset: syntax.offset, length: syntax.length, message: message, hint: hint))
    return syntax
  }

  /// Inside an aggregate, a bare name is a field of one event.
  private mutating func compile(_ syntax: Syntax) -> Program? {
    var environment = environment
    environment.scope = .event
    environment.names = []
    var checker = Checker(environment)
    do throws(ExpressionError) {
      let node = try checker.check(syntax)
      warnings += checker.warnings
      return Program(text: text(syntax), node: node, start: syntax.offset)
    } catch {
      diagnostics += error.diagnostics
      if error.diagnostics.isEmpty { isUnusable = true }
      return nil
    }
  }

  private func text(_ syntax: Syntax) -> String {
    String(decoding: Array(source.utf8)[syntax.offset..<(syntax.offset + syntax.length)], as: UTF8.self)
  }

  private mutating func resultType(_ function: AggregateFunction, _ argument: Program?, _ syntax: Syntax) -> ColumnType?
  {
    guard let argument else { return .int }
    guard let type = argument.type else {
      _ = fail(syntax, "`\(function.rawValue)` can't take a \(argument.typeName)")
      return nil
    }
    switch (function, type) {
    case (.count, _), (.countDistinct, _): return .int
    case (.sum, .int), (.sum, .uint), (.sum, .double), (.sum, .decimal), (.sum, .duration): return type
    case (.avg, .int), (.avg, .uint), (.avg, .double), (.avg, .decimal): return .double
    case (.min, .bytes), (.max, .bytes), (.min, .list), (.max, .list), (.earliest, .list), (.latest, .list): break
    case (.min, _), (.max, _), (.earliest, _), (.latest, _): return type
    default: break
    }
    _ = fail(syntax, "there is no `\(function.rawValue)` of a \(argument.typeName)")
    return nil
  }
}
