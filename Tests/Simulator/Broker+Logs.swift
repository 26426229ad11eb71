import Detection
import Pipeline

/// The input's log, and those of exchanges.
extension Broker {
  /// Writes the next record of a partition.
  func append(_ partition: PartitionID) { written[partition, default: 0] += 1 }

  func hasMore(_ partition: PartitionID) -> Bool { (written[partition] ?? 0) < scenario.records(partition).count }

  /// The offset after the newest record, control records behind it included.
  func high(_ partition: PartitionID) -> Int64 {
    guard scenario.isSource(partition) else { return exchanges[partition]?.high ?? 0 }
    let count = written[partition] ?? 0
    let records = scenario.records(partition)
    if count == records.count { return scenario.end(partition) }
    return count == 0 ? 0 : records[count - 1].offset + 1
  }

  /// The records from an offset on; at most so many.
  func records(_ partition: PartitionID, from offset: Int64, most: Int) -> ArraySlice<InputRecord> {
    let offset = max(offset, low[partition] ?? 0)
    let all = scenario.records(partition)[..<(written[partition] ?? 0)]
    var place = all.startIndex
    var end = all.endIndex
    while place < end {
      let middle = (place + end) / 2
      if all[middle].offset < offset { place = middle + 1 } else { end = middle }
    }
    return all[place...].prefix(most)
  }

  /// What a task behind an exchange reads: blocks that are committed; at most so many.
  func blocks(_ partition: PartitionID, from offset: Int64, most: Int, now: Int64, undecided: Bool) -> [InputRecord] {
    guard let log = exchanges[partition] else { return [] }
    let found = log.records(from: max(offset, low[partition] ?? 0), most: most, now, undecided: undecided)
    return found.map { InputRecord(offset: $0.offset, timestamp: -1, key: nil, value: $0.record.value) }
  }

  /// Where the log ends for a reader that has had all that `records` and `blocks` give.
  func end(_ partition: PartitionID, now: Int64, undecided: Bool) -> Int64 {
    if scenario.isSource(partition) || undecided { return high(partition) }
    return exchanges[partition]?.stable(now) ?? 0
  }

  /// The exchanges in which something may be seen now.
  func takeArrivals(_ now: Int64) -> [PartitionID] {
    if arrivals.isEmpty { return [] }
    let due = arrivals.filter { $0.time <= now }.map(\.partition)
    arrivals.removeAll { $0.time <= now }
    return due
  }

  /// `ExchangePurge`.
  func purge(_ partition: PartitionID, before offset: Int64) {
    low[partition] = max(low[partition] ?? 0, offset)
    exchanges[partition]?.delete(below: offset)
  }

  /// Retention: forgets what lies before the place from which the group's committed position would be made again: where
  /// snapshots count, that is the last one's.
  func trim(_ partition: PartitionID, now: Int64) {
    guard scenario.loss.allowsRetention, let committed = group.committed[partition] else { return }
    let position = Position(offset: committed.offset, metadata: committed.metadata)
    var need = position.replay?.offset ?? position.offset
    // What may yet be settled by an older position is needed too.
    for held in group.pending.values {
      if let offset = held[partition] {
        let other = Position(offset: offset.offset, metadata: offset.metadata)
        need = min(need, other.replay?.offset ?? other.offset)
      }
    }
    if scenario.loss == .nothing, let marker = states[partition]?.lastMarker(of: partition, now) {
      need = max(need, marker.marker.offset)
    }
    low[partition] = max(low[partition] ?? 0, need)
  }
}

/// The state topic.
extension Broker {
  /// The partition that keeps the state of an input partition (`StateTopics.place`).
  static func statePlace(of partition: PartitionID) -> PartitionID {
    PartitionID(partition.topic == "payments" ? "simulated.state" : "\(partition.topic).state", partition.number)
  }

  func state(_ partition: PartitionID) -> StateLog { states[partition] ?? StateLog() }

  func compact(_ partition: PartitionID, below offset: Int64, now: Int64) {
    states[partition]?.compact(below: offset, now)
  }

  func decideStates(_ transaction: TransactionName, commits: Bool, now: Int64) {
    for partition in scenario.partitions where states[partition] != nil {
      guard let records = states[partition]?.decide(transaction, commits: commits, visibleAt: now + markDelay()),
        commits
      else { continue }
      for record in records {
        guard let marker = record.marker(of: partition, at: 0) else { continue }
        checker.snapshot(of: partition, marker, committed: group.committed[partition])
      }
    }
  }
}
