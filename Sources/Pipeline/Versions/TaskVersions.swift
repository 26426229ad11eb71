/// The versions of a pipeline that a task may need: those that were in force where it reads again, and the newest.
public struct TaskVersions: Sendable {
  /// The versions that were in force before, as far as they could be had.
  public var earlier: [VersionID: PipelineVersion]
  /// The version for new records.
  public var newest: PipelineVersion
  /// The consumer group, after which the topics of exchanges are named; nil: as `Topology` takes it.
  public var group: String?
  /// The topics of the exchanges, in the order by which the process numbers them, whatever the order of a version is.
  public var exchanges: [String]

  /// Versions for a task.
  ///
  /// - Parameter exchanges: nil: the newest version's, in its order.
  public init(
    newest: PipelineVersion, earlier: [VersionID: PipelineVersion] = [:], group: String? = nil,
    exchanges: [String]? = nil
  ) {
    self.newest = newest
    self.earlier = earlier
    self.group = group
    self.exchanges = exchanges ?? Topology(newest.plan, group: group).exchanges.map(\.topic)
  }

  /// A version for a topic; the newest stands in for one that could not be had, or that does not read the topic.
  func version(_ id: VersionID, for topic: String) -> (version: PipelineVersion, topology: Topology) {
    if id != newest.id, let found = earlier[id] {
      let topology = Topology(found.plan, group: group)
      if topology.source.source.topic == topic || topology.exchange(ofTopic: topic) != nil { return (found, topology) }
    }
    return (newest, Topology(newest.plan, group: group))
  }
}
