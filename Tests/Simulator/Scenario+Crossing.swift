import Foundation
import Pipeline

/// Behind exchanges the order of events is that of the exchanges' logs, which is another in each run: bytes are held against a
/// task that reads the same log undisturbed (`Checker.follow`), and what does not depend on the order against the input.
extension Scenario {
  private struct Told {
    var rule: String
    var key: String
    var window: Int64
    var state: String
    var count: Int

    init?(_ output: Written) {
      let body = try? JSONSerialization.jsonObject(with: Data(output.value ?? [])) as? [String: Any]
      guard let body, let finding = body["finding_info"] as? [String: Any],
        let own = (body["unmapped"] as? [String: Any])?["tocsin"] as? [String: Any]
      else { return nil }
      rule = finding["title"] as? String ?? "?"
      key = (own["key"] as? [[String: Any]])?.map { "\($0["value"] ?? "")" }.joined(separator: "|") ?? ""
      window = ((own["window"] as? [String: Any])?["from"] as? NSNumber)?.int64Value ?? -1
      state = "\(body["activity_name"] ?? "?")"
      count = (body["count"] as? NSNumber)?.intValue ?? -1
    }
  }

  private struct Window: Hashable {
    var shop: String
    var from: Int64
  }

  /// What is wrong with what has come through exchanges; nil: nothing.
  func crossingDifference(_ checker: Checker) -> String? {
    guard topology != nil, !refusesSome else { return nil }
    var told: [Told] = []
    var late = 0
    for partition in partitions where !isSource(partition) {
      told += checker.expected(partition, .alerts).compactMap { Told($0) }
      late += checker.expected(partition, .late).count
    }
    if let difference = eachDifference(told) { return difference }
    // Where a partition may have been declared idle between two writes, what it brings later may be late.
    guard plan.source.idle > 10 * second else { return nil }
    if late > 0 { return "\(late) events are late behind an exchange" }
    return windowDifference(told)
  }

  /// Each event that the rule wants opens one alert.
  private func eachDifference(_ told: [Told]) -> String? {
    var wanted: Set<String> = []
    for partition in sources {
      for event in records(partition).compactMap(\.event) where event.amount >= 40 {
        wanted.insert("\(Int64(partition.number) << 20 | event.offset)")
      }
    }
    var seen: Set<String> = []
    for alert in told where alert.rule == "each" && alert.state == "Create" {
      guard seen.insert(alert.key).inserted else { return "event \(alert.key) has come twice" }
    }
    if seen == wanted { return nil }
    let missing = wanted.subtracting(seen).sorted().first
    return missing.map { "event \($0) has not come" } ?? "event \(seen.subtracting(wanted).sorted()) has come"
  }

  private func windowDifference(_ told: [Told]) -> String? {
    var counts: [Window: Int] = [:]
    for partition in sources {
      let late = Set(ReferenceModel(records(partition).compactMap(\.event)).late)
      for event in records(partition).compactMap(\.event) where !late.contains(event.offset) {
        counts[Window(shop: event.shop ?? "", from: event.time / 30_000 * 30_000), default: 0] += 1
      }
    }
    let expected = counts.filter { $0.value >= 2 }
    var open: Set<Window> = []
    for alert in told where alert.rule == "shop-minute" {
      let window = Window(shop: alert.key, from: alert.window)
      guard let count = expected[window] else { return "\(window) has fewer than two events" }
      if alert.state == "Create", !open.insert(window).inserted { return "\(window) is opened twice" }
      if alert.state == "Close", alert.count != count { return "\(window) has \(alert.count) events, not \(count)" }
    }
    guard let missing = expected.keys.first(where: { !open.contains($0) }) else { return nil }
    return "\(missing) is not opened"
  }
}
