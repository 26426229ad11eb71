import CCrypto
import Foundation
import KafkaTestSupport

/// What was found on the output topics, held against the truth.
package struct Verdict: Sendable {
  package private(set) var expected = 0
  package private(set) var found = 0
  package private(set) var lost: [String] = []
  package private(set) var doubled: [String] = []
  package private(set) var wrong: [String] = []

  package var isRight: Bool { lost.isEmpty && doubled.isEmpty && wrong.isEmpty }

  private let truth: Truth
  private let topic: String
  private var seen: Set<String> = []

  init(_ truth: Truth, _ outputs: Outputs, topic: String) {
    self.truth = truth
    self.topic = topic
    compare("late", truth.late, outputs.late.map { Self.source($0) })
    compare("dead letter", truth.broken, outputs.dead.map { Self.source($0) })
    compareAlerts(outputs.alerts)
  }

  private static func source(_ record: Kcat.Record) -> Truth.Place {
    Truth.Place(
      partition: record.headers["tocsin-partition"].flatMap { Int($0) } ?? -1,
      offset: record.headers["tocsin-offset"].flatMap { Int($0) } ?? -1)
  }

  private mutating func compare<Item: Hashable>(_ kind: String, _ truth: Set<Item>, _ items: [Item]) {
    expected += truth.count
    found += items.count
    var counts: [Item: Int] = [:]
    for item in items { counts[item, default: 0] += 1 }
    lost += truth.filter { counts[$0] == nil }.map { "\(kind) \($0)" }
    wrong += counts.keys.filter { !truth.contains($0) }.map { "\(kind) \($0)" }
    doubled += counts.filter { $0.value > 1 }.map { "\(kind) \($0.key), \($0.value) times" }
  }

  // MARK: Alerts

  private mutating func compareAlerts(_ records: [Kcat.Record]) {
    let alerts = records.map { FoundAlert($0) }
    for alert in alerts where !seen.insert(alert.id).inserted { doubled.append("the id \(alert.id) of \(alert.rule)") }
    for alert in alerts { checkEvidence(alert) }
    let opened = alerts.filter { $0.type == "opened" }
    compare(
      "alert", Set(truth.openings),
      opened.filter { $0.rule != "merchant" }.map {
        Truth.Opening(rule: $0.rule, key: $0.rule == "large" ? "" : $0.key, cause: $0.cause, values: $0.values)
      })
    let crossings = opened.filter { $0.rule == "merchant" }
    compare(
      "alert of a merchant", truth.crossings,
      crossings.map { Truth.Crossing(merchant: $0.key, windowStart: $0.window?.lowerBound ?? -1) })
    // Time has passed all windows: each episode that opened has closed, once.
    compare(
      "close", Set(opened.filter { $0.rule != "large" }.map(\.episode)),
      alerts.filter { $0.type == "closed" }.map(\.episode))
    for alert in alerts where !["opened", "closed"].contains(alert.type) { wrong.append("\(alert)") }
  }

  /// Each piece of evidence is one of the key's records in the window, as it stands in the input topic.
  private mutating func checkEvidence(_ alert: FoundAlert) {
    if alert.evidence.isEmpty { wrong.append("no evidence: \(alert)") }
    for evidence in alert.evidence {
      guard let payment = truth.payments[evidence.place], evidence.topic == topic else {
        wrong.append("evidence \(evidence.topic)/\(evidence.place) is no payment: \(alert)")
        continue
      }
      let isOfKey =
        switch alert.rule {
        case "large": payment.cents >= Truth.large
        case "merchant": payment.merchantName == alert.key
        default: payment.accountName == alert.key
        }
      let isInside = alert.window.map { Self.isInside(payment.time, $0, alert.rule) } ?? true
      let isCounted = alert.rule == "large" || !truth.late.contains(evidence.place)
      if !isOfKey || !isInside || !isCounted || evidence.digest != Self.digest(payment.text) {
        wrong.append("evidence \(evidence.place): \(alert)")
      }
    }
    if Set(alert.evidence.map(\.place)).count != alert.evidence.count { wrong.append("evidence twice: \(alert)") }
  }

  /// A trailing window takes in what lies later than its event in the same granule.
  private static func isInside(_ time: Int64, _ window: Range<Int64>, _ rule: String) -> Bool {
    guard rule == "spend" else { return window.contains(time) }
    let end = (window.upperBound / Truth.spend.granule + 1) * Truth.spend.granule
    return time >= window.lowerBound && time < end
  }

  private static func digest(_ text: String) -> String {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    let bytes = Array(text.utf8)
    _ = SHA256(bytes, bytes.count, &digest)
    return digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }
}

/// An alert as a consumer reads it.
private struct FoundAlert: CustomStringConvertible {
  struct Evidence {
    var topic: String
    var place: Truth.Place
    var digest: String
  }

  var id: String
  var episode: String
  /// `opened`, `updated` or `closed`.
  var type: String
  var rule: String
  var key: String
  var values: [Int]?
  /// Milliseconds since 1970.
  var window: Range<Int64>?
  var evidence: [Evidence]

  /// The record that caused it: the last of its evidence.
  var cause: Truth.Place { evidence.last?.place ?? Truth.Place(partition: -1, offset: -1) }

  var description: String { "\(type) \(rule) \(key) \(id), evidence \(evidence.map(\.place))" }

  init(_ record: Kcat.Record) {
    let body = record.json
    let own = (body["unmapped"] as? [String: Any])?["tocsin"] as? [String: Any] ?? [:]
    let analytic = (body["finding_info"] as? [String: Any])?["analytic"] as? [String: Any]
    id = record.headers["ce_id"] ?? ""
    episode = record.headers["ce_correlationid"] ?? ""
    type = record.headers["ce_type"]?.split(separator: ".").dropLast().last.map(String.init) ?? ""
    rule = analytic?["name"] as? String ?? ""
    key = (body["resources"] as? [[String: Any]])?.first?["uid"] as? String ?? ""
    if let found = own["values"] as? [String: Any], !found.isEmpty {
      values = [found["n"] as? Int ?? -1, found["total"] as? Int ?? -1]
    }
    if let bounds = own["window"] as? [String: Any], let from = bounds["from"] as? Int, let to = bounds["to"] as? Int,
      from < to
    {
      window = Int64(from)..<Int64(to)
    }
    evidence = (body["evidences"] as? [[String: Any]] ?? []).map { item in
      let data = item["data"] as? [String: Any] ?? [:]
      return Evidence(
        topic: data["topic"] as? String ?? "",
        place: Truth.Place(partition: data["partition"] as? Int ?? -1, offset: data["offset"] as? Int ?? -1),
        digest: data["sha256"] as? String ?? "")
    }
  }
}

/// What stands on the output topics now.
struct Outputs: Sendable {
  var alerts: [Kcat.Record]
  var late: [Kcat.Record]
  var dead: [Kcat.Record]

  init(_ kafka: RealKafka, topic: String) throws {
    alerts = try Kcat.read("\(topic).alerts", of: kafka.bootstrapServers)
    late = try Kcat.read("\(topic).late", of: kafka.bootstrapServers)
    dead = try Kcat.read("\(topic).dead", of: kafka.bootstrapServers)
  }
}
