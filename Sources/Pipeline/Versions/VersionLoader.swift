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
    /// All of them in the file's order, and what else is probably a mistake: each begins with `file:line:column: `, and some
    /// have more lines.
    public var report: String
    /// The files of the lists that it names, as far as they are known.
    public var paths: [String]

    /// Mistakes.
    public init(_ report: String, isInFile: Bool, paths: [String] = []) {
      self.report = report
      self.isInFile = isInFile
      self.paths = paths
    }

    /// All of them.
    public var description: String { report }
  }

  /// What was loaded.
  public struct Loaded: Sendable {
    /// Ready to run.
    public var version: PipelineVersion
    /// What it was made of.
    public var content: VersionContent
    /// What is probably a mistake, written like mistakes; nil: nothing is.
    public var warnings: String?
  }

  /// Reads a pipeline file and its lists.
  ///
  /// - Parameters:
  ///   - environment: the variables that `${NAME}` stands for; without it, those of this process.
  ///   - previous: the version in force, against whose lists `max_shrink` is held.
  ///   - properties: who knows librdkafka's properties; without it, any name and value is taken.
  /// - Throws: all that is wrong with the file and its lists, at once.
  public static func load(
    path: String, environment: [String: String]? = nil, previous: PipelineVersion? = nil,
    properties: PropertyCheck? = nil
  ) throws(Mistakes) -> Loaded {
    let environment = environment ?? ProcessInfo.processInfo.environment
    let bytes: [UInt8]
    do throws(UnreadableFile) {
      bytes = try UnreadableFile.bytes(path, limit: YAMLParser.fileLimit)
    } catch {
      throw Mistakes("\(path):1:1: error: can't be read: \(error.reason)", isInFile: true)
    }
    var kept: [String: TableContent] = [:]
    let (plan, tables, warnings) = try read(bytes, path, environment, properties, previous) {
      source throws(TableLoadError) in
      let content = try TableContent(of: source)
      kept[source.name] = content
      return content
    }
    let used = PipelineFile.variables(bytes)
    guard let pipeline = PipelineFile.withoutProperties(bytes) else {
      // The reader has refused it already; were it not so, nothing secret may be kept, and a process that runs goes on.
      throw Mistakes("\(path):1:1: error: `librdkafka` can't be left out of the copy that is kept", isInFile: true)
    }
    let content = VersionContent(
      file: SHA256.hex(bytes), pipeline: pipeline, variables: environment.filter { used.contains($0.key) }, tables: kept
    )
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
    do throws(Mistakes) {
      var (plan, tables, _) = try read(content.pipeline, path, environment, nil, nil) {
        source throws(TableLoadError) in
        guard let table = content.tables[source.name] else {
          throw .unreadable(table: source.name, file: source.path, reason: "its bytes were not kept")
        }
        return table
      }
      plan.version = "sha256:\(content.file)"
      return PipelineVersion(id: id, plan: plan, tables: tables)
    } catch {
      throw .unreadable(id, [error.report])
    }
  }

  /// The plan and its tables, with what is probably a mistake.
  private static func read(
    _ bytes: [UInt8], _ path: String, _ environment: [String: String], _ properties: PropertyCheck?,
    _ previous: PipelineVersion?, _ content: (TableSource) throws(TableLoadError) -> TableContent
  ) throws(Mistakes) -> (plan: PipelinePlan, tables: [TableSnapshot], warnings: String?) {
    let (plan, models, bag) = PipelineFile.parts(bytes, path, environment, properties)
    let isInFile = bag.hasErrors
    var tables: [TableSnapshot] = []
    for model in models {
      guard let source = model.source else { continue }
      let place = TablePlace(model, source)
      do throws(TableLoadError) {
        let table = try TableLoader.load(
          source, content: try content(source), previous: previous?.tables.first { $0.name == source.name })
        for warning in table.warnings { bag.warning(place.range(of: nil), warning) }
        tables.append(table)
      } catch {
        for mistake in error.parts {
          bag.error(place.range(of: mistake.file), mistake.message)
        }
      }
    }
    let report = bag.rendered()
    guard let plan, !bag.hasErrors else {
      throw Mistakes(
        report, isInFile: isInFile, paths: models.flatMap { $0.source.map { TableContent.paths(of: $0) } ?? [] })
    }
    return (plan, tables, report.isEmpty ? nil : report)
  }
}

/// Where the pipeline file names the files of a table.
private struct TablePlace {
  private let model: TableModel
  private let overflow: String?

  init(_ model: TableModel, _ source: TableSource) {
    self.model = model
    overflow = source.overflowPath
  }

  /// The place of one of its files; nil: of the list.
  func range(of file: String?) -> SourceRange {
    if let file, file == overflow, let place = model.overflowPlace { return place }
    return model.place
  }
}
