internal import Synchronization

/// What a metric is, said once.
public struct MetricDeclaration: Sendable, Hashable {
  /// What Prometheus does with the numbers.
  public enum Kind: String, Sendable { case counter, gauge, histogram }

  /// Its name in Prometheus.
  public var name: String
  /// What it is.
  public var kind: Kind
  /// What it counts or measures, in a sentence, with its unit.
  public var help: String
  /// Names of the labels that each series has a value for.
  public var labels: [String]
  /// Upper bounds of a histogram's buckets, rising, in the metric's unit.
  public var buckets: [Double]

  /// - Precondition: names are Prometheus' (`[a-z_][a-z0-9_]*`); a counter's ends in `_total`, a histogram has buckets.
  public init(name: String, kind: Kind, help: String, labels: [String] = [], buckets: [Double] = []) {
    precondition(Self.isName(name) && labels.allSatisfy(Self.isName), "\(name) is no name for a metric")
    precondition(kind != .counter || name.hasSuffix("_total"), "a counter's name ends in _total: \(name)")
    precondition((kind == .histogram) == !buckets.isEmpty && buckets == buckets.sorted(), "buckets of \(name)")
    self.name = name
    self.kind = kind
    self.help = help
    self.labels = labels
    self.buckets = buckets
  }

  private static func isName(_ name: String) -> Bool {
    name.first.map { $0.isLowercase || $0 == "_" } ?? false
      && name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }
  }
}

/// A number that only rises. An update is one relaxed atomic addition.
public final class Counter: Sendable {
  private let storage = Atomic<Int64>(0)

  /// Raises the counter; `amount` is not negative.
  public func add(_ amount: Int64 = 1) { storage.wrappingAdd(amount, ordering: .relaxed) }
  /// The number now.
  public var value: Int64 { storage.load(ordering: .relaxed) }
}

/// A number that rises and falls.
public final class Gauge: Sendable {
  private let storage = Atomic<UInt64>(0)

  /// Sets the number.
  public func set(_ value: Double) { storage.store(value.bitPattern, ordering: .relaxed) }
  /// The number now.
  public var value: Double { Double(bitPattern: storage.load(ordering: .relaxed)) }
}

/// Counts of values by size.
public final class Histogram: Sendable {
  /// Upper bounds of the buckets but the last, rising, in the metric's unit.
  public let bounds: [Double]
  private let counts: [Counter]
  /// In billionths of the unit, so that one addition does.
  private let sum = Atomic<Int64>(0)

  init(bounds: [Double]) {
    self.bounds = bounds
    counts = (0...bounds.count).map { _ in Counter() }
  }

  /// Counts a value, in the metric's unit. What is not a number counts for nothing; what is infinite counts, and adds
  /// nothing to the sum.
  public func observe(_ value: Double) {
    guard !value.isNaN else { return }
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
    guard let billionths = Int64(exactly: (value * 1e9).rounded()) else { return }
    sum.wrappingAdd(billionths, ordering: .relaxed)
  }

  /// By bucket, the last of them without an upper bound; not cumulative.
  public var bucketCounts: [Int64] { counts.map(\.value) }
  /// Values counted so far.
  public var count: Int64 { bucketCounts.reduce(0, +) }
  /// Sum of the values, in the metric's unit.
  public var total: Double { Double(sum.load(ordering: .relaxed)) / 1e9 }

  /// The upper bound of the bucket in which the given share of values lies; nil while there is none.
  public func quantile(_ share: Double) -> Double? {
    let counts = bucketCounts
    let target = Double(counts.reduce(0, +)) * share
    guard target > 0 else { return nil }
    var seen = 0.0
    for (place, count) in counts.enumerated() {
      seen += Double(count)
      if seen >= target { return place < bounds.count ? bounds[place] : .infinity }
    }
    return nil
  }
}
