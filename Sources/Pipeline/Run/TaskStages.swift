internal import Detection
internal import Events
internal import Tables
internal import Telemetry

/// The stages of a task as one version of the pipeline has them. Another version has others; what goes on is the state of rules
/// whose identity is the same.
final class TaskStages {
  /// nil: the task keeps no versions.
  let version: VersionID?
  let plan: PipelinePlan
  let tables: [TableSnapshot]
  let batch: EventBatch
  let decode: DecodeStage
  let enrich: EnrichStage
  let detect: DetectStage
  let alert: AlertStage
  let metrics: PartitionMetrics

  /// What does not change with the version.
  struct Place {
    var partition: PartitionID
    var records: RecordBatch
    var productVersion: String
    var registry: MetricsRegistry
  }

  /// - Parameter detect: makes the stage that holds the state, from the plan.
  init(
    _ version: VersionID?, _ plan: PipelinePlan, _ tables: [TableSnapshot], _ place: Place,
    detect: (PipelinePlan) -> DetectStage
  ) {
    var plan = plan
    // Whatever a version says, batches are as the process makes them.
    plan.limits.batchRecords = place.records.capacity
    self.version = version
    self.plan = plan
    self.tables = tables
    self.detect = detect(plan)
    batch = EventBatch(schema: plan.schema, records: place.records)
    decode = DecodeStage(plan)
    enrich = EnrichStage(plan)
    alert = AlertStage(plan, topic: place.records.originTopic, tables: tables, productVersion: place.productVersion)
    metrics = PartitionMetrics(place.partition, rules: plan.rules, place.registry)
  }
}
