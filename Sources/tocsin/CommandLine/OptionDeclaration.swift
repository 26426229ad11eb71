/// One option, declared once: the parser, help, the man page and the completions all come from this.
struct OptionDeclaration: Sendable, Hashable {
  /// What an option's value may be; the parser checks it, so that a handler reads it without a second thought.
  enum Kind: Sendable, Hashable {
    /// No value: given or not.
    case flag
    /// Any text that is not empty.
    case text
    /// A path; completions offer files.
    case file
    /// A whole number within bounds.
    case integer(ClosedRange<Int>)
    /// One of these words.
    case choice([String])
    /// `NAME=VALUE`, neither name empty.
    case assignment
    /// A time as RFC 3339 text.
    case timestamp
  }

  /// The long name, without dashes.
  let name: String
  /// The one-letter name, without its dash; nil: none.
  let short: Character?
  /// What its value may be.
  let kind: Kind
  /// How the value is called in help; empty for a flag.
  let placeholder: String
  /// What it does, in one sentence without a full stop.
  let text: String
  /// What holds where the option is not given; nil: nothing.
  let defaultText: String?
  /// Whether it may be given several times.
  let isRepeatable: Bool
  /// Whether the command needs it.
  let isRequired: Bool
  /// A value as one would give it; empty for a flag.
  let example: String

  init(
    _ name: String, short: Character? = nil, _ kind: Kind, _ placeholder: String, _ text: String,
    default defaultText: String? = nil, isRepeatable: Bool = false, isRequired: Bool = false, example: String = ""
  ) {
    self.name = name
    self.short = short
    self.kind = kind
    self.placeholder = placeholder
    self.text = text
    self.defaultText = defaultText
    self.isRepeatable = isRepeatable
    self.isRequired = isRequired
    self.example = example
  }

  /// An option without a value.
  static func flag(_ name: String, short: Character? = nil, _ text: String) -> OptionDeclaration {
    OptionDeclaration(name, short: short, .flag, "", text)
  }

  /// Whether a value has to follow.
  var takesValue: Bool { kind != .flag }

  /// `--name`.
  var spelling: String { "--" + name }

  /// How it is written with its value: `--name VALUE`.
  var usage: String { takesValue ? "\(spelling) \(placeholder)" : spelling }

  /// What a reader should know besides the text: words, default, whether it repeats.
  var remarks: [String] {
    var remarks: [String] = []
    if case .choice(let words) = kind { remarks.append("one of \(words.joined(separator: ", "))") }
    if let defaultText { remarks.append("default: \(defaultText)") }
    if isRequired { remarks.append("required") }
    if isRepeatable { remarks.append("may be repeated") }
    return remarks
  }

  /// Text and remarks: `what it does (default: 1)`.
  var fullText: String { remarks.isEmpty ? text : "\(text) (\(remarks.joined(separator: "; ")))" }
}

/// An argument known by its place.
struct PositionalDeclaration: Sendable, Hashable {
  /// How it is called, in capitals.
  let name: String
  /// What it may be; `.flag` has no meaning here.
  let kind: OptionDeclaration.Kind
  /// What it is, in one sentence without a full stop.
  let text: String
  /// Whether the command works without it.
  let isOptional: Bool

  init(_ name: String, _ kind: OptionDeclaration.Kind, _ text: String, isOptional: Bool = false) {
    self.name = name
    self.kind = kind
    self.text = text
    self.isOptional = isOptional
  }

  /// How it stands in a usage line.
  var usage: String { isOptional ? "[\(name)]" : name }
}
