import Events
import Foundation
import TestSupport
import Testing

@testable import Alerts

/// What holds for every alert, whatever is in it.
struct RandomRecordTests {
  @Test(arguments: 0..<100 as Range<UInt64>)
  func everyRecordIsValidBoundedAndTheSameEachTime(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    let record = RandomRecord.record(&random)
    let alert = AlertEncoder().encode(record)
    #expect(AlertEncoder().encode(record) == alert)
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(alert.body)) }
    let body = try JSONValue(alert.body)
    #expect(try Repository.schema().problems(body) == [])
    try checkBounds(alert, body)
    #expect(body["metadata.uid"]?.string == record.recordID.description)
    #expect(body["finding_info.uid"]?.string == record.episodeID.description)
  }

  private func checkBounds(_ alert: EncodedAlert, _ body: JSONValue) throws {
    #expect(alert.body.count <= AlertBounds.body)
    #expect(alert.key.count <= AlertBounds.key)
    for header in alert.headers {
      let text = try #require(String(bytes: header.value ?? [], encoding: .utf8))
      #expect(text.utf8.count <= AlertBounds.key)
      #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }
    for (path, limit) in [
      ("evidences", AlertBounds.evidence), ("enrichments", AlertBounds.hits), ("observables", AlertBounds.observables),
      ("unmapped.tocsin.conditions", AlertBounds.conditions), ("unmapped.tocsin.key", AlertBounds.keyParts),
    ] {
      #expect(body[path]?.array?.count ?? 0 <= limit, "\(path)")
    }
  }

  /// Every list longer and every text as long in JSON as the bounds let through.
  @Test(arguments: ["\u{1}", "\"", "x", "𝄞"])
  func theLargestRecordFits(_ character: String) throws {
    let text = String(repeating: character, count: 5_000)
    let item = AlertRecord.Evidence(
      place: RecordPlace(topic: text, partition: .max, offset: .min), eventTime: .min, sha256: text,
      fields: Self.named(AlertBounds.fields + 1, text).map { .init(name: $0.name, value: $0.value, type: .address) })
    let record = Self.largest(text, evidence: Array(repeating: item, count: AlertBounds.evidence + 1))
    let alert = AlertEncoder().encode(record)
    let body = try JSONValue(alert.body)
    #expect(try Repository.schema().problems(body) == [])
    try checkBounds(alert, body)
    #expect(alert.body.count > AlertBounds.body / 2)
    #expect(body["evidences"]?.array?.isEmpty == false)
    #expect(body["unmapped.tocsin.episode.evidence_truncated"] == .bool(true))
    #expect(body["metadata.is_truncated"] == .bool(true))
  }

  private static func named(_ count: Int, _ text: String) -> [NamedScalar] {
    (0..<count).map { NamedScalar("\($0)" + text, .string("\($0)" + text)) }
  }

  private static func largest(_ text: String, evidence: [AlertRecord.Evidence]) -> AlertRecord {
    let words = Array(repeating: text, count: AlertBounds.words + 1)
    let value = Scalar.list(Array(repeating: .string(text), count: 100))
    return AlertRecord(
      pipeline: .init(name: text, version: text, productVersion: text, alertSource: text),
      rule: .init(
        id: text, title: text, description: text, version: text, crimes: words, tags: words,
        references: words.map { "https://" + $0 }, runbook: text + text, owner: text, riskScore: .max, action: .review),
      episode: .init(
        state: .updated, revision: .max, start: .min, opening: RecordPlace(topic: text, partition: .max, offset: .min),
        opened: .min, events: .max, heldBack: .max),
      subject: .init(entity: text, value: text, key: named(AlertBounds.keyParts + 1, text)),
      severity: .informational, eventTime: .min, firstSeen: .min, lastSeen: .min, message: text,
      conditions: Array(
        repeating: .init(
          text: text, metric: text, observed: value, comparison: text, threshold: value, aggregate: text),
        count: AlertBounds.conditions + 1),
      values: named(AlertBounds.values + 1, text).map { NamedScalar($0.name, value) },
      window: .init(text: text, from: .min, to: .min), evidence: evidence,
      hits: Array(
        repeating: .init(
          field: text, key: text, table: text, kind: .watchlist, version: text, entry: text, category: text,
          confidence: .min, source: "https://" + text, listedOn: text, entity: text, asset: text),
        count: AlertBounds.hits + 1),
      tables: Dictionary(uniqueKeysWithValues: (0...AlertBounds.tables).map { ("\($0)" + text, text) }),
      traceParent: text, crypto: .init(chain: text, asset: text, address: text, exposure: .indirect))
  }
}
