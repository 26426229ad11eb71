/// The event time of a whole source: the smallest watermark of its partitions, less those that have been quiet for so long
/// that they should hold nobody back. A partition that waits for our own commits is not quiet.
public struct SourceWatermark: Sendable {
  /// In nanoseconds since 1970; nil while no partition has one.
  public private(set) var watermark: Int64?
  /// The partitions that are idle.
  public private(set) var idle: Set<PartitionID> = []
  private let idleAfter: Int64

  /// - Parameter idleAfter: without a record for so long, in nanoseconds, a partition is idle.
  public init(idleAfter: Int64) { self.idleAfter = idleAfter }

  /// Looks at how the partitions stand at `now`, in nanoseconds of the clock of `Progress.lastRecord`.
  public mutating func update(_ partitions: [PartitionID: PartitionWorker.Progress], now: Int64) {
    idle = Set(
      partitions.filter { !$0.value.isBlocked && now - $0.value.lastRecord >= idleAfter }.map(\.key))
    let active = partitions.filter { !idle.contains($0.key) }.values.map(\.watermark)
    // All idle: the source has come as far as the furthest of them.
    let all = partitions.values.map(\.watermark).filter { $0 > .min }
    let found = active.isEmpty ? all.max() : active.min()
    if let found, found > .min { watermark = max(watermark ?? found, found) }
  }
}
