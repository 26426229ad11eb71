public import Tables

/// One version of a pipeline, ready to run: the checked file and its lists.
public final class PipelineVersion: Sendable {
  /// Its name.
  public let id: VersionID
  /// What the file says.
  public let plan: PipelinePlan
  /// The lists, in the plan's order.
  public let tables: [TableSnapshot]

  /// A version.
  public init(id: VersionID, plan: PipelinePlan, tables: [TableSnapshot]) {
    self.id = id
    self.plan = plan
    self.tables = tables
  }
}
