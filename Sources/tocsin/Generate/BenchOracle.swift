/// What the benchmark's pipeline must find, worked out the plain way from the events of a partition in their order.
///
/// - The watermark is the largest event time so far in the partition, the event itself among them, less 5 s; an event
///   before it is late.
/// - `watchlist`: each event, also a late one, of which `from` or `to` is listed.
/// - `velocity`: of the events of one `from` in one minute of event time that are not late, the 1,001st.
struct BenchOracle {
  enum Finding: Hashable {
    case watchlist, velocity
  }

  static let outOfOrderMilliseconds: Int64 = 5_000
  static let windowMilliseconds: Int64 = 60_000
  static let limit = 1_000

  private struct Partition {
    var latest = Int64.min
    /// Events by account, by minute.
    var counts: [Int64: [Int: Int]] = [:]
  }

  private var partitions: [Partition]

  init(partitions: Int) { self.partitions = Array(repeating: Partition(), count: partitions) }

  /// The alerts that the next event of a partition causes; times are in milliseconds since 1970.
  mutating func alerts(partition number: Int32, from: Int, time: Int64, isWatched: Bool) -> [Finding] {
    var alerts: [Finding] = isWatched ? [.watchlist] : []
    let index = Int(number)
    if time > partitions[index].latest {
      partitions[index].latest = time
      forgetMinutes(before: time - Self.outOfOrderMilliseconds, of: index)
    }
    if time >= partitions[index].latest - Self.outOfOrderMilliseconds {
      let minute = time / Self.windowMilliseconds
      partitions[index].counts[minute, default: [:]][from, default: 0] += 1
      if partitions[index].counts[minute]?[from] == Self.limit + 1 { alerts.append(.velocity) }
    }
    return alerts
  }

  /// Minutes that are over can get no more events: those would be late.
  private mutating func forgetMinutes(before watermark: Int64, of partition: Int) {
    for minute in partitions[partition].counts.keys where (minute + 1) * Self.windowMilliseconds <= watermark {
      partitions[partition].counts[minute] = nil
    }
  }
}
