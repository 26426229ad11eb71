import Pipeline

/// Holds what is committed against what an undisturbed run writes, at each marker.
final class Checker {
  private let scenario: Scenario
  /// What has to be committed; an operator who sets the group back changes it.
  private var expected: [Scenario.Stream: [Scenario.Written]]
  /// By stream, how many of the expected outputs have been committed.
  private var committed: [Scenario.Stream: Int] = [:]
  /// By partition, the latest owner of which outputs were committed.
  private var owner: [PartitionID: Int] = [:]
  /// Tasks of an undisturbed run behind exchanges, on what is committed there.
  private var followers: [PartitionID: PartitionTask] = [:]
  /// By partition, the last marker.
  private var marker: [PartitionID: SnapshotMarker] = [:]
  private(set) var outputs = 0
  private(set) var violation: Violation?
  /// The step that is being taken.
  var step = 0

  init(_ scenario: Scenario) {
    self.scenario = scenario
    expected = scenario.expected
  }

  func fail(_ invariant: Invariant, _ detail: @autoclosure () -> String) {
    if violation == nil { violation = Violation(invariant: invariant, detail: detail(), step: step) }
  }

  /// A transaction's outputs became visible, in this order.
  func committed(_ entries: [LogEntry]) {
    for entry in entries {
      outputs += 1
      if let last = owner[entry.partition], entry.tenure < last {
        fail(.owners, "\(entry.partition): outputs of owner \(entry.tenure) after those of \(last)")
      }
      owner[entry.partition] = entry.tenure
      take(entry)
    }
  }

  private func take(_ entry: LogEntry) {
    if entry.output.destination == .exchange { return }
    let stream = Scenario.Stream(partition: entry.partition, destination: entry.output.destination)
    let expected = expected[stream] ?? []
    let place = committed[stream] ?? 0
    let written = Scenario.Written(entry.output)
    if place < expected.count, expected[place] == written {
      committed[stream] = place + 1
      return
    }
    let text = "\(stream.destination) of \(stream.partition) caused by offset \(written.cause)"
    if expected[..<place].contains(written) { return fail(.twice, text) }
    guard let later = expected.firstIndex(of: written) else {
      if expected.contains(where: { $0.cause == written.cause && $0.identity == written.identity }) {
        return fail(.bytes, text)
      }
      return fail(.foreign, text)
    }
    // An earlier one may come yet, which is no better.
    let next = expected[place].cause
    fail(next == written.cause || later > place + 8 ? .order : .missing, "\(text), before that of offset \(next)")
  }

  /// A transaction's offsets took effect.
  func moved(_ offsets: [PartitionID: CommittedOffset], from before: [PartitionID: CommittedOffset]) {
    for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
      guard let old = before[partition] else { continue }
      let (now, then) = (
        Position(offset: offset.offset, metadata: offset.metadata), Position(offset: old.offset, metadata: old.metadata)
      )
      if (now.offset, now.sequence) < (then.offset, then.sequence) {
        fail(.offsets, "\(partition): \(then.metadata) at \(then.offset) went back to \(now.metadata) at \(now.offset)")
      }
    }
  }

  /// A snapshot's marker is committed.
  func snapshot(of partition: PartitionID, _ found: SnapshotMarker, committed: CommittedOffset?) {
    if found.offset > committed?.offset ?? -1 {
      fail(
        .snapshot, "\(partition): a snapshot at \(found.offset), while the group has come to \(committed?.offset ?? -1)"
      )
    }
    if let last = marker[partition], (found.offset, found.sequence) < (last.offset, last.sequence) {
      fail(.snapshot, "\(partition): a snapshot at \(found.offset) after one at \(last.offset)")
    }
    marker[partition] = found
  }

  /// Something is decided in an exchange: an undisturbed task reads what is committed, and what it makes is to be written.
  func follow(_ partition: PartitionID, _ log: StateLog) {
    let task =
      followers[partition] ?? scenario.task(partition, PartitionTask.Start(offset: 0, committed: 0))
    followers[partition] = task
    while true {
      let found = log.records(from: task.nextOffset, most: 16, .max, undecided: false)
      if found.isEmpty { return }
      for (offset, record) in found {
        InputRecord(offset: offset, timestamp: -1, key: nil, value: record.value).append(to: task.records)
      }
      for output in task.process(now: 0)?.outputs ?? [] {
        guard let written = scenario.written(output) else { continue }
        let stream = Scenario.Stream(partition: partition, destination: output.destination)
        expected[stream, default: []].append(Scenario.Written(written))
      }
      if let failure = task.failure { return fail(.crossing, "\(failure)") }
    }
  }

  /// What is to be written to one topic, by a source's or an exchange's partition.
  func expected(_ partition: PartitionID, _ destination: Output.Destination) -> [Scenario.Written] {
    expected[Scenario.Stream(partition: partition, destination: destination)] ?? []
  }

  // MARK: The operator

  /// The partition is read again from an offset on, with its state: what came of it from there on comes again.
  func rewind(_ partition: PartitionID, to offset: Int64) {
    for (stream, outputs) in expected where stream.partition == partition {
      committed[stream] = outputs.firstIndex { $0.cause >= offset } ?? outputs.count
    }
    marker[partition] = nil
  }

  /// The partition is read anew, and this is to come of it.
  func beginAnew(_ partition: PartitionID, _ outputs: [Scenario.Stream: [Scenario.Written]]) {
    for stream in expected.keys where stream.partition == partition {
      expected[stream] = nil
      committed[stream] = nil
    }
    expected.merge(outputs) { $1 }
    marker[partition] = nil
  }

  /// Whether every expected output is committed.
  var isComplete: Bool { expected.allSatisfy { committed[$0.key] ?? 0 == $0.value.count } }

  /// At the end: what is missing.
  func checkComplete() {
    for (stream, expected) in expected.sorted(by: { $0.key < $1.key }) {
      let count = committed[stream] ?? 0
      if count < expected.count {
        fail(
          .missing,
          "\(expected.count - count) of \(stream.destination) of \(stream.partition), the first caused by offset "
            + "\(expected[count].cause)")
      }
    }
  }
}
