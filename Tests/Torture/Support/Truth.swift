/// What has to be on the output topics, computed from the records of the input topic: sorted, grouped, evaluated one by one.
/// It shares no code with Tocsin.
struct Truth: Sendable {
  /// A record's place in the input topic.
  struct Place: Sendable, Hashable, Comparable, CustomStringConvertible {
    var partition: Int
    var offset: Int

    var description: String { "\(partition)/\(offset)" }

    static func < (left: Place, right: Place) -> Bool {
      (left.partition, left.offset) < (right.partition, right.offset)
    }
  }

  /// An alert that opens, by the record that causes it.
  struct Opening: Sendable, Hashable, CustomStringConvertible {
    var rule: String
    var key: String
    var cause: Place
    /// The values of `n` and `total`; nil for the rule without windows.
    var values: [Int]?

    var description: String { "\(rule) \(key) at \(cause) \(values ?? [])" }
  }

  /// An alert of the rule whose key is not the source's: the order in which partitions meet is nobody's to say, so that the
  /// record which opens it is not known, but that it opens is.
  struct Crossing: Sendable, Hashable, CustomStringConvertible {
    var merchant: String
    /// Milliseconds since 1970.
    var windowStart: Int64

    var description: String { "\(merchant) from \(windowStart)" }
  }

  private(set) var openings: [Opening] = []
  private(set) var crossings: Set<Crossing> = []
  private(set) var late: Set<Place> = []
  private(set) var broken: Set<Place> = []
  /// Records that count, by their place.
  private(set) var payments: [Place: Payment] = [:]

  static let outOfOrder: Int64 = 3_000
  static let burst = (length: Int64(10_000), count: 6)
  static let steady = (length: Int64(120_000), count: 42)
  static let spend = (span: Int64(60_000), granule: Int64(1_000), total: 125_000)
  static let busyMerchant = (length: Int64(30_000), count: 62)
  static let large = 900_000

  /// - Parameter records: of each partition in their order.
  init(_ records: [(Place, Payment)]) {
    var groups: [String: [(Place, Payment)]] = [:]
    var merchants: [Crossing: Int] = [:]
    var largest: [Int: Int64] = [:]
    for (place, payment) in records {
      if payment.isBroken {
        broken.insert(place)
        continue
      }
      payments[place] = payment
      if payment.cents >= Self.large {
        openings.append(Opening(rule: "large", key: "", cause: place, values: nil))
      }
      let newest = max(largest[place.partition] ?? payment.time, payment.time)
      largest[place.partition] = newest
      guard payment.time >= newest - Self.outOfOrder else {
        late.insert(place)
        continue
      }
      groups[payment.accountName, default: []].append((place, payment))
      let start = payment.time / Self.busyMerchant.length * Self.busyMerchant.length
      merchants[Crossing(merchant: payment.merchantName, windowStart: start), default: 0] += 1
    }
    crossings = Set(merchants.filter { $0.value >= Self.busyMerchant.count }.keys)
    let ends = Watermarks(records)
    for (account, group) in groups {
      tumbling("burst", account, group, Self.burst)
      tumbling("steady", account, group, Self.steady)
      trailing(account, group, ends)
    }
  }

  /// Opens at the event that makes a window's count.
  private mutating func tumbling(
    _ rule: String, _ account: String, _ group: [(Place, Payment)], _ window: (length: Int64, count: Int)
  ) {
    for members in Dictionary(grouping: group, by: { $0.1.time / window.length }).values {
      guard members.count >= window.count else { continue }
      let sum = members.prefix(window.count).reduce(0) { $0 + $1.1.cents }
      openings.append(
        Opening(rule: rule, key: account, cause: members[window.count - 1].0, values: [window.count, sum]))
    }
  }

  /// The window of an event: the events before it, and it, in the granules that its minute touches.
  private mutating func trailing(_ account: String, _ group: [(Place, Payment)], _ watermarks: Watermarks) {
    let small = group.filter { $0.1.cents < Self.large }
    /// Until when the open episode lasts where no event comes.
    var end: Int64?
    for (index, (place, payment)) in small.enumerated() {
      let values = sums(small, index)
      if let known = end,
        payment.time > known || watermarks.reach(known, in: place.partition, through: place.offset)
      {
        end = nil
      }
      guard values[1] > Self.spend.total else {
        end = nil
        continue
      }
      if end == nil { openings.append(Opening(rule: "spend", key: account, cause: place, values: values)) }
      end = max(end ?? .min, payment.time + Self.spend.span)
    }
  }

  private func sums(_ group: [(Place, Payment)], _ index: Int) -> [Int] {
    let time = group[index].1.time
    let (low, high) = ((time - Self.spend.span) / Self.spend.granule, time / Self.spend.granule)
    var values = [0, 0]
    for (_, other) in group[...index].reversed() {
      // Events are on time: none before one that is so old can be in the window.
      if other.time < time - Self.spend.span - Self.spend.granule - 2 * Self.outOfOrder { break }
      guard (low...high).contains(other.time / Self.spend.granule) else { continue }
      values[0] += 1
      values[1] += other.cents
    }
    return values
  }
}

/// How far event time had come at each record of a partition.
private struct Watermarks {
  private var steps: [Int: [(offset: Int, watermark: Int64)]] = [:]

  init(_ records: [(Truth.Place, Payment)]) {
    for (place, payment) in records where !payment.isBroken {
      let mark = payment.time - Truth.outOfOrder
      if let last = steps[place.partition]?.last, last.watermark >= mark { continue }
      steps[place.partition, default: []].append((place.offset, mark))
    }
  }

  /// Whether the watermark has reached a time at a record.
  func reach(_ time: Int64, in partition: Int, through offset: Int) -> Bool {
    guard let steps = steps[partition] else { return false }
    // The first step that reaches the time.
    var (low, high) = (0, steps.count)
    while low < high {
      let middle = (low + high) / 2
      if steps[middle].watermark >= time { high = middle } else { low = middle + 1 }
    }
    return low < steps.count && steps[low].offset <= offset
  }
}
