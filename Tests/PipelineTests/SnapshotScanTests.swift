import Detection
import Events
import TestSupport
import Testing

@testable import Pipeline

@Suite struct SnapshotScanTests {
  /// Takes in what is read.
  private final class Reading: SnapshotReading {
    var isCancelled: Bool { false }
    var state: [[UInt8]: [UInt8]] = [:]
    var obsolete: [[UInt8]] = []
    func restore(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(StateError) {
      state[Array(key)] = Array(value)
    }
    func obsolete(key: UnsafeRawBufferPointer) { obsolete.append(Array(key)) }
    func progress(records: Int64, bytes: Int64, remaining: Int64) {}
  }

  @Test func theLatestOfEachKeyOfTheSeriesCounts() throws {
    let codec = SnapshotCodec()
    let place = PartitionID("g.state", 0)
    let marker = SnapshotMarker(
      offset: 7, sequence: 1, series: 5, seed: HashSeed(first: 5, second: 6), topic: "in", partitionCount: 1,
      versions: [:], recordCount: 0, header: [])
    let (a, b, c) = (codec.key([1], series: 5), codec.key([2], series: 5), codec.key([1], series: 4))
    var records: [(key: [UInt8], value: [UInt8]?)] = []
    for (key, value) in [(a, [UInt8(10)]), (b, [20]), (c, [30]), (a, [11])] {
      records.append((key, codec.seal(key, value)))
    }
    records.append((b, nil))
    records.append((SnapshotCodec.markerKey, codec.value(of: marker)))
    var scan = SnapshotScan(marker, in: place)
    let reading = Reading()
    for (offset, record) in records.enumerated().reversed() {
      try record.key.withUnsafeBytes { key in
        try (record.value ?? []).withUnsafeBytes {
          try scan.take(offset: Int64(offset), key: key, value: record.value == nil ? nil : $0, into: reading)
        }
      }
    }
    #expect(reading.state == [[1]: [11]])
    #expect(reading.obsolete == [c])
  }

  @Test func damageEndsTheProcess() {
    var scan = SnapshotScan(
      SnapshotMarker(
        offset: 0, sequence: 0, series: 1, seed: HashSeed(first: 1, second: 1), topic: "in", partitionCount: 1,
        versions: [:], recordCount: 0, header: []), in: PartitionID("g.state", 3))
    let failure = #expect(throws: SnapshotFailure.self) {
      try [UInt8(9)].withUnsafeBytes { try scan.take(offset: 4, key: $0, value: nil, into: Reading()) }
    }
    guard case .failed(let reason)? = failure else { return #expect(Bool(false)) }
    #expect(reason.kind == .configuration && reason.message.contains("g.state"))
  }

  @Test func keysAreMetOnce() {
    var seen = SeenKeys()
    var model: Set<[UInt8]> = []
    var random = SeededRandom(4)
    for _ in 0..<20_000 {
      let key = withUnsafeBytes(of: UInt32.random(in: 0..<9_000, using: &random)) { Array($0) }
      #expect(key.withUnsafeBytes { seen.insert($0) } == model.insert(key).inserted)
    }
    #expect(seen.count == model.count)
  }
}

@Suite struct SnapshotTroubleTests {
  private func trouble(age: Int64 = 0, _ change: (inout SnapshotTrouble) -> Void = { _ in }) -> SnapshotFailure {
    var trouble = SnapshotTrouble(TransactionTrouble(reason: "why", age: age, transactionTimeout: 10_000))
    change(&trouble)
    return trouble.failure
  }

  @Test func whatIsNotKnownIsTriedAgainAndAnOldAssignmentIsStale() {
    #expect(trouble() == .lost("why"))
    #expect(trouble { $0.isStale = true } == .stale)
    #expect(trouble { $0.isTopicMissing = true } == .lost("why; the state topic is made again at the next start"))
  }

  @Test func aFenceIsAnotherProcessUnlessTheTransactionWasOld() {
    #expect(trouble(age: 7_999) { $0.transaction.fence = "other" } == .failed(PipelineFailure(.fenced, "other")))
    #expect(trouble(age: 8_000) { $0.transaction.fence = "other" } == .lost("why"))
  }

  @Test func permissionAndARefusedRecordEndTheProcess() {
    #expect(trouble { $0.transaction.denial = "no" } == .failed(PipelineFailure(.configuration, "no")))
    #expect(trouble { $0.refusal = "large" } == .failed(PipelineFailure(.configuration, "large")))
  }
}
