/// Holds back partitions of the source that run far ahead of the slowest one in event time: what they send through exchanges
/// would lie there as state until the slowest has caught up. Pure: it is told how partitions stand, and the time.
public struct LeadGate: Sendable {
  /// How a partition stands.
  public struct Standing: Sendable, Hashable {
    /// In nanoseconds since 1970; `Int64.min`: it has none yet.
    public var watermark: Int64
    /// The offset of the next record: a partition of another process that does not move is not waited for for ever.
    public var offset: Int64
    /// Whether it holds nobody back: declared idle, or nothing waits there to be read.
    public var isQuiet: Bool

    /// How a partition stands.
    public init(watermark: Int64, offset: Int64, isQuiet: Bool) {
      self.watermark = watermark
      self.offset = offset
      self.isQuiet = isQuiet
    }
  }

  private struct Seen {
    var standing: Standing
    var since: Int64
  }

  private let lead: Int64
  private let patience: Int64
  private var seen: [PartitionID: Seen] = [:]

  /// - Parameters:
  ///   - lead: how far ahead of the slowest a partition may read, in nanoseconds of event time.
  ///   - patience: for how long a partition that does not move is waited for, in nanoseconds.
  public init(lead: Int64, patience: Int64) {
    self.lead = lead
    self.patience = patience
  }

  /// The watermark beyond which no partition should read on now; `Int64.max`: there is none.
  ///
  /// - Parameter now: nanoseconds of a clock that only rises.
  public mutating func limit(_ standings: [PartitionID: Standing], now: Int64) -> Int64 {
    var slowest = Int64.max
    for (partition, standing) in standings {
      if seen[partition]?.standing != standing { seen[partition] = Seen(standing: standing, since: now) }
      let since = seen[partition]?.since ?? now
      guard !standing.isQuiet, now - since < patience else { continue }
      slowest = min(slowest, standing.watermark)
    }
    seen = seen.filter { standings[$0.key] != nil }
    guard slowest < .max else { return .max }
    let (limit, isBeyond) = slowest.addingReportingOverflow(lead)
    return isBeyond ? .max : limit
  }
}
