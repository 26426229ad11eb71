import Events
import KafkaTransport
import Pipeline
import Tables

/// `tocsin check`: every mistake of a pipeline file at once.
enum CheckCommand {
  /// Carries it out.
  static func run(_ invocation: Invocation) -> ExitCode {
    switch (invocation.flag(CheckOptions.schema), invocation.flag(CheckOptions.reference)) {
    case (true, true):
      return Program.report(.conflict("`check` takes one of `--schema` and `--reference`"), command: .check)
    case (true, false): print(PipelineFile.editorSchema, terminator: "")
    case (false, true): print(PipelineFile.referencePage, terminator: "")
    case (false, false):
      guard let path = invocation.positional(CheckOptions.file) else {
        return Program.report(.missingArgument(CheckOptions.file, command: .check), command: .check)
      }
      return check(path, explains: invocation.flag(CheckOptions.explain))
    }
    return .success
  }

  private static func check(_ path: String, explains: Bool) -> ExitCode {
    let version: PipelineVersion
    do throws(ExitCode) {
      version = try PipelineLoading.version(path, properties: .librdkafkaClients).version
    } catch {
      return .pipelineMistakes
    }
    let plan = version.plan
    if explains { print(explanation(plan), terminator: "") }
    let entries = version.tables.map { "\($0.name) (\($0.entryCount) entries)" }.joined(separator: ", ")
    print(
      "\(path): pipeline `\(plan.name)`: \(plan.rules.count) rules over \(plan.schema.fields.count) fields of topic "
        + "`\(plan.source.topic)`" + (entries.isEmpty ? "" : "; tables: \(entries)"))
    return .success
  }

  private static func explanation(_ plan: PipelinePlan) -> String {
    plan.expressions.map { "line \($0.line): \($0.place): \($0.type)\n  \($0.text)\n" }.joined()
  }
}
