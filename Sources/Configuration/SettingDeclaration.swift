/// A setting of a file, declared once: from it come its parser, its messages, the reference page and the editor's schema.
public struct SettingDeclaration: Sendable {
  /// What stands as a setting's value, and within which bounds.
  public indirect enum Kind: Sendable {
    case text
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case flag
    /// `250ms`, `5s`, `10m`, `24h`, `7d`, `2w`: nanoseconds.
    case duration(ClosedRange<Int64>)
    /// `64MiB`, `1MB`, `512`: bytes.
    case bytes(ClosedRange<Int64>)
    case choice([String])
    /// CEL, one or a list of them; read as it stands.
    case expressions
    /// A list of words.
    case texts
    case section(SectionDeclaration)
    /// NAME to section.
    case sections(SectionDeclaration)
    case sectionList(SectionDeclaration)
    /// NAME to value.
    case map
    /// A shape of its own, said in `shape`; whoever reads the setting checks it.
    case custom(shape: String)
  }

  /// Whether this version has the setting.
  public enum Availability: Sendable, Hashable {
    case now
    /// Part of the language, but not of this version: refused by name.
    case later
  }

  /// The key in the file.
  public var name: String
  /// What its value is.
  public var kind: Kind
  /// What it does, in a sentence, with its unit.
  public var text: String
  /// Whether the section is wrong without it.
  public var isRequired: Bool
  /// What holds where it is not set, as it would stand in the file; nil: nothing does.
  public var defaultText: String?
  /// A value as it may stand in the file.
  public var example: String?
  /// Whether this version has it.
  public var availability: Availability

  /// Declares a setting; see the members of the same names.
  public init(
    _ name: String, _ kind: Kind, _ text: String, isRequired: Bool = false, default defaultText: String? = nil,
    example: String? = nil, availability: Availability = .now
  ) {
    self.name = name
    self.kind = kind
    self.text = text
    self.isRequired = isRequired
    self.defaultText = defaultText
    self.example = example
    self.availability = availability
  }

  /// A key of the language that this version refuses by name.
  public static func later(_ name: String, _ text: String) -> SettingDeclaration {
    SettingDeclaration(name, .custom(shape: ""), text, availability: .later)
  }
}

/// The settings that stand together.
public struct SectionDeclaration: Sendable {
  /// The section's name in messages and on the reference page.
  public var name: String
  /// What the section is for, in a sentence.
  public var text: String
  /// What may stand in it, in the order of the reference page.
  public var settings: [SettingDeclaration]

  /// Declares a section: its name, what it is for, its settings.
  public init(_ name: String, _ text: String, _ settings: [SettingDeclaration]) {
    self.name = name
    self.text = text
    self.settings = settings
  }

  /// The declaration of a name; nil where there is none.
  public func setting(_ name: String) -> SettingDeclaration? { settings.first { $0.name == name } }
}
