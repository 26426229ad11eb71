import Configuration
import KafkaTransport
import Pipeline

/// Reads a pipeline file, or that and its lists, for a command, and tells a person what is wrong with them.
enum PipelineLoading {
  /// The plan of a file; nil where it has mistakes, which were told then. Warnings are told too.
  static func plan(_ path: String) -> PipelinePlan? {
    let (plan, diagnostics) = PipelineFile.load(path: path, properties: .librdkafka)
    let report = diagnostics.rendered()
    if !report.isEmpty { Program.writeError(report) }
    return plan
  }

  /// A file and its lists.
  ///
  /// - Throws: what it ends with, where there are mistakes: they were told then.
  static func version(
    _ path: String, properties: PropertyCheck = .librdkafka
  ) throws(ExitCode) -> VersionLoader.Loaded {
    do throws(VersionLoader.Mistakes) {
      let loaded = try VersionLoader.load(path: path, properties: properties)
      if let warnings = loaded.warnings { Program.writeError(warnings) }
      return loaded
    } catch {
      Program.writeError(error.report)
      throw error.isInFile ? .pipelineMistakes : .environment
    }
  }
}
