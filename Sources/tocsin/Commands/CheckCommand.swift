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
    guard let plan = PipelineLoading.plan(path) else { return .pipelineMistakes }
    let tables = PipelineLoading.tables(plan)
    let isAccepted = librdkafkaAccepts(plan, path)
    guard let tables, isAccepted else { return .pipelineMistakes }
    if explains { print(explanation(plan), terminator: "") }
    let entries = tables.map { "\($0.name) (\($0.entryCount) entries)" }.joined(separator: ", ")
    print(
      "\(path): pipeline `\(plan.name)`: \(plan.rules.count) rules over \(plan.schema.fields.count) fields of topic "
        + "`\(plan.source.topic)`" + (entries.isEmpty ? "" : "; tables: \(entries)"))
    return .success
  }

  /// Whether librdkafka takes the file's properties; its own answer is told where it does not.
  private static func librdkafkaAccepts(_ plan: PipelinePlan, _ path: String) -> Bool {
    let settings = ClientSettings(plan: plan, properties: plan.properties, instance: "check")
    do throws(PipelineFailure) {
      try settings.validate()
      return true
    } catch {
      Program.writeError("\(path): librdkafka: \(error)")
      return false
    }
  }

  private static func explanation(_ plan: PipelinePlan) -> String {
    plan.expressions.map { "line \($0.line): \($0.place): \($0.type)\n  \($0.text)\n" }.joined()
  }
}
