/// The reference of all settings as a Markdown page, made from their declarations.
public enum ReferencePage {
  /// The page for a section and all sections within it, each once, under `title`.
  public static func markdown(_ root: SectionDeclaration, title: String) -> String {
    var page = "# \(title)\n\n\(root.text)\n"
    var queue = [root]
    var seen: Set<String> = []
    while !queue.isEmpty {
      let section = queue.removeFirst()
      guard seen.insert(section.name).inserted else { continue }
      page += "\n## \(section.name)\n\n" + (section.name == root.name ? "" : section.text + "\n\n") + table(section)
      queue += section.settings.compactMap { $0.kind.child }
    }
    return page
  }

  private static func table(_ section: SectionDeclaration) -> String {
    var lines = ["| setting | what it is | value | default |", "|---|---|---|---|"]
    for setting in section.settings where setting.availability == .now {
      let fallback = setting.isRequired ? "required" : setting.defaultText.map { "`\($0)`" } ?? ""
      let example = setting.example.map { ", e.g. `\($0)`" } ?? ""
      lines.append(
        "| `\(cell(setting.name))` | \(cell(setting.text)) | \(cell(setting.kind.description + example)) | \(cell(fallback)) |"
      )
    }
    let later = section.settings.filter { $0.availability == .later }.map { "`\($0.name)`" }
    if !later.isEmpty { lines += ["", "Refused by name in this version: \(later.joined(separator: ", "))."] }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
}

extension SettingDeclaration.Kind {
  /// The declaration of the sections within.
  var child: SectionDeclaration? {
    switch self {
    case .section(let declaration), .sections(let declaration), .sectionList(let declaration): declaration
    default: nil
    }
  }

  var description: String {
    switch self {
    case .text: "text"
    case .integer(let bounds): "whole number, \(bounds.lowerBound) to \(bounds.upperBound)"
    case .number(let bounds): "number, \(bounds.lowerBound) to \(bounds.upperBound)"
    case .flag: "`true` or `false`"
    case .duration(let bounds):
      "duration, \(ScalarReader.durationText(bounds.lowerBound)) to \(ScalarReader.durationText(bounds.upperBound))"
    case .bytes(let bounds):
      "bytes, \(ScalarReader.bytesText(bounds.lowerBound)) to \(ScalarReader.bytesText(bounds.upperBound))"
    case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
    case .expressions: "expression, or a list of which all must hold"
    case .texts: "list of words"
    case .section(let declaration): "section [\(declaration.name)](#\(declaration.name))"
    case .sections(let declaration): "NAME: section [\(declaration.name)](#\(declaration.name))"
    case .sectionList(let declaration): "list of sections [\(declaration.name)](#\(declaration.name))"
    case .map: "NAME: value"
    case .custom(let shape): shape
    }
  }
}
