/// The versions of a pipeline that a task may need: those that were in force where it reads again, and the newest.
public struct TaskVersions: Sendable {
  /// The versions that were in force before, as far as they could be had.
  public var earlier: [VersionID: PipelineVersion]
  /// The version for new records.
  public var newest: PipelineVersion

  /// Versions for a task.
  public init(newest: PipelineVersion, earlier: [VersionID: PipelineVersion] = [:]) {
    self.newest = newest
    self.earlier = earlier
  }

  /// A version; the newest stands in for one that could not be had.
  func version(_ id: VersionID) -> PipelineVersion { id == newest.id ? newest : earlier[id] ?? newest }
}
