/// Puts environment variables into values: `${NAME}`, `${NAME:-default}`; `$${` is a plain `${`. What is put in is data:
/// it is not read as YAML again.
public struct EnvironmentText: Sendable {
  private let variables: [String: String]

  /// Takes the values from these variables: name to value.
  public init(_ variables: [String: String]) { self.variables = variables }

  /// The text with every variable replaced.
  ///
  /// - Throws: where a variable is not set and has no default, or a `${` is not closed.
  public func substitute(_ text: String) throws(ScalarReader.Problem) -> String {
    var result = ""
    var rest = Substring(text)
    while let start = rest.firstRange(of: "${") {
      let before = rest[..<start.lowerBound]
      if before.hasSuffix("$") {
        result += before.dropLast() + "${"
        rest = rest[start.upperBound...]
        continue
      }
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
        throw ScalarReader.Problem(message: "`${` has no `}`", hint: "write `$${` for a plain `${`")
      }
      result += before
      result += try value(rest[start.upperBound..<end])
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  /// The names of the variables that a text reads, set or not.
  public static func names(in text: String) -> Set<String> {
    var names: Set<String> = []
    var rest = Substring(text)
    while let start = rest.firstRange(of: "${") {
      let isPlain = rest[..<start.lowerBound].hasSuffix("$")
      rest = rest[start.upperBound...]
      guard !isPlain, let end = rest.firstIndex(of: "}") else { continue }
      let parts = rest[..<end].split(separator: ":-", maxSplits: 1, omittingEmptySubsequences: false)
      names.insert(String(parts[0]))
    }
    return names
  }

  private func value(_ inside: Substring) throws(ScalarReader.Problem) -> String {
    let parts = inside.split(separator: ":-", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    if let value = variables[name] { return value }
    if parts.count == 2 { return String(parts[1]) }
    throw ScalarReader.Problem(
      message: "the environment has no variable `\(name)`", hint: "set it, or give a default: ${\(name):-value}")
  }
}
