/// Which version of a pipeline a partition's records are worked on with: those that were worked on before with the version
/// that was in force then, new ones with the newest. Pure; it knows versions by their names.
public struct VersionSchedule: Sendable, Hashable {
  /// What is in force where.
  public private(set) var ledger: VersionLedger
  /// Records before this offset were worked on before.
  public let committed: Int64
  /// The version for new records.
  public private(set) var newest: VersionID

  /// - Parameters:
  ///   - ledger: what was committed with the partition's offset.
  ///   - committed: the committed offset.
  ///   - newest: the version for what comes after it.
  public init(ledger: VersionLedger, committed: Int64, newest: VersionID) {
    self.ledger = ledger
    self.committed = committed
    self.newest = newest
  }

  /// From the next new batch on, this version is the one.
  public mutating func offer(_ version: VersionID) { newest = version }

  /// Where a batch that begins at `offset` must end at the latest: the offset of the first record that is for another version;
  /// nil: nowhere.
  public func end(ofBatchFrom offset: Int64) -> Int64? {
    guard offset < committed else { return nil }
    let changes = ledger.latest == newest ? nil : committed
    return [ledger.next(after: offset), changes].compactMap { $0 }.min()
  }

  /// The version for a batch that begins at `offset`; a new one comes into force with the first batch that was not worked on
  /// before, and is noted in the ledger.
  ///
  /// - Parameter mayEnter: whether a new one may come into force now, where another is.
  public mutating func version(ofBatchFrom offset: Int64, mayEnter: Bool = true) -> VersionID {
    guard offset >= committed else { return ledger.version(at: offset) ?? newest }
    if !mayEnter, let latest = ledger.latest { return latest }
    // While the ledger is full, the old one stays.
    guard ledger.activate(newest, at: offset) else { return ledger.latest ?? newest }
    return newest
  }

  /// Forgets what no restart needs that reads from `offset` on.
  public mutating func forget(before offset: Int64) { ledger.forget(before: offset) }
}
