import Pipeline

/// Holds what is committed against what an undisturbed run writes, at each marker.
final class Checker {
  private let scenario: Scenario
  /// By stream, how many of the expected outputs have been committed.
  private var committed: [Scenario.Stream: Int] = [:]
  /// By partition, the latest owner of which outputs were committed.
  private var owner: [PartitionID: Int] = [:]
  private(set) var outputs = 0
  private(set) var violation: Violation?
  /// The step that is being taken.
  var step = 0

  init(_ scenario: Scenario) { self.scenario = scenario }

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
    let stream = Scenario.Stream(partition: entry.partition, destination: entry.output.destination)
    let expected = scenario.expected[stream] ?? []
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

  /// Whether every expected output is committed.
  var isComplete: Bool { scenario.expected.allSatisfy { committed[$0.key] ?? 0 == $0.value.count } }

  /// At the end: what is missing.
  func checkComplete() {
    for (stream, expected) in scenario.expected.sorted(by: { $0.key < $1.key }) {
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
