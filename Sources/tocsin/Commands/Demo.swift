import Detection
import Foundation
import Kafka
import KafkaTransport
import Locking
import Pipeline
import Tables
import Telemetry

/// One demonstration: a broker, a writer of transfers, the pipeline, and a reader of its alerts.
final class Demo: Sendable {
  private let plan: PipelinePlan
  private let tables: [TableSnapshot]
  private let events: Int
  private let seed: UInt64
  private let rate: Int?
  private let registry = MetricsRegistry()
  private let truth = Lock<[TruthLine]>([])
  private let written = Lock<Result<Void, GenerateError>?>(nil)
  /// How many records had been read, and for how many seconds there have been no more.
  private let quiet = Lock<(records: Int64, seconds: Int)>((0, 0))
  /// Seconds without a record after which the demonstration ends; joining the group takes some.
  private static let patience = 20

  init(_ plan: PipelinePlan, _ tables: [TableSnapshot], _ invocation: Invocation) {
    self.plan = plan
    self.tables = tables
    events = invocation.integer(DemoOptions.events) ?? 0
    seed = UInt64(invocation.integer(DemoOptions.seed) ?? 0)
    rate = invocation.integer(DemoOptions.rate)
  }

  func run() throws {
    let partitions = 4
    let topics = [
      plan.source.topic, plan.outputs.alerts, plan.outputs.late, plan.outputs.deadLetter,
      KafkaRunner.stateTopic(of: plan),
    ].compactMap { $0 }
    let broker = try EmbeddedBroker(
      topics: Dictionary(topics.map { ($0, partitions) }) { first, _ in first })
    defer { broker.stop() }
    print("An embedded broker, \(events) made transfers, pipeline `\(plan.name)`, and these lists:")
    for table in tables where table.kind == .watchlist {
      print("  \(table.name): \(table.entryCount) entries of \(table.path)")
    }
    print("Joining the consumer group takes some seconds; then alerts come as they are found.\n")
    let listed = try SanctionsList.wallets(path: sanctionsPath)
    let settings = PlantingSettings(
      events: events, seed: seed, partitions: partitions, startMilliseconds: 1_767_225_600_000)
    let configuration = broker.configuration
    Thread.detachNewThread { self.write(TransferGenerator(settings, listed: listed), configuration) }
    let printer = AlertPrinter(configuration, topic: plan.outputs.alerts, partitions: partitions)
    try runPipeline(configuration, printer)
    try printer.finish(expecting: alertCount)
    try written.withLock { try $0?.get() }
    tellResult()
  }

  private var sanctionsPath: String {
    tables.first { $0.kind == .watchlist }?.path ?? GenerateOptions.sanctions.defaultText ?? ""
  }

  /// Alerts that were committed.
  private var alertCount: Int64 {
    registry.total(PipelineMetrics.outputs, where: ["destination": Output.Destination.alerts.rawValue])
  }

  private func write(_ generator: TransferGenerator, _ configuration: KafkaConfiguration) {
    var generator = generator
    let result = Result { () throws(GenerateError) in
      var writer = try KafkaEventWriter(configuration, topic: plan.source.topic, checksOffsets: false)
      var pace = rate.map { Pace(perSecond: $0) }
      var event = GeneratedEvent()
      while generator.next(&event) {
        pace?.wait()
        try writer.write(event)
        if !event.truth.isEmpty { truth.withLock { $0 += event.truth } }
      }
      try writer.finish()
    }
    written.withLock { $0 = result }
  }

  /// Runs until all that was written has been read.
  private func runPipeline(_ configuration: KafkaConfiguration, _ printer: AlertPrinter) throws {
    var options = KafkaRunner.Options(instance: "demo")
    options.properties = configuration.properties
    options.checksTopicSettings = false
    let handle = Lock<KafkaRunner?>(nil)
    let runner = try KafkaRunner(
      plan: plan, tables: tables, options: options, registry: registry, productVersion: ProgramVersion.number
    ) {
      printer.poll()
      if self.isDone() { handle.withLock { $0?.stop() } }
    }
    handle.withLock { $0 = runner }
    let signals = StopSignals(stop: { _ in runner.stop() })
    defer { signals.cancel() }
    try runner.run()
  }

  /// Whether all that was written has been read, or nothing more comes. Asked about once a second.
  private func isDone() -> Bool {
    switch written.withLock({ $0 }) {
    case nil: return false
    case .failure: return true
    case .success: break
    }
    let records = registry.total(PipelineMetrics.records)
    return quiet.withLock { quiet in
      quiet = records == quiet.records ? (records, quiet.seconds + 1) : (records, 0)
      return records >= events || quiet.seconds >= Self.patience
    }
  }

  private func tellResult() {
    let records = registry.total(PipelineMetrics.records)
    print(
      "\n\(records) events, \(registry.total(PipelineMetrics.late)) late, "
        + "\(registry.total(PipelineMetrics.deadLetters)) dead letters. By rule, cases that were planted, and alerts:")
    let planted = truth.withLock { $0 }
    for rule in plan.rules {
      let cases = planted.count { $0.rule == rule.id }
      let opened = registry.total(PipelineMetrics.alerts, where: ["rule": rule.id, "state": "opened"])
      print("  \(rule.id): \(cases) planted, \(opened) alerts")
    }
    print("\nNext: `tocsin check \(plan.name).yaml` on a pipeline file of your own, or `tocsin help run`.")
  }
}
