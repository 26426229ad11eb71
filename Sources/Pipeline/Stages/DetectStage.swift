internal import Detection
internal import Events

/// Runs the rules.
final class DetectStage {
  let detector: PartitionDetector

  /// - Parameter seed: of the state that will be restored; nil: there is none.
  init(_ plan: PipelinePlan, origin: ReplayPoint, isTrimmed: Bool, seed: HashSeed?) {
    detector = PartitionDetector(
      rules: plan.rules, schema: plan.schema, outOfOrder: plan.source.outOfOrder, capacity: plan.limits.batchRecords,
      limits: PartitionDetector.Limits(stateBytes: plan.limits.stateBytes, episodes: plan.limits.episodes),
      origin: origin, isTrimmed: isTrimmed, seed: seed ?? .random())
  }

  /// The rules of another version, with the state of those whose identity is the same. `old` must not be used any more.
  init(_ plan: PipelinePlan, adopting old: DetectStage) {
    detector = PartitionDetector(
      rules: plan.rules, schema: plan.schema, outOfOrder: plan.source.outOfOrder, capacity: plan.limits.batchRecords,
      limits: PartitionDetector.Limits(stateBytes: plan.limits.stateBytes, episodes: plan.limits.episodes),
      adopting: old.detector)
  }

  func run(_ batch: EventBatch, tables: [any ReferenceTable]) -> [Finding] {
    detector.detect(batch, tables: tables)
  }
}
