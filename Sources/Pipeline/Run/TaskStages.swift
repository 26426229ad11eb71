internal import Detection
internal import Events
internal import Tables
internal import Telemetry

/// The stages of a task as one version of the pipeline has them. Another version has others; what goes on is event time, and
/// the state of rules whose identity is the same.
final class TaskStages {
  /// nil: the task has one version for good.
  let version: VersionID?
  /// The plan with the rules that run here only.
  let plan: PipelinePlan
  let tables: [TableSnapshot]
  let batch: EventBatch
  let decode: DecodeStage
  let enrich: EnrichStage
  let detect: DetectStage
  let alert: AlertStage
  let metrics: PartitionMetrics
  /// Where the log is an exchange.
  let blocks: BlockStage?
  /// Where the log is the source, and rules of other keys want its events.
  let exchange: ExchangeStage?
  let filterMetrics: FilterMetrics?

  /// What does not change with the version.
  struct Place {
    var partition: PartitionID
    var records: RecordBatch
    var productVersion: String
    var registry: MetricsRegistry
    /// The numbers of partitions, where there are exchanges.
    var counts: ExchangeCounts?
    /// The topics of the exchanges that the process writes to.
    var exchanges: [String]
  }

  /// - Parameters:
  ///   - given: what of the plan runs where; nil: all of it here.
  ///   - old: the stages whose event time goes on.
  ///   - detect: makes the stage that holds the state, from the plan.
  init(
    _ version: VersionID?, _ whole: PipelinePlan, _ tables: [TableSnapshot], _ given: Topology?, _ place: Place,
    after old: TaskStages? = nil, detect: (PipelinePlan) -> DetectStage
  ) {
    // A version that had other exchanges is at work only where all was sent before.
    let topology = given?.arranged(like: place.exchanges)
    let behind = topology?.exchange(ofTopic: place.partition.topic)
    var plan = behind?.plan ?? topology?.source ?? whole
    // Whatever a version says, batches are as the process makes them.
    if behind == nil { plan.limits.batchRecords = place.records.capacity }
    self.version = version
    self.plan = plan
    self.tables = tables
    blocks = behind.map { _ in
      BlockStage(
        partition: place.partition, sourceTopic: plan.source.topic, schema: plan.schema,
        dropsRepeats: plan.delivery == .atLeastOnce)
    }
    if let old = old?.blocks { blocks?.restore(old) }
    batch = blocks?.batch ?? EventBatch(schema: plan.schema, records: place.records)
    if behind == nil, let topology, let counts = place.counts, !topology.exchanges.isEmpty {
      exchange = ExchangeStage(topology, batch: batch, counts: counts)
      filterMetrics = FilterMetrics(topology.exchanges.flatMap(\.plan.rules), place.registry)
    } else {
      exchange = nil
      filterMetrics = nil
    }
    decode = DecodeStage(plan)
    enrich = EnrichStage(plan)
    self.detect = detect(plan)
    alert = AlertStage(
      plan, topic: batch.records.originTopic, tables: tables, productVersion: place.productVersion)
    metrics = PartitionMetrics(place.partition, rules: plan.rules, place.registry)
  }
}
