import Events
import TestSupport
import Testing

@testable import Detection

/// What a state topic holds for whoever reads it: the latest value of each key, and the header that came last.
struct StateStore {
  var header: [UInt8] = []
  var values: [[UInt8]: [UInt8]] = [:]
  /// All that was ever written, in order.
  var log: [StateRecord] = []

  mutating func apply(_ cut: StateCut) {
    header = cut.header
    for record in cut.records { values[record.key] = record.value }
    log += cut.records
  }

  /// The latest values, in any order; or everything that was ever written.
  func records(isWhole: Bool, _ random: inout SeededRandom) -> [StateRecord] {
    isWhole ? log : values.map { StateRecord(key: $0.key, value: $0.value) }.shuffled(using: &random)
  }

  /// Keys of a rule.
  func keys(of identity: [UInt8]) -> Int { values.keys.filter { $0.starts(with: identity) }.count }
}

extension PartitionDetector {
  /// Reads stored state back.
  @discardableResult
  func restore(
    header: [UInt8], _ records: [StateRecord], replay: ReplayPoint? = nil, isTrimmed: Bool = false
  ) throws -> RestoreOutcome {
    // Where the header comes must not matter.
    if records.count % 2 == 0 { try beginRestore(header: header, replay: replay, isTrimmed: isTrimmed) }
    for record in records { try restore(record) }
    if records.count % 2 == 1 { try beginRestore(header: header, replay: replay, isTrimmed: isTrimmed) }
    return finishRestore()
  }

  private func restore(_ record: StateRecord) throws {
    try record.key.withUnsafeBytes { key in
      guard let value = record.value else { return try restore(key: key, value: nil) }
      try value.withUnsafeBytes { try restore(key: key, value: $0) }
    }
  }
}
