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

  public struct Scalar: Sendable, Hashable {
    public enum Style: Sendable { case plain, quoted, block }
    public var text: String
    public var style: Style
    public var range: SourceRange
    /// A tag, an anchor or an alias stands here, which has been told: what it was meant to be is not known.
    public var isRefused = false
  }

  public struct Mapping: Sendable {
    public var entries: [(key: Scalar, value: YAMLNode)]
    public var range: SourceRange

    public subscript(key: String) -> YAMLNode? { entries.first { $0.key.text == key }?.value }
  }

  public struct Sequence: Sendable {
    public var elements: [YAMLNode]
    public var range: SourceRange
  }

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
