internal import Events

/// What a rule's state depends on: a rule of equal identity goes on with the state of the one before it, any other starts
/// anew.
///
/// It is made of the rule's id, its source and time, `where`, `except`, `by`, the window, `let`, how many events are kept as
/// evidence, and of what these read: declarations of fields, values of parameters, names of tables. A new condition,
/// severity, message or description changes none of it; nor do blanks and comments in expressions.
public struct StateIdentity: Sendable, Hashable {
  /// One of the things that it depends on.
  public struct Part: Sendable, Hashable {
    /// What it is, as a person would say it: `where`, `let n`, `field usd`, `params.limit`.
    public var name: String
    /// What the file says of it, in a form that does not depend on layout.
    public var text: String

    /// A part.
    public init(_ name: String, _ text: String) {
      self.name = name
      self.text = text
    }
  }

  /// The rule's id.
  public var id: String
  /// The parts, in an order that the file's does not change; each name once.
  public var parts: [Part]

  /// An identity.
  public init(id: String, parts: [Part]) {
    self.id = id
    self.parts = parts
  }

  /// Changes with the meaning of parts, so that no state is taken for what it is not.
  private static let format = "tocsin state 1"

  /// The identity in 16 bytes: the first of a SHA-256 over all parts, each with its length before it.
  public var digest: [UInt8] {
    var bytes: [UInt8] = []
    for text in [Self.format, id] + parts.flatMap({ [$0.name, $0.text] }) {
      bytes += Array("\(text.utf8.count) \(text)\n".utf8)
    }
    return Array(SHA256.digest([bytes]).prefix(16))
  }

  /// The names of the parts that differ from those of `old`, or that only one of the two has.
  public func changes(from old: StateIdentity) -> [String] {
    let before = Dictionary(old.parts.map { ($0.name, $0.text) }) { first, _ in first }
    let now = Set(parts.map(\.name))
    return parts.filter { before[$0.name] != $0.text }.map(\.name)
      + old.parts.map(\.name).filter { !now.contains($0) }
  }
}
