public import Events

/// A sentence with expressions in braces: `{n} transfers, {total} USD`. `{{` and `}}` are plain braces.
public struct Template: Sendable {
  private enum Piece: Sendable {
    case text(String)
    case program(Program)
  }

  private let pieces: [Piece]
  /// What is probably a mistake in its expressions.
  public let warnings: [Diagnostic]

  /// The expressions in it, in order.
  public var programs: [Program] {
    pieces.compactMap { if case .program(let program) = $0 { program } else { nil } }
  }

  /// UTF-8 bytes of what one rendering may give; the rest is cut off.
  public static let renderedLimit = 4_096

  /// Reads a sentence and checks its expressions.
  ///
  /// - Throws: all that is wrong with it, at places in the sentence.
  public static func compile(_ source: String, in environment: Environment) throws(ExpressionError) -> Template {
    let bytes = Array(source.utf8)
    var pieces: [Piece] = []
    var text: [UInt8] = []
    var diagnostics: [Diagnostic] = []
    var warnings: [Diagnostic] = []
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      let isDouble = index + 1 < bytes.count && bytes[index + 1] == byte
      if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}"), isDouble {
        text.append(byte)
        index += 2
      } else if byte == UInt8(ascii: "{") {
        guard let end = Lexer.closingBrace(bytes, from: index + 1) ?? closing(bytes, index + 1) else {
          diagnostics.append(
            Diagnostic(offset: index, length: 1, message: "this `{` has no `}`", hint: "write `{{` for a brace"))
          break
        }
        pieces.append(.text(String(decoding: text, as: UTF8.self)))
        text = []
        do throws(ExpressionError) {
          let text = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
          let program = try Program.compile(text, in: environment, isShown: true)
          warnings += program.warnings.map { shifted($0, index + 1) }
          pieces.append(.program(program))
        } catch {
          diagnostics += error.diagnostics.map { shifted($0, index + 1) }
        }
        index = end + 1
      } else if byte == UInt8(ascii: "}") {
        diagnostics.append(
          Diagnostic(offset: index, length: 1, message: "this `}` has no `{`", hint: "write `}}` for a brace"))
        index += 1
      } else {
        text.append(byte)
        index += 1
      }
    }
    guard diagnostics.isEmpty else { throw ExpressionError(diagnostics) }
    pieces.append(.text(String(decoding: text, as: UTF8.self)))
    return Template(pieces: pieces, warnings: warnings)
  }

  private static func shifted(_ diagnostic: Diagnostic, _ distance: Int) -> Diagnostic {
    var diagnostic = diagnostic
    diagnostic.offset += distance
    return diagnostic
  }

  /// The brace that ends an expression which has mistakes: texts and braces within it are skipped.
  private static func closing(_ bytes: [UInt8], _ start: Int) -> Int? {
    var depth = 0
    var quote: UInt8?
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      if let open = quote {
        if byte == UInt8(ascii: "\\") { index += 1 } else if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
      } else if byte == UInt8(ascii: "{") {
        depth += 1
      } else if byte == UInt8(ascii: "}") {
        if depth == 0 { return index }
        depth -= 1
      }
      index += 1
    }
    return nil
  }

  /// The sentence for one row. Numbers are shown for reading (`Scalar.readableText`); an expression without a value shows
  /// as `?`.
  public func render(_ frame: Frame, row: Int) -> String {
    var text = ""
    var hits: [TableHit] = []
    for piece in pieces where text.utf8.count <= Self.renderedLimit {
      switch piece {
      case .text(let part): text += part
      case .program(let program):
        switch program.value(frame, row: row, hits: &hits) {
        case .success(let value): text += value.scalar?.readableText ?? "?"
        case .failure: text += "?"
        }
      }
    }
    return Self.cut(text)
  }

  /// The text, if need be cut between two characters of Unicode and ended by an ellipsis.
  private static func cut(_ text: String) -> String {
    guard text.utf8.count > renderedLimit else { return text }
    let ellipsis = "…"
    let bytes = Array(text.utf8.prefix(renderedLimit))
    var end = renderedLimit - ellipsis.utf8.count
    while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return String(decoding: bytes[..<end], as: UTF8.self) + ellipsis
  }
}
