internal import Locking

/// All metrics of a process, to be written in Prometheus' text format. Labels are rendered once, when a series is asked
/// for.
public final class MetricsRegistry: Sendable {
  private enum Series {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)
  }

  private struct Entry {
    var series: Series
    /// In the declaration's order.
    var labels: [String]

    func value(of label: String, in declaration: MetricDeclaration) -> String? {
      declaration.labels.firstIndex(of: label).map { labels[$0] }
    }

    /// Whether its labels have all of these values.
    func has(_ values: [String: String], in declaration: MetricDeclaration) -> Bool {
      values.allSatisfy { value(of: $0.key, in: declaration) == $0.value }
    }
  }

  private struct Family {
    var declaration: MetricDeclaration
    /// By rendered labels.
    var series: [String: Entry] = [:]
  }

  private let families = Lock<[String: Family]>([:])

  /// A registry without metrics.
  public init() {}

  /// The counter of these label values (in the declaration's order), made where there is none yet.
  public func counter(_ declaration: MetricDeclaration, _ labels: [String] = []) -> Counter {
    let counter = Counter()
    if case .counter(let found) = series(declaration, labels, .counter, { .counter(counter) }) { return found }
    return counter
  }

  /// The gauge of these label values (in the declaration's order), made where there is none yet.
  public func gauge(_ declaration: MetricDeclaration, _ labels: [String] = []) -> Gauge {
    let gauge = Gauge()
    if case .gauge(let found) = series(declaration, labels, .gauge, { .gauge(gauge) }) { return found }
    return gauge
  }

  /// The histogram of these label values (in the declaration's order), made where there is none yet.
  public func histogram(_ declaration: MetricDeclaration, _ labels: [String] = []) -> Histogram {
    let histogram = Histogram(bounds: declaration.buckets)
    if case .histogram(let found) = series(declaration, labels, .histogram, { .histogram(histogram) }) { return found }
    return histogram
  }

  /// The sum of a counter's series; with `values`, of those whose labels have them (by the label's name).
  public func total(_ declaration: MetricDeclaration, where values: [String: String] = [:]) -> Int64 {
    families.withLock { families in
      guard let family = families[declaration.name] else { return 0 }
      var total: Int64 = 0
      for (_, entry) in family.series {
        guard case .counter(let counter) = entry.series else { continue }
        if entry.has(values, in: family.declaration) { total += counter.value }
      }
      return total
    }
  }

  /// The values that a label has in the series of a metric, in order; with `values`, in those whose other labels have them.
  public func values(
    of label: String, in declaration: MetricDeclaration, where values: [String: String] = [:]
  ) -> [String] {
    families.withLock { families in
      guard let family = families[declaration.name] else { return [] }
      let entries = family.series.values.filter { $0.has(values, in: family.declaration) }
      return Set(entries.compactMap { $0.value(of: label, in: family.declaration) }).sorted()
    }
  }

  /// Forgets the gauges whose labels have all of these values, as those of a partition that was given up, so that its last
  /// values do not stay for ever. Counters stay: they only rise.
  public func removeGauges(where values: [String: String]) {
    families.withLock { families in
      families = families.mapValues { family in
        guard family.declaration.kind == .gauge else { return family }
        var family = family
        family.series = family.series.filter { !$0.value.has(values, in: family.declaration) }
        return family
      }
    }
  }

  private func series(
    _ declaration: MetricDeclaration, _ labels: [String], _ kind: MetricDeclaration.Kind, _ make: () -> sending Series
  ) -> Series {
    precondition(declaration.kind == kind, "\(declaration.name) is a \(declaration.kind.rawValue)")
    precondition(declaration.labels.count == labels.count, "\(declaration.name) has labels \(declaration.labels)")
    let key = zip(declaration.labels, labels).map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",")
    return families.withLock { families in
      var family = families[declaration.name] ?? Family(declaration: declaration)
      precondition(family.declaration == declaration, "\(declaration.name) is declared twice")
      let entry = family.series[key] ?? Entry(series: make(), labels: labels)
      family.series[key] = entry
      families[declaration.name] = family
      return entry.series
    }
  }

  /// The text exposition format, version 0.0.4, of Prometheus.
  public func render() -> String {
    let families = families.withLock { $0 }
    var lines: [String] = []
    for family in families.values.sorted(by: { $0.declaration.name < $1.declaration.name }) {
      let name = family.declaration.name
      lines.append("# HELP \(name) \(Self.escapeHelp(family.declaration.help))")
      lines.append("# TYPE \(name) \(family.declaration.kind.rawValue)")
      for (labels, entry) in family.series.sorted(by: { $0.key < $1.key }) {
        lines += Self.lines(name, labels, entry.series)
      }
    }
    return lines.joined(separator: "\n") + (lines.isEmpty ? "" : "\n")
  }

  private static func lines(_ name: String, _ labels: String, _ series: Series) -> [String] {
    let braced = labels.isEmpty ? "" : "{\(labels)}"
    switch series {
    case .counter(let counter): return ["\(name)\(braced) \(counter.value)"]
    case .gauge(let gauge): return ["\(name)\(braced) \(text(gauge.value))"]
    case .histogram(let histogram):
      var seen: Int64 = 0
      var lines: [String] = []
      for (place, count) in histogram.bucketCounts.enumerated() {
        seen += count
        let bound = place < histogram.bounds.count ? text(histogram.bounds[place]) : "+Inf"
        lines.append("\(name)_bucket{\(labels.isEmpty ? "" : labels + ",")le=\"\(bound)\"} \(seen)")
      }
      return lines + ["\(name)_sum\(braced) \(text(histogram.total))", "\(name)_count\(braced) \(seen)"]
    }
  }

  private static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func escape(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }

  private static func escapeHelp(_ help: String) -> String {
    help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
  }
}
