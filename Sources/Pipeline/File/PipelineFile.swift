public import Configuration
internal import Foundation

/// A pipeline file: the way from its text to a checked plan.
///
/// Relative paths in it start from its own directory.
public enum PipelineFile {
  /// All settings, each declared once.
  public static var declaration: SectionDeclaration { PipelineDeclaration.root }

  /// Reads and checks a file's bytes.
  ///
  /// - Parameters:
  ///   - bytes: the file's content.
  ///   - path: the file's name, for messages and for the paths within it.
  ///   - environment: the variables that `${NAME}` stands for.
  ///   - properties: who knows librdkafka's properties; without it, any name and value is taken.
  /// - Returns: everything that is wrong with it, at once, and the plan where there is no error.
  public static func read(
    bytes: [UInt8], path: String, environment: [String: String], properties: PropertyCheck? = nil
  ) -> (plan: PipelinePlan?, diagnostics: DiagnosticBag) {
    let found = parts(bytes, path, environment, properties)
    return (found.plan, found.diagnostics)
  }

  /// The same, with the tables that can be loaded, whatever is wrong with the rest of the file.
  static func parts(
    _ bytes: [UInt8], _ path: String, _ environment: [String: String], _ properties: PropertyCheck?
  ) -> (plan: PipelinePlan?, tables: [TableModel], diagnostics: DiagnosticBag) {
    let bag = DiagnosticBag(file: path, source: SourceText(bytes))
    guard let root = YAMLParser.parse(bytes, bag: bag) else {
      if !bag.hasErrors { bag.error(start, "the file is empty", hint: "it begins with `tocsin: 1`") }
      return (nil, [], bag)
    }
    let reader = PipelineFileReader(
      root, bytes: bytes, path: path, bag: bag, variables: EnvironmentText(environment), propertyCheck: properties)
    let (plan, tables) = reader.read()
    return (bag.hasErrors ? nil : plan, tables, bag)
  }

  /// Reads and checks a file.
  ///
  /// - Parameters:
  ///   - environment: the variables that `${NAME}` stands for; without it, those of this process.
  ///   - properties: who knows librdkafka's properties; without it, any name and value is taken.
  public static func load(
    path: String, environment: [String: String]? = nil, properties: PropertyCheck? = nil
  ) -> (plan: PipelinePlan?, diagnostics: DiagnosticBag) {
    let environment = environment ?? ProcessInfo.processInfo.environment
    do throws(UnreadableFile) {
      return read(
        bytes: try UnreadableFile.bytes(path, limit: YAMLParser.fileLimit), path: path, environment: environment,
        properties: properties)
    } catch {
      let bag = DiagnosticBag(file: path, source: nil)
      bag.error(start, "can't be read: \(error.reason)")
      return (nil, bag)
    }
  }

  private static var start: SourceRange { SourceRange(line: 1, column: 1, offset: 0, length: 1) }

  /// The reference of all settings, as a Markdown page.
  public static var referencePage: String {
    let page = ReferencePage.markdown(declaration, title: "Reference")
    // It stands below a guide that has the page's title.
    return page.split(separator: "\n", omittingEmptySubsequences: false).map { $0.hasPrefix("#") ? "#\($0)" : "\($0)" }
      .joined(separator: "\n")
  }

  /// A JSON Schema (draft 2020-12) for editors.
  public static var editorSchema: String { EditorSchema.json(declaration, title: "Tocsin pipeline file") }
}
