/// What a task does for exchanges between two batches, and what it saves of them.
extension PartitionTask {
  /// Tells exchanges how far the partition has come, that it is idle, or what waits to be sent, if any of that is due.
  ///
  /// - Parameters:
  ///   - isQuiet: whether nothing waits to be read, and it is not we who don't read on: a partition that waits for our own
  ///     commits, or for another one, is not idle.
  ///   - now: nanoseconds of the clock of `process`.
  public func tick(now: Int64, isQuiet: Bool) -> Pair? {
    guard let exchange, failure == nil, !isReplaying else { return nil }
    exchange.look(isQuiet: isQuiet, now: now)
    let isDue = exchange.hasNews(now: now) || (isHolding && exchange.isDue(now: now))
    return isDue ? takePair(now) : nil
  }

  /// Says that it is we who don't read on.
  public func noteBusy(now: Int64) { exchange?.look(isQuiet: false, now: now) }

  /// What waits for the rest of its block, before the partition is given up.
  public func flush(now: Int64) -> Pair? { isHolding ? takePair(now) : nil }

  /// When `tick` should be called at the latest because events wait; nil: none do.
  public var dueTime: Int64? { isHolding ? exchange?.dueTime : nil }

  /// The header of a snapshot: that of the detector, behind an exchange with the exchange's event time before it.
  func snapshotHeader(_ detector: [UInt8]) -> [UInt8] { (blocks?.clock.encoded ?? []) + detector }

  /// Takes up what `snapshotHeader` made.
  ///
  /// - Returns: the header of the detector.
  func restore(snapshotHeader header: [UInt8]) throws(ExchangeClock.DamagedState) -> [UInt8] {
    guard let blocks else { return header }
    var used = 0
    blocks.restore(try ExchangeClock(header, used: &used))
    return Array(header.dropFirst(used))
  }
}
