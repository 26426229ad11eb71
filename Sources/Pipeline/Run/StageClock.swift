/// Times the stages of one batch.
struct StageClock {
  private let metrics: PartitionMetrics
  private var last = Committer.now()

  init(_ metrics: PartitionMetrics) { self.metrics = metrics }

  mutating func ended(_ stage: PartitionMetrics.Stage) {
    let now = Committer.now()
    metrics.stage(stage, nanoseconds: now - last)
    last = now
  }
}
