internal import Configuration
internal import Events
internal import Foundation
internal import Tables

/// From files, or from what was kept of them, to a version that can run. Off the hot path.
public enum VersionLoader {
  /// Why a version can't be loaded: nothing of it is in force.
  public struct Mistakes: Error, Sendable, Hashable, CustomStringConvertible {
    /// Whether the pipeline file itself is wrong, or something that it names.
    public var isInFile: Bool
    /// Each mistake in a line or more: `file:line:column: ...`.
    public var messages: [String]
    /// The files of the lists that it names, as far as they are known.
    public var paths: [String]
    /// What else is probably a mistake.
    public var warnings: [String] = []

    /// Mistakes.
    public init(_ messages: [String], isInFile: Bool, paths: [String] = []) {
      self.messages = messages
      self.isInFile = isInFile
      self.paths = paths
    }

    /// All of them.
    public var description: String { messages.joined(separator: "\n") }
  }

  /// What was loaded.
  public struct Loaded: Sendable {
    /// Ready to run.
    public var version: PipelineVersion
    /// What it was made of.
    public var content: VersionContent
    /// What is probably a mistake.
    public var warnings: [String]
  }

  /// Reads a pipeline file and its lists.
  ///
  /// - Parameters:
  ///   - environment: the variables that `${NAME}` stands for; without it, those of this process.
  ///   - previous: the version in force, against whose lists `max_shrink` is held.
  public static func load(
    path: String, environment: [String: String]? = nil, previous: PipelineVersion? = nil
  ) throws(Mistakes) -> Loaded {
    let environment = environment ?? ProcessInfo.processInfo.environment
    let bytes: [UInt8]
    do throws(UnreadableFile) {
      bytes = try UnreadableFile.bytes(path, limit: YAMLParser.fileLimit)
    } catch {
      throw Mistakes(["\(path):1:1: error: can't be read: \(error.reason)"], isInFile: true)
    }
    var warnings: [String] = []
    let plan = try plan(bytes, path, environment, &warnings)
    let used = PipelineFile.variables(bytes)
    guard let kept = PipelineFile.withoutProperties(bytes) else {
      throw Mistakes(
        ["\(path):1:1: error: `librdkafka` must begin a line: what stands under it may be secret, and is not kept"],
        isInFile: true)
    }
    var content = VersionContent(
      file: SHA256.hex(bytes), pipeline: kept, variables: environment.filter { used.contains($0.key) })
    let tables = try tables(plan, previous, &warnings) { source throws(TableLoadError) in
      let table = try TableContent(of: source)
      content.tables[source.name] = table
      return table
    }
    return Loaded(
      version: PipelineVersion(id: content.manifest.id, plan: plan, tables: tables), content: content,
      warnings: warnings)
  }

  /// Makes a version of what was kept.
  ///
  /// - Parameters:
  ///   - path: the pipeline file's name, for messages.
  ///   - environment: the variables of `librdkafka`'s properties.
  public static func restore(
    _ content: VersionContent, path: String, environment: [String: String]? = nil
  ) throws(VersionError) -> PipelineVersion {
    let id = content.manifest.id
    let used = PipelineFile.variables(content.pipeline)
    var environment = environment ?? ProcessInfo.processInfo.environment
    // What was not set then is not set now.
    environment = environment.filter { !used.contains($0.key) }.merging(content.variables) { $1 }
    var warnings: [String] = []
    do throws(Mistakes) {
      var plan = try plan(content.pipeline, path, environment, &warnings)
      plan.version = "sha256:\(content.file)"
      let tables = try tables(plan, nil, &warnings) { source throws(TableLoadError) in
        guard let table = content.tables[source.name] else {
          throw .unreadable(table: source.name, file: source.path, reason: "its bytes were not kept")
        }
        return table
      }
      return PipelineVersion(id: id, plan: plan, tables: tables)
    } catch {
      throw .unreadable(id, error.messages)
    }
  }

  private static func plan(
    _ bytes: [UInt8], _ path: String, _ environment: [String: String], _ warnings: inout [String]
  ) throws(Mistakes) -> PipelinePlan {
    let (plan, diagnostics) = PipelineFile.read(bytes: bytes, path: path, environment: environment)
    let report = diagnostics.rendered()
    guard let plan else { throw Mistakes([report], isInFile: true) }
    if !report.isEmpty { warnings.append(report) }
    return plan
  }

  private static func tables(
    _ plan: PipelinePlan, _ previous: PipelineVersion?, _ warnings: inout [String],
    _ content: (TableSource) throws(TableLoadError) -> TableContent
  ) throws(Mistakes) -> [TableSnapshot] {
    var tables: [TableSnapshot] = []
    var messages: [String] = []
    for source in plan.tables {
      do throws(TableLoadError) {
        let table = try TableLoader.load(
          source, content: try content(source), previous: previous?.tables.first { $0.name == source.name })
        warnings += table.warnings.map { "warning: \($0)" }
        tables.append(table)
      } catch {
        messages.append("\(error)")
      }
    }
    guard messages.isEmpty else {
      var mistakes = Mistakes(messages, isInFile: false, paths: plan.tables.flatMap { TableContent.paths(of: $0) })
      mistakes.warnings = warnings
      throw mistakes
    }
    return tables
  }
}
