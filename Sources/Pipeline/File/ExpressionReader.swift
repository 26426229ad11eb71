internal import Configuration
internal import Events
internal import Expressions

/// Compiles the file's expressions: what is wrong with one is told where it stands in the file.
final class ExpressionReader {
  let bag: DiagnosticBag
  private let source: [UInt8]
  /// All that were read, in the file's order.
  private(set) var explained: [ExplainedExpression] = []
  /// The first that was not read since it needs what can't be used.
  private var skipped: LocatedText?

  init(bag: DiagnosticBag, source: [UInt8]) {
    self.bag = bag
    self.source = source
  }

  /// nil: it can't be used, which is told unless it needs a name that can't be used.
  func program(_ text: LocatedText, place: String, in environment: Environment) -> Program? {
    do throws(ExpressionError) {
      let program = try Program.compile(text.text, in: environment)
      note(text, place, type: program.typeName, program.warnings)
      return program
    } catch {
      tell(error.diagnostics, text)
      return nil
    }
  }

  /// An expression that must be a bool.
  func condition(_ text: LocatedText, place: String, in environment: Environment) -> Program? {
    guard let program = program(text, place: place, in: environment) else { return nil }
    guard program.type == .bool else {
      bag.error(
        text.range(ofByte: 0, length: text.text.utf8.count, in: source),
        "a condition is a bool, and this is of type \(program.typeName)")
      return nil
    }
    return program
  }

  /// Conditions that must all hold, each by itself; those that can't be used are left out.
  func conditions(_ texts: [LocatedText], place: String, in environment: Environment) -> [Program] {
    texts.enumerated().compactMap { number, text in
      let place = texts.count > 1 ? "\(place) \(number + 1)" : place
      return condition(text, place: place, in: environment)
    }
  }

  /// Conditions that must all hold, as one.
  func conjunction(_ texts: [LocatedText], place: String, in environment: Environment) -> Program? {
    let programs = conditions(texts, place: place, in: environment)
    guard programs.count == texts.count, let first = programs.first else { return nil }
    if programs.count == 1 { return first }
    // Each on lines of its own, so that a comment ends where it should.
    let joined = texts.map { "(\($0.text)\n)" }.joined(separator: " && ")
    do throws(ExpressionError) {
      return try Program.compile(joined, in: environment)
    } catch {
      tell(error.diagnostics.map { Expressions.Diagnostic(offset: 0, length: 1, message: $0.message) }, texts[0])
      return nil
    }
  }

  func letProgram(
    _ text: LocatedText, place: String, in environment: Environment, firstAggregateSlot: Int
  ) -> LetProgram? {
    do throws(ExpressionError) {
      let result = try LetProgram.compile(text.text, in: environment, firstAggregateSlot: firstAggregateSlot)
      note(text, place, type: result.program.typeName, result.program.warnings)
      return result
    } catch {
      tell(error.diagnostics, text)
      return nil
    }
  }

  func template(_ text: LocatedText, place: String, in environment: Environment) -> Template? {
    do throws(ExpressionError) {
      let template = try Template.compile(text.text, in: environment)
      note(text, place, type: "text", template.warnings)
      return template
    } catch {
      tell(error.diagnostics, text)
      return nil
    }
  }

  /// Something of the reader's own about an expression.
  func error(_ text: LocatedText, _ message: String, hint: String? = nil) {
    bag.error(text.range(ofByte: 0, length: text.text.utf8.count, in: source), message, hint: hint)
  }

  private func note(_ text: LocatedText, _ place: String, type: String, _ warnings: [Expressions.Diagnostic]) {
    explained.append(ExplainedExpression(line: text.range.line, place: place, text: text.text, type: type))
    for warning in warnings {
      bag.warning(
        text.range(ofByte: warning.offset, length: warning.length, in: source), warning.message, hint: warning.hint)
    }
  }

  /// Makes sure that a file passes only if each of its expressions was read.
  func tellSkipped() {
    guard !bag.hasErrors, let skipped else { return }
    bag.error(skipped.range, "this expression can't be checked")
  }

  private func tell(_ diagnostics: [Expressions.Diagnostic], _ text: LocatedText) {
    if diagnostics.isEmpty, skipped == nil { skipped = text }
    for diagnostic in diagnostics {
      bag.error(
        text.range(ofByte: diagnostic.offset, length: diagnostic.length, in: source), diagnostic.message,
        hint: diagnostic.hint)
    }
  }
}
