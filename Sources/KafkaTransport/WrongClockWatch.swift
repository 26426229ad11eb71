internal import Glibc
internal import Pipeline

/// Looks for partitions whose event time runs ahead of the clock: whoever writes there has a wrong one, and its records' timestamps
/// come of the same, so that `limits.future` has let the event in. It decides nothing, which would not come out the same in a
/// replay; it finds what somebody should hear of.
struct WrongClockWatch {
  /// What was found.
  struct Finding: Equatable {
    /// The one that is furthest ahead.
    var partition: PartitionID
    /// How many are.
    var count: Int
    /// By how much, in nanoseconds.
    var ahead: Int64
  }

  /// Between two times of telling.
  static let pause = Duration.seconds(60)

  private let future: Int64
  private var told: ContinuousClock.Instant?

  /// - Parameter future: nanoseconds that event time may be ahead of the clock.
  init(future: Int64) { self.future = future }

  /// Nanoseconds since 1970, by the machine's clock.
  static func time() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// - Parameters:
  ///   - watermarks: by partition, in nanoseconds since 1970.
  ///   - time: the same of the clock.
  /// - Returns: what there is to tell; nil: nothing, or it was told less than a minute ago.
  mutating func look(
    _ watermarks: [PartitionID: Int64], time: Int64, now: ContinuousClock.Instant
  ) -> Finding? {
    if let told, now - told < Self.pause { return nil }
    let latest = time &+ future
    let ahead = watermarks.filter { $0.value > latest }
    guard let worst = ahead.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { return nil }
    told = now
    return Finding(partition: worst.key, count: ahead.count, ahead: worst.value - time)
  }
}
