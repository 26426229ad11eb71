/// An expression as it was written: the parser's result, before names and types mean anything.
final class Syntax: Sendable {
  enum Kind: Sendable {
    case literal(Value)
    case identifier(String)
    /// `.name` at the start of an expression: not a variable of a comprehension.
    case rootIdentifier(String)
    case select(Syntax, String)
    case index(Syntax, Syntax)
    /// A function, or a method on a target.
    case call(String, target: Syntax?, [Syntax])
    case list([Syntax])
    case map([(key: Syntax, value: Syntax)])
    case not(Syntax)
    case negate(Syntax)
    case binary(String, Syntax, Syntax)
    case and(Syntax, Syntax)
    case or(Syntax, Syntax)
    case conditional(Syntax, Syntax, Syntax)
  }

  let kind: Kind
  /// UTF-8 bytes into the source.
  let offset: Int
  let length: Int
  /// Levels of the tree from here down, itself included.
  let depth: Int

  init(_ kind: Kind, offset: Int, length: Int) {
    self.kind = kind
    self.offset = offset
    self.length = length
    depth = 1 + (Self.children(kind).map(\.depth).max() ?? 0)
  }

  private static func children(_ kind: Kind) -> [Syntax] {
    switch kind {
    case .literal, .identifier, .rootIdentifier: []
    case .select(let target, _), .not(let target), .negate(let target): [target]
    case .index(let a, let b), .binary(_, let a, let b), .and(let a, let b), .or(let a, let b): [a, b]
    case .call(_, let target, let arguments): (target.map { [$0] } ?? []) + arguments
    case .list(let elements): elements
    case .map(let entries): entries.flatMap { [$0.key, $0.value] }
    case .conditional(let a, let b, let c): [a, b, c]
    }
  }
}
