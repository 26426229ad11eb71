import Pipeline

/// A partition of the state topic, or of an exchange: written in transactions. A transaction that is decided stays hidden until its
/// mark stands in the partition, and hides what comes after it.
struct StateLog {
  struct Record {
    var key: [UInt8]
    var value: [UInt8]?
  }

  enum Fate: Equatable {
    case open
    case committed(visibleAt: Int64)
    case aborted(visibleAt: Int64)
  }

  struct Entry {
    var offset: Int64
    var record: Record
    var transaction: TransactionName
    /// Its place in the transaction: a repeat is known by it.
    var place: Int
    var fate = Fate.open
    /// Since when a tombstone has been the oldest of its key.
    var cleanedAt: Int64?
  }

  /// `delete.retention.ms`: longer than a restore takes.
  private static let tombstonesStay = 60 * second

  private var entries: [Entry] = []
  /// The offset after the newest record or mark.
  private(set) var high: Int64 = 0

  mutating func append(_ record: Record, _ transaction: TransactionName, place: Int) {
    for entry in entries.reversed() where entry.transaction == transaction {
      if entry.place >= place { return }
      break
    }
    entries.append(Entry(offset: high, record: record, transaction: transaction, place: place))
    high += 1
  }

  /// The transaction's mark. It becomes visible then.
  ///
  /// - Returns: its records.
  mutating func decide(_ transaction: TransactionName, commits: Bool, visibleAt: Int64) -> [Record] {
    var found: [Record] = []
    for place in entries.indices where entries[place].transaction == transaction && entries[place].fate == .open {
      entries[place].fate = commits ? .committed(visibleAt: visibleAt) : .aborted(visibleAt: visibleAt)
      found.append(entries[place].record)
    }
    if !found.isEmpty { high += 1 }
    return found
  }

  /// Up to where a read_committed reader reads.
  func stable(_ now: Int64) -> Int64 {
    let first = entries.first { entry in
      switch entry.fate {
      case .open: true
      case .committed(let time), .aborted(let time): time > now
      }
    }
    return first?.offset ?? high
  }

  /// The records below an offset that a reader sees, the last first; at most so many.
  func records(below offset: Int64, most: Int, _ now: Int64) -> [(offset: Int64, record: Record)] {
    let end = min(offset, stable(now))
    var found: [(Int64, Record)] = []
    for entry in entries.reversed() where entry.offset < end {
      guard case .committed = entry.fate else { continue }
      found.append((entry.offset, entry.record))
      if found.count == most { break }
    }
    return found
  }

  /// The records from an offset on that a reader sees; at most so many.
  ///
  /// - Parameter undecided: whether those of transactions that are not decided, or were aborted, are seen too.
  func records(from offset: Int64, most: Int, _ now: Int64, undecided: Bool) -> [(offset: Int64, record: Record)] {
    let end = undecided ? high : stable(now)
    var found: [(Int64, Record)] = []
    var place = entries.partitioningIndex { $0.offset >= offset }
    while place < entries.count, entries[place].offset < end, found.count < most {
      if case .committed = entries[place].fate {
        found.append((entries[place].offset, entries[place].record))
      } else if undecided {
        found.append((entries[place].offset, entries[place].record))
      }
      place += 1
    }
    return found
  }

  /// The offset of the last record that is committed.
  var lastCommitted: Int64? {
    let last = entries.last { entry in
      if case .committed = entry.fate { return true }
      return false
    }
    return last?.offset
  }

  mutating func delete(below offset: Int64) { entries.removeAll { $0.offset < offset } }

  /// The last marker that a reader sees.
  func lastMarker(of partition: PartitionID, _ now: Int64) -> StoredMarker? {
    let end = stable(now)
    for entry in entries.reversed() where entry.offset < end && entry.record.key == SnapshotCodec.markerKey {
      guard case .committed = entry.fate else { continue }
      if let marker = entry.record.marker(of: partition, at: entry.offset) {
        return StoredMarker(marker, at: entry.offset)
      }
    }
    return nil
  }

  /// Compaction of what lies below an offset: of each key there the newest stays, and a tombstone goes some time after all
  /// that it covers.
  mutating func compact(below offset: Int64, _ now: Int64) {
    let end = min(offset, stable(now))
    var newest: [[UInt8]: Int64] = [:]
    for entry in entries where entry.offset < end {
      if case .committed = entry.fate { newest[entry.record.key] = entry.offset }
    }
    for place in entries.indices where entries[place].offset < end && entries[place].record.value == nil {
      if entries[place].cleanedAt == nil { entries[place].cleanedAt = now }
    }
    entries.removeAll { entry in
      guard entry.offset < end else { return false }
      if case .aborted = entry.fate { return true }
      if newest[entry.record.key] != entry.offset { return true }
      return entry.record.value == nil && entry.cleanedAt.map { now - $0 > Self.tombstonesStay } ?? false
    }
  }

  /// It is deleted, and made again.
  mutating func clear() {
    entries = []
    high = 0
  }
}

extension StateLog.Record {
  /// What it says, where it is a marker.
  func marker(of partition: PartitionID, at offset: Int64) -> SnapshotMarker? {
    guard key == SnapshotCodec.markerKey, let value else { return nil }
    return key.withUnsafeBytes { key in
      value.withUnsafeBytes { value in
        let read = try? SnapshotCodec.read(key: key, value: value, in: partition, at: offset)
        guard case .marker(let marker)? = read else { return nil }
        return marker
      }
    }
  }
}

extension Array {
  /// The first place from which on all are so.
  func partitioningIndex(_ isSo: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isSo(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
