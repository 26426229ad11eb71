import Kafka
import Pipeline
import Testing

@testable import KafkaTransport

/// What a user's properties become.
@Suite struct ClientSettingsTests {
  private func settings(_ properties: [String: String], instance: String = "one") throws -> ClientSettings {
    let text = """
      tocsin: 1
      pipeline: cards
      sources:
        payments:
          topic: payments
          format: json
          key: k
          time: { field: ts }
          fields: { ts: { at: /ts, type: timestamp_ms }, k: { at: $key, type: string } }
      rules: [{ id: all, where: "k != ''" }]
      outputs: { alerts: { topic: alerts } }
      """
    let read = PipelineFile.read(bytes: Array(text.utf8), path: "cards.yaml", environment: [:])
    let plan = try #require(read.plan)
    return ClientSettings(plan: plan, properties: properties, instance: instance)
  }

  /// A trial run under another group does not throw the running pipeline out.
  @Test func namesComeOfTheGroup() throws {
    let plain = try settings([:])
    #expect(plain.group == "cards" && plain.transactionalID == "cards-one" && plain.memberName == "cards-one")
    let trial = try settings(["group.id": "trial"])
    #expect(trial.group == "trial" && trial.memberName == "trial-one")
    #expect(trial.producer["transactional.id"] == "trial-one")
    #expect(trial.stateProducer["transactional.id"] == "trial-one-state")
    #expect(trial.stateTransactionalID == "trial-one-state")
  }

  /// Whatever the user says.
  @Test func thePromiseIsNotForSale() throws {
    let found = try settings([
      "isolation.level": "read_uncommitted", "enable.auto.commit": "true", "enable.partition.eof": "false",
      "auto.offset.reset": "latest", "transactional.id": "mine", "enable.idempotence": "false",
    ])
    let consumer = found.consumer
    #expect(consumer["isolation.level"] == "read_committed" && consumer["enable.auto.commit"] == "false")
    #expect(consumer["enable.partition.eof"] == "true" && consumer["auto.offset.reset"] == "error")
    #expect(found.producer["transactional.id"] == "cards-one" && found.producer["enable.idempotence"] == "true")
  }
}
