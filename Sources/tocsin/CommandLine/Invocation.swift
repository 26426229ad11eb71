import Events

/// A command line that was understood. Values were checked against their declarations, so reading them can't fail;
/// reading an option that the command does not declare is an error of the program.
struct Invocation: Sendable, Hashable {
  /// What to do.
  let command: Command
  private let positionals: [String: String]
  private let values: [String: [String]]

  init(_ command: Command, positionals: [String: String] = [:], values: [String: [String]] = [:]) {
    self.command = command
    self.positionals = positionals
    self.values = values
  }

  /// Whether the command line itself gave the option.
  func isGiven(_ option: OptionDeclaration) -> Bool { !given(option).isEmpty }

  /// A flag: given or not.
  func flag(_ option: OptionDeclaration) -> Bool { isGiven(option) }

  /// An option's value, or its default; nil where it has neither.
  func text(_ option: OptionDeclaration) -> String? { given(option).last ?? option.defaultText }

  /// The values of an option that may be repeated, in order.
  func texts(_ option: OptionDeclaration) -> [String] { given(option) }

  /// An `.integer`'s value, or its default.
  func integer(_ option: OptionDeclaration) -> Int? { text(option).flatMap { Int($0) } }

  /// The `NAME=VALUE` pairs of an `.assignment`, in order; the first `=` divides.
  func assignments(_ option: OptionDeclaration) -> [(name: String, value: String)] {
    given(option).compactMap { OptionDeclaration.Kind.assignment(in: $0) }
  }

  /// A `.timestamp`'s value in nanoseconds since 1970, or its default.
  func timestamp(_ option: OptionDeclaration) -> Int64? {
    text(option).flatMap { OptionDeclaration.Kind.nanoseconds(in: $0) }
  }

  /// An argument known by its place; nil where it is optional and was not given.
  func positional(_ argument: PositionalDeclaration) -> String? {
    precondition(Catalogue.declaration(of: command).positionals.contains(argument), "\(argument.name) is not declared")
    return positionals[argument.name]
  }

  private func given(_ option: OptionDeclaration) -> [String] {
    precondition(Catalogue.declaration(of: command).options.contains(option), "--\(option.name) is not declared")
    return values[option.name] ?? []
  }
}

extension OptionDeclaration.Kind {
  /// Whether a text is a value of this kind.
  func accepts(_ text: String) -> Bool {
    switch self {
    case .flag: false
    case .text, .file: !text.isEmpty
    case .integer(let range): Int(text).map { range.contains($0) } ?? false
    case .choice(let words): words.contains(text)
    case .assignment: Self.assignment(in: text) != nil
    case .timestamp: Self.nanoseconds(in: text) != nil
    }
  }

  /// `NAME=VALUE`, divided at the first `=`; nil where there is none or no name.
  static func assignment(in text: String) -> (name: String, value: String)? {
    guard let sign = text.firstIndex(of: "="), sign > text.startIndex else { return nil }
    return (String(text[..<sign]), String(text[text.index(after: sign)...]))
  }

  /// RFC 3339 text as nanoseconds since 1970; nil where it is none.
  static func nanoseconds(in text: String) -> Int64? {
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBufferPointer { try? TimestampText.nanoseconds($0) }
  }
}
