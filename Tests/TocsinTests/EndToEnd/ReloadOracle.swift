import Foundation
import KafkaTestSupport
import Locking
import Testing

/// What a `ReloadJob` has to raise, each event under the version that it was worked on with, and the comparison.
extension ReloadJob {
  /// An alert that opened.
  struct Opened: Hashable, Comparable, CustomStringConvertible {
    var rule: String
    var partition: Int
    var offset: Int

    var description: String { "\(rule) \(partition)/\(offset)" }

    /// The alert that tells of its event.
    var event: Opened { Opened(rule: "each", partition: partition, offset: offset) }

    static func < (left: Opened, right: Opened) -> Bool {
      (left.partition, left.offset, left.rule) < (right.partition, right.offset, right.rule)
    }
  }

  /// An event that stands in the topic.
  private struct Event {
    var key: String
    /// In milliseconds since 1970.
    var time: Int
  }

  private static func opened(_ record: Kcat.Record) -> (Opened, Name)? {
    guard record.headers["ce_type"] == "dev.tocsin.alert.opened.v1" else { return nil }
    let json = record.json
    let analytic = (json["finding_info"] as? [String: Any])?["analytic"] as? [String: Any]
    let evidence = (json["evidences"] as? [[String: Any]])?.last?["data"] as? [String: Any]
    let tocsin = (json["unmapped"] as? [String: Any])?["tocsin"] as? [String: Any]
    let opened = Opened(
      rule: analytic?["name"] as? String ?? "", partition: evidence?["partition"] as? Int ?? -1,
      offset: evidence?["offset"] as? Int ?? -1)
    let tables = tocsin?["tables"] as? [String: String]
    return (opened, Name(file: tocsin?["pipeline_version"] as? String ?? "", list: tables?["marks"] ?? ""))
  }

  /// Compares all alerts with what each record had to raise under the version that it was worked on with.
  ///
  /// - Parameter isRepeating: whether an alert may come again, also for another version: then what was told last of a record
  ///   is what counts.
  /// - Returns: at which offsets which version came into force, by partition.
  func check(isRepeating: Bool = false) throws -> [[Int]] {
    let events = try writtenEvents()
    let count = events.reduce(0) { $0 + $1.count }
    let records = try Kcat.read("\(topic).alerts", of: kafka.bootstrapServers) { records in
      let told = records.compactMap { Self.opened($0)?.0 }.filter { $0.rule == "each" }
      return (isRepeating ? Set(told).count : told.count) >= count
    }
    let known = known.withLock { $0 }
    var versions: [Opened: Version] = [:]
    var told: [(opened: Opened, version: Version)] = []
    for (opened, name) in records.compactMap({ Self.opened($0) }) {
      let version = try #require(known[name], "\(opened) names a version that was never right: \(name)")
      if opened.rule == "each" { versions[opened] = version }
      if opened.rule != "cross" { told.append((opened, version)) }
    }
    let wrong = told.filter { versions[$0.opened.event] != $0.version }.map(\.opened)
    var found = told.map(\.opened).sorted()
    if isRepeating {
      found = Set(told.filter { versions[$0.opened.event] == $0.version }.map(\.opened)).sorted()
    } else {
      #expect(wrong.isEmpty, "\(wrong.prefix(5)) name another version than the alert of their record")
    }
    var expected: [Opened] = []
    var changes: [[Int]] = []
    for (partition, events) in events.enumerated() {
      let oracle = oracle(events, partition) { versions[$0] }
      expected += oracle.opened
      changes.append(oracle.changes)
    }
    compare(found, expected.sorted())
    try checkCross(
      records, known, events: count, changes: changes.map(\.count).max() ?? 0, isRepeating: isRepeating)
    return changes
  }

  /// The events of each partition, by offset.
  private func writtenEvents() throws -> [[Event]] {
    var events = Array(repeating: [Event](), count: Self.partitions)
    for record in try Kcat.read(topic, of: kafka.bootstrapServers) {
      #expect(record.offset == events[record.partition].count)
      events[record.partition].append(Event(key: record.key ?? "", time: record.json["ts"] as? Int ?? 0))
    }
    #expect(events.allSatisfy { !$0.isEmpty })
    return events
  }

  /// What a partition's events have to raise, each under its version, and where versions came into force.
  private func oracle(
    _ events: [Event], _ partition: Int, version: (Opened) -> Version?
  ) -> (opened: [Opened], changes: [Int]) {
    var expected: [Opened] = []
    var changes: [Int] = []
    var (counts, open): ([String: Int], Set<String>) = ([:], [])
    /// Of the rule `fresh`: windows that begin at this time or before are not whole.
    var floor = Int.min
    var inWindow: [String: (start: Int, count: Int)] = [:]
    var last: Version?
    for (offset, event) in events.enumerated() {
      let each = Opened(rule: "each", partition: partition, offset: offset)
      func expect(_ rule: String) { expected.append(Opened(rule: rule, partition: partition, offset: offset)) }
      expected.append(each)
      guard let version = version(each) else { continue }
      if version != last { changes.append(offset) }
      if let last, last.filter != version.filter {
        floor = events[offset - 1].time
        inWindow = [:]
      }
      last = version
      if version.listed.contains(event.key) { expect("listed") }
      counts[event.key, default: 0] += 1
      if counts[event.key, default: 0] % Self.modulus != version.remainder {
        open.remove(event.key)
      } else if open.insert(event.key).inserted {
        expect("tick")
      }
      let start = event.time / Self.window * Self.window
      let before = inWindow[event.key]
      let number = before?.start == start ? (before?.count ?? 0) + 1 : 1
      inWindow[event.key] = (start, number)
      if number == Self.enough, start > floor { expect("fresh") }
    }
    return (expected, changes)
  }

  /// Behind the exchange, events come in an order of their own: each alert must be right under the version that it names, no
  /// count may come twice, as it would where one began anew, and few may be missing: one for each change.
  private func checkCross(
    _ records: [Kcat.Record], _ known: [Name: Version], events: Int, changes: Int, isRepeating: Bool
  ) throws {
    var counts: [String: [Int]] = [:]
    var ids: Set<String> = []
    for record in records {
      guard let (opened, name) = Self.opened(record), opened.rule == "cross" else { continue }
      // A repeat has the id of the first time.
      if isRepeating, !ids.insert(record.headers["ce_id"] ?? "").inserted { continue }
      let tocsin = (record.json["unmapped"] as? [String: Any])?["tocsin"] as? [String: Any]
      let count = try #require((tocsin?["values"] as? [String: Any])?["c"] as? Int)
      #expect(count % Self.modulus == known[name]?.remainder, "\(opened) at \(count) under \(name)")
      counts[record.key ?? "", default: []].append(count)
    }
    #expect(counts.count == Self.groups)
    for (group, found) in counts {
      #expect(Set(found).count == found.count, "\(group) has a count twice: \(found.sorted())")
      let expected = events / Self.groups / Self.modulus
      #expect(abs(found.count - expected) <= changes + 2, "\(group): \(found.count) alerts, expected about \(expected)")
    }
  }

  private func compare(_ found: [Opened], _ expected: [Opened]) {
    if found == expected { return }
    let doubled = Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +).filter { $0.value > 1 }.keys.sorted()
    let missing = Set(expected).subtracting(found).sorted()
    let wrong = Set(found).subtracting(expected).sorted()
    Issue.record(
      "\(found.count) alerts, expected \(expected.count); missing \(missing.count) \(missing.prefix(5)), doubled \(doubled.count) \(doubled.prefix(5)), wrong \(wrong.count) \(wrong.prefix(5))"
    )
  }
}
