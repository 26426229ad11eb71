internal import Foundation

extension PlanReport {
  /// The report as JSON, keys in order of their names.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    // All of it is text and whole numbers, which can always be written.
    guard let data = try? encoder.encode(self) else { return "{}\n" }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  /// The report for a person.
  public var text: String {
    var lines = ["pipeline \(pipeline)", "  file \(version)"]
    for (place, part) in subTopologies.enumerated() { lines += Self.lines(part, place + 1) }
    lines +=
      ["", "topics"]
      + Self.table(topics.map { [$0.topic, $0.role, $0.partitions.map { "\($0) partitions" } ?? $0.partitioning] })
    lines += ["", "state (estimates)"] + rules.flatMap(Self.lines)
    if let survival { lines += ["", "against the other file"] + survival.map { "  \($0.rule): \($0.sentence)" } }
    if let needsRestart, !needsRestart.isEmpty {
      lines += ["", "taken over by a restart only"] + needsRestart.map { "  \($0)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(_ part: SubTopology, _ number: Int) -> [String] {
    let key = part.key.isEmpty ? "" : ", partitioned on \(part.key.joined(separator: ", "))"
    return ["", "sub-topology \(number): reads \(part.reads)\(key); writes \(part.writes.joined(separator: ", "))"]
      + part.rules.map { "  \($0.rule): \($0.why)" }
  }

  private static func lines(_ rule: Rule) -> [String] {
    let by = rule.by.isEmpty ? "" : " by \(rule.by.joined(separator: ", "))"
    let head = "  \(rule.rule) (\(rule.kind)\(by)), identity \(rule.identity)"
    guard let state = rule.state else {
      return [head, "    no window; an open alert is kept until it closes"]
    }
    let pieces = state.pieces == 1 ? "" : " in \(state.pieces) granules each"
    var lines = [
      head, "    \(state.formula)",
      "    \(state.keys) keys: \(size(state.least)) with one event each, at most \(size(state.most)) with events\(pieces)"
        + (state.evidence > 0 ? " and \(state.evidence) kept as evidence" : ""),
    ]
    lines.append(
      "    bound: \(size(state.bound)) in one partition (`limits.state_bytes`); beyond it the oldest is dropped")
    if let besides = state.besides { lines.append("    besides: \(besides)") }
    return lines
  }

  /// Columns under each other.
  private static func table(_ rows: [[String]]) -> [String] {
    let columns = rows.first?.count ?? 0
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column == columns - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
      }
      return "  " + cells.joined(separator: "  ")
    }
  }

  /// Bytes as a person reads them.
  private static func size(_ bytes: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(units[unit])"
  }
}
