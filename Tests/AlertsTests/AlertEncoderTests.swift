import Events
import Testing

@testable import Alerts

struct AlertEncoderTests {
  private func header(_ alert: EncodedAlert, _ name: String) -> String? {
    alert.headers.first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
  }

  private func body(_ record: AlertRecord) throws -> JSONValue { try JSONValue(AlertEncoder().encode(record).body) }

  @Test func anEpisodeOpensIsUpdatedAndCloses() throws {
    let states: [(AlertRecord.Episode.State, Double, String, Bool)] = [
      (.opened, 1, "Create", true), (.updated, 2, "Update", true), (.closed, 3, "Close", false),
    ]
    for (state, id, word, isAlert) in states {
      let record = Samples.structuring(state, revision: Int(id), events: 3, at: 0)
      let alert = AlertEncoder().encode(record)
      let body = try JSONValue(alert.body)
      #expect(header(alert, "ce_type") == "dev.tocsin.alert.\(state.rawValue).v1")
      #expect(body["activity_id"] == .number(id))
      #expect(body["activity_name"] == .string(word))
      #expect(body["type_uid"] == .number(200_400 + id))
      #expect(body["is_alert"] == .bool(isAlert))
      #expect(body["status_id"] == .number(1))
      #expect(body["metadata.uid"]?.string == header(alert, "ce_id"))
      #expect(body["metadata.correlation_uid"]?.string == header(alert, "ce_correlationid"))
    }
  }

  @Test func headersAreCloudEvents() {
    let alert = AlertEncoder().encode(Samples.structuring(.updated, revision: 2, events: 5, at: 3_600))
    #expect(String(decoding: alert.key, as: UTF8.self) == "wallet:bc1qexampleexampleexample")
    #expect(header(alert, "content-type") == "application/json")
    #expect(header(alert, "ce_specversion") == "1.0")
    #expect(header(alert, "ce_source") == "//bank.example/tocsin/crypto-transfers")
    #expect(header(alert, "ce_subject") == "wallet:bc1qexampleexampleexample")
    #expect(header(alert, "ce_partitionkey") == header(alert, "ce_subject"))
    #expect(header(alert, "ce_time") == "2026-11-23T10:20:00Z")
    #expect(header(alert, "ce_dataschema") == AlertEncoder.dataSchema)
    #expect(header(alert, "ce_severitynumber") == "17")
    #expect(header(alert, "ce_severitytext") == "HIGH")
    #expect(header(alert, "ce_traceparent") == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    let hostile = AlertEncoder().encode(Samples.hostile)
    #expect(header(hostile, "ce_source") == "//bank.example/tocsin/p%2F..%2F%F0%9F%8F%A6%20%25")
    #expect(header(hostile, "ce_traceparent") == nil)
  }

  @Test func eachSeverityHasItsNumbers() throws {
    var seen: [String] = []
    for severity in Severity.allCases {
      var record = Samples.withoutBy
      record.severity = severity
      let alert = AlertEncoder().encode(record)
      #expect(try JSONValue(alert.body)["severity_id"] == .number(Double(severity.rawValue)))
      seen.append("\(header(alert, "ce_severitynumber") ?? "") \(header(alert, "ce_severitytext") ?? "")")
    }
    #expect(seen == ["9 INFORMATIONAL", "10 LOW", "13 MEDIUM", "17 HIGH", "21 CRITICAL"])
  }

  @Test func levelsFollowTheirScores() {
    #expect([-1, 0, 1, 24, 25, 49, 50, 74, 75, 900].map { Level.risk($0).id } == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    #expect([0, 33, 34, 66, 67, 100].map { Level.confidence($0).id } == [1, 1, 2, 2, 3, 3])
  }

