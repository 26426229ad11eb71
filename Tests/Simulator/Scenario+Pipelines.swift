import Configuration
import Foundation
import Pipeline

/// The two pipelines.
extension Scenario {
  static let pipeline = """
    tocsin: 1
    pipeline: simulated
    sources:
      payments:
        topic: payments
        format: json
        key: card
        time: { field: ts, out_of_order: 4s, idle: 30s }
        fields:
          ts:     { at: /ts, type: timestamp_ms }
          card:   { at: $key, type: string, entity: card }
          amount: { at: /amount, type: int }
    rules:
      - id: large
        where: amount >= 97
      - id: hot
        by: card
        where: amount >= 85
        keep_firing_for: 20s
        update_every: 8s
      - id: burst
        by: card
        over: 40s
        let: { n: count(), total: sum(amount) }
        condition: [n >= 4, total >= 150]
        severity: { low: "true", high: "n >= 6" }
        update_every: 10s
        keep_firing_for: 5s
        evidence: 3
      - id: minute
        by: card
        per: 30s
        let: { n: count(), most: max(amount) }
        condition: [n >= 3, most >= 60]
        update_every: 5s
        evidence: 2
    outputs:
      alerts:      { topic: alerts, source: //test/tocsin }
      late:        { topic: payments.late }
      dead_letter: { topic: payments.dead }
    """

  /// What a pipeline with exchanges has besides: rules of two other keys. `each` tells of each event that crosses, once.
  private static let exchangeFields = """
          shop:   { at: /shop, type: string, entity: merchant, optional: true }
          serial: { at: /serial, type: int, optional: true }
    """
  private static let exchangeRules = """
      - id: each
        by: serial
        where: amount >= 40
        keep_firing_for: 1s
      - id: shop-minute
        by: shop
        per: 30s
        let: { n: count() }
        condition: n >= 2
      - id: shop-hot
        by: shop
        where: amount >= 80
        keep_firing_for: 20s
        update_every: 8s
    exchange: { partitions: 2, lead: 1m }
    """

  /// The pipeline, read once.
  static let plan: PipelinePlan = read(pipeline)

  /// The pipeline with exchanges, read once.
  static let exchangePlan: PipelinePlan = {
    let fields = pipeline.replacingOccurrences(of: "rules:\n", with: exchangeFields + "\nrules:\n")
    return read(fields.replacingOccurrences(of: "outputs:\n", with: exchangeRules + "\noutputs:\n"))
  }()

  private static func read(_ text: String) -> PipelinePlan {
    let read = PipelineFile.read(bytes: Array(text.utf8), path: "simulated.yaml", environment: [:])
    guard let plan = read.plan else { preconditionFailure(read.diagnostics.rendered()) }
    return plan
  }
}
