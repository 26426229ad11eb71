/// A place in a file: where something begins and how many bytes of it there are on that line.
public struct SourceRange: Hashable, Sendable {
  /// From 1.
  public var line: Int
  /// From 1, in characters.
  public var column: Int
  /// Bytes from the start of the file.
  public var offset: Int
  /// Bytes.
  public var length: Int

  /// A place: line and column from 1, offset and length in bytes.
  public init(line: Int, column: Int, offset: Int, length: Int) {
    self.line = line
    self.column = column
    self.offset = offset
    self.length = length
  }
}

/// A piece of a YAML file that knows where it stands. Scalars are raw text: what they mean is said by the setting that
/// they stand for, never guessed from how they look.
public indirect enum YAMLNode: Sendable {
  case scalar(Scalar)
  case mapping(Mapping)
  case sequence(Sequence)

  /// A single value as raw text.
  public struct Scalar: Sendable, Hashable {
    /// How it was written: as it is, in quotes, or as a block (`|`, `>`).
    public enum Style: Sendable { case plain, quoted, block }
    /// The text without quotes, escapes and indentation.
    public var text: String
    /// How it was written.
    public var style: Style
    /// Where it stands, with its quotes.
    public var range: SourceRange
    /// A tag, an anchor or an alias stands here, which has been told: what it was meant to be is not known.
    public var isRefused = false
  }

  /// Keys and values.
  public struct Mapping: Sendable {
    /// In the file's order; no key stands twice.
    public var entries: [(key: Scalar, value: YAMLNode)]
    /// Where it begins.
    public var range: SourceRange

    /// The value of a key; nil where the key is not there.
    public subscript(key: String) -> YAMLNode? { entries.first { $0.key.text == key }?.value }
  }

  /// A list of values.
  public struct Sequence: Sendable {
    /// In the file's order.
    public var elements: [YAMLNode]
    /// Where it begins.
    public var range: SourceRange
  }

  /// Where the node begins.
  public var range: SourceRange {
    switch self {
    case .scalar(let scalar): scalar.range
    case .mapping(let mapping): mapping.range
    case .sequence(let sequence): sequence.range
    }
  }

  /// Whether this is the empty value: a key with nothing after it, or `null`, `~`.
  public var isNull: Bool {
    guard case .scalar(let scalar) = self, scalar.style == .plain, !scalar.isRefused else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.text)
  }

  /// Whether it is a scalar that has been told wrong already.
  public var isRefused: Bool {
    if case .scalar(let scalar) = self { scalar.isRefused } else { false }
  }

  /// What it is, for a message.
  public var kindName: String {
    switch self {
    case .scalar: isNull ? "nothing" : "a value"
    case .mapping: "a section (keys and values)"
    case .sequence: "a list"
    }
  }
}