  @Test func confidenceIsTheBestOfTheWatchlists() throws {
    func confidence(_ hits: [(AlertRecord.TableHit.Kind, Int?)]) throws -> JSONValue? {
      var record = Samples.withoutBy
      record.hits = hits.map {
        .init(key: "k", table: "t", kind: $0.0, version: "v", entry: "e", confidence: $0.1)
      }
      return try body(record)["confidence_score"]
    }
    #expect(try confidence([(.watchlist, 40), (.watchlist, 60), (.watchlist, nil)]) == .number(60))
    #expect(try confidence([(.allowlist, 90), (.reference, 90), (.watchlist, 101), (.watchlist, -1)]) == nil)
  }

  @Test func observablesAreTheSubjectAndWhatCanBeLookedUpEachOnce() throws {
    let observables = try #require(try body(Samples.withoutBy)["observables"]?.array)
    let found = observables.map { item in
      "\(item["name"]?.string ?? "") \(Int(item["type_id"]?.number ?? 0)) \(item["type"]?.string ?? "") \(item["value"]?.string ?? "")"
    }
    #expect(
      found == [
        "evidences[0].data.fields.user 4 User Name root",
        "evidences[0].data.fields.host 1 Hostname db1.bank.example",
        "evidences[0].data.fields.source 2 IP Address 192.0.2.7",
        "evidences[0].data.fields.hops[0] 2 IP Address 192.0.2.1",
        "evidences[0].data.fields.merchant 99 merchant M-7",
      ])
    let wallets = try #require(try body(Samples.listedPayee)["observables"]?.array)
    #expect(wallets.map { $0["name"]?.string } == ["resources[0].uid", "evidences[0].data.fields.to"])
    #expect(wallets.allSatisfy { $0["type"] == .string("Crypto Address") && $0["type_id"] == .number(99) })
  }

  @Test func enrichmentsPointAtTheValueThatWasFound() throws {
    var record = Samples.withoutBy
    record.subject.value = "card-7"
    func name(_ field: String?, _ key: String) throws -> String? {
      record.hits = [.init(field: field, key: key, table: "list", kind: .watchlist, version: "v", entry: "e")]
      return try body(record)["enrichments.0.name"]?.string
    }
    #expect(try name("source", "192.0.2.7") == "evidences[0].data.fields.source")
    #expect(try name("hops", "192.0.2.1") == "evidences[0].data.fields.hops[0]")
    #expect(try name(nil, "root") == "evidences[0].data.fields.user")
    #expect(try name("user", "somebody") == "user")
    #expect(try name(nil, "card-7") == "resources[0].uid")
    #expect(try name(nil, "nowhere") == "list")
  }

  @Test func evidenceIsDroppedFromTheOldestOn() throws {
    var record = Samples.listedPayee
    record.evidence = (0..<150).map { Samples.transfer($0, to: "payee \($0)", cents: 1, at: Samples.start) }
    let all = try body(record)
    #expect(all["evidences"]?.array?.count == AlertBounds.evidence)
    #expect(all["evidences.0.uid"]?.string == "transfers/3/50")
    #expect(all["evidences.99.uid"]?.string == "transfers/3/149")
    #expect(all["unmapped.tocsin.episode.evidence_truncated"] == .bool(true))

    let long = AlertRecord.Field(name: "x", value: .string(String(repeating: "x", count: 500)), type: .string)
    for index in record.evidence.indices {
      record.evidence[index].fields = (0..<20).map { number in
        var field = long
        field.name = "x\(number)"
        return field
      }
    }
    let some = try #require(try body(record)["evidences"]?.array)
    #expect(!some.isEmpty && some.count < AlertBounds.evidence)
    #expect(some.last?["uid"]?.string == "transfers/3/149")
    #expect(some.first?["uid"]?.string == "transfers/3/\(150 - some.count)")
  }

  @Test func whatIsWithinTheBoundsIsWholeAndSaysSo() throws {
    let body = try body(Samples.listedPayee)
    #expect(body["metadata.is_truncated"] == .bool(false))
    #expect(body["unmapped.tocsin.episode.evidence_truncated"] == .bool(false))
    #expect(body["evidences.0.data.fields.usd"] == .string("4800.00"))
    #expect(try self.body(Samples.hostile)["metadata.is_truncated"] == .bool(true))
  }
}
