import Configuration
import Pipeline
import Tables

/// Reads a pipeline file and its lists for a command, and tells a person what is wrong with them.
enum PipelineLoading {
  /// A pipeline file and its tables.
  struct Loaded {
    var plan: PipelinePlan
    var tables: [TableSnapshot]
  }

  /// The plan of a file; nil where it has mistakes, which were told then. Warnings are told too.
  static func plan(_ path: String) -> PipelinePlan? {
    let (plan, diagnostics) = PipelineFile.load(path: path)
    let report = diagnostics.rendered()
    if !report.isEmpty { Program.writeError(report) }
    return plan
  }

  /// The tables of a plan, in its order; nil where one can't be loaded: all that can't were told then.
  static func tables(_ plan: PipelinePlan) -> [TableSnapshot]? {
    var tables: [TableSnapshot] = []
    for source in plan.tables {
      do throws(TableLoadError) {
        let table = try TableLoader.load(source)
        for warning in table.warnings { Program.writeError("warning: \(warning)") }
        tables.append(table)
      } catch {
        Program.writeError("\(error)")
      }
    }
    return tables.count == plan.tables.count ? tables : nil
  }
}
