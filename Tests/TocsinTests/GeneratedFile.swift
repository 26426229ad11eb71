import Foundation
import Testing

@testable import tocsin

/// All events of a generator, as one would find them in a fresh topic.
struct GeneratedRun {
  struct Record {
    var key: String
    var value: [UInt8]
    var partition: Int32
    var offset: Int64

    /// The value as a JSON object; nil: it is none.
    var object: [String: Any]? {
      (try? JSONSerialization.jsonObject(with: Data(value))) as? [String: Any]
    }
  }

  var records: [Record] = []
  var truth: [TruthLine] = []

  init(_ generator: some EventGenerator) {
    var generator = generator
    var event = GeneratedEvent()
    while generator.next(&event) {
      records.append(
        Record(
          key: String(decoding: event.key, as: UTF8.self), value: event.value, partition: event.partition,
          offset: event.offset))
      truth += event.truth
    }
  }

  /// Bytes of everything, to compare runs.
  var digest: [UInt8] {
    records.flatMap { Array($0.key.utf8) + $0.value + Array("\($0.partition)/\($0.offset)".utf8) }
      + truth.flatMap(\.json)
  }

  /// Partitions are chosen by key, and each counts its offsets from 0.
  func expectOrderlyPartitions(_ count: Int) {
    var offsets: [Int32: Int64] = [:]
    var partitionOfKey: [String: Int32] = [:]
    for record in records {
      #expect((0..<Int32(count)).contains(record.partition))
      #expect(record.offset == offsets[record.partition, default: 0])
      offsets[record.partition, default: 0] += 1
      #expect(partitionOfKey[record.key, default: record.partition] == record.partition)
      partitionOfKey[record.key] = record.partition
    }
    #expect(offsets.count == count)
  }
}

/// The repository's own sanctions list.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func listed() throws -> [Wallet] {
    try SanctionsList.wallets(path: root.appendingPathComponent("pipelines/lists/ofac-sdn-excerpt.csv").path)
  }
}
