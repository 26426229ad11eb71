import Configuration
import Detection
import Events
import Foundation
import Tables
import Telemetry
import TestSupport
import Testing

@testable import Pipeline

/// One partition over changes of its pipeline and over restarts.
@Suite struct TaskVersionsTests {
  private let base: PartitionTaskTests
  private let versions: [PipelineVersion]

  init() throws {
    base = try PartitionTaskTests()
    let changes: [(String) -> String] = [
      { $0 },
      // Conditions, sentences and severities: all state is kept.
      { $0.replacing("n >= 6, total", with: "n >= 4, total").replacing("{card} paid {to}", with: "{to} was paid") },
      // A window and a filter: those rules start anew.
      { $0.replacing("over: 1m", with: "over: 2m").replacing("condition: n >= 5", with: "condition: n >= 4") },
      // A rule less and a rule more, fields in other places.
      {
        $0.replacing("id: minute", with: "id: other")
          .replacing(
            "          memo:", with: "          extra: { at: /extra, type: int, optional: true }\n          memo:")
      },
      // Time.
      { $0.replacing("out_of_order: 5s", with: "out_of_order: 2s") },
    ]
    let tables = base.tables
    versions = try changes.enumerated().map { number, change in
      let text = change(PartitionTaskTests.file) + "\n# version \(number)\n"
      let read = PipelineFile.read(bytes: Array(text.utf8), path: "test.yaml", environment: [:])
      return PipelineVersion(
        id: VersionContent(pipeline: Array(text.utf8)).manifest.id,
        plan: try #require(read.plan, "\(read.diagnostics.rendered())"), tables: tables)
    }
    #expect(Set(versions.map(\.id)).count == versions.count)
  }

  private func task(_ start: PartitionTask.Start, newest: PipelineVersion) -> PartitionTask {
    let earlier = Dictionary(uniqueKeysWithValues: versions.map { ($0.id, $0) })
    return PartitionTask(
      versions: TaskVersions(newest: newest, earlier: earlier), partition: PartitionTaskTests.partition, start: start,
      productVersion: "0", registry: MetricsRegistry())
  }

  /// What a run with the activations at these offsets tells, without a restart.
  private func undisturbed(
    _ records: [PartitionTaskTests.Record], _ activations: [Int64: VersionID], seed: UInt64
  ) throws -> [Output] {
    var random = SeededRandom(seed)
    let byID = Dictionary(uniqueKeysWithValues: versions.map { ($0.id, $0) })
    let first = try #require(activations[0].flatMap { byID[$0] })
    let task = task(PartitionTask.Start(offset: 0, committed: 0), newest: first)
    let edges = (activations.keys.filter { $0 > 0 }.map { Int($0) } + [records.count]).sorted()
    var outputs: [Output] = []
    var next = 0
    for edge in edges {
      while next < edge {
        let size = min(edge - next, [1, 3, 40, 512].randomElement(using: &random) ?? 1)
        for offset in next..<(next + size) { base.append(records[offset], offset: offset, to: task.records) }
        next += size
        outputs += task.process(now: Int64(next) * 2_000_000_000)?.outputs ?? []
      }
      if let id = activations[Int64(edge)], let version = byID[id] { task.offer(version) }
    }
    return outputs
  }

  /// Versions are offered at any time, and the process dies at any time: what is told is what an undisturbed run tells that
  /// has the versions at the same offsets.
  @Test(arguments: 0..<40) func changesAndRestarts(seed: Int) throws {
    let records = base.records(900, seed: UInt64(seed))
    var random = SeededRandom(UInt64(seed) &+ 1_000)
    var activations: [Int64: VersionID] = [:]
    var outputs: [Output] = []
    var start = PartitionTask.Start(offset: 0, committed: 0)
    var now: Int64 = 0
    while start.committed < 900 {
      var newest = try #require(versions.randomElement(using: &random))
      let task = task(start, newest: newest)
      let stop = min(900, Int(start.committed) + Int.random(in: 1...400, using: &random))
      var pairs: [Pair] = []
      var next = Int(start.offset)
      while next < stop {
        if Int.random(in: 0..<6, using: &random) == 0 {
          newest = try #require(versions.randomElement(using: &random))
          task.offer(newest)
        }
        let size = min(stop - next, [1, 7, 60, 512].randomElement(using: &random) ?? 1)
        for offset in next..<(next + size) { base.append(records[offset], offset: offset, to: task.records) }
        next += size
        now += 700_000_000
        if let pair = task.process(now: now) { pairs.append(pair) }
      }
      // What was not committed before the end has never been.
      pairs = Array(pairs.prefix(stop == 900 ? pairs.count : Int.random(in: 0...pairs.count, using: &random)))
      outputs += pairs.flatMap(\.outputs)
      guard let last = pairs.last else { continue }
      for pair in pairs {
        for activation in pair.position.active.activations {
          activations[activation.offset] = activation.version
          #expect(activation.offset < pair.position.offset)
        }
      }
      let committed = Position(offset: last.position.offset, metadata: last.position.metadata)
      #expect(committed == last.position)
      #expect(committed.metadata.utf8.count < 2_500)
      start = PartitionTask.Start(committed)
    }
    #expect(activations.count > 1)
    let expected = try undisturbed(records, activations, seed: UInt64(seed))
    #expect(outputs.map(\.cause) == expected.map(\.cause))
    #expect(outputs == expected)
  }

  /// A version that can't be had any more gives way to the present one, and the partition goes on.
  @Test func aVersionThatIsGone() throws {
    let records = base.records(300, seed: 3)
    var start = PartitionTask.Start(offset: 0, committed: 200)
    start.active = try #require(VersionLedger(word: "\(versions[1].id)@0,\(versions[2].id)@150"))
    let task = PartitionTask(
      versions: TaskVersions(newest: versions[0], earlier: [versions[1].id: versions[1]]),
      partition: PartitionTaskTests.partition, start: start, productVersion: "0", registry: MetricsRegistry())
    #expect(task.version == versions[1].id)
    for offset in 0..<300 { base.append(records[offset], offset: offset, to: task.records) }
    let pair = try #require(task.process(now: 0))
    #expect(pair.position.active.word == "\(versions[1].id)@0,\(versions[2].id)@150,\(versions[0].id)@200")
    #expect(pair.outputs.allSatisfy { $0.cause >= 200 })
    #expect(task.version == versions[0].id)
  }

  /// A restart may go on from a snapshot that is older than what windows need: what was in force there is kept. And where
  /// windows need more than the ledger holds, the snapshot is enough.
  @Test func snapshotsAndTheLedger() throws {
    let records = base.records(400, seed: 6)
    let task = task(PartitionTask.Start(offset: 0, committed: 0), newest: versions[0])
    var pair: Pair?
    func work(_ range: Range<Int>, _ newest: PipelineVersion) {
      task.offer(newest)
      for offset in range { base.append(records[offset], offset: offset, to: task.records) }
      pair = task.process(now: Int64(range.upperBound) * 2_000_000_000)
    }
    work(0..<10, versions[0])
    task.noteSnapshot(writtenAt: 5)
    for start in stride(from: 10, to: 380, by: 10) { work(start..<(start + 10), versions[1]) }
    work(380..<381, versions[2])
    #expect((pair?.position.replay?.offset ?? 0) > 10)
    #expect(pair?.position.active.word == "\(versions[0].id)@0,\(versions[1].id)@10,\(versions[2].id)@380")
    task.noteSnapshot(writtenAt: 381)
    work(381..<382, versions[2])
    #expect(pair?.position.active.activations.first?.version == versions[1].id)
    for offset in 382..<400 { work(offset..<(offset + 1), versions[offset % 2]) }
    #expect(pair?.position.active.latest == versions[1].id)
  }

  /// A first snapshot that is cut may be written before anybody is told: what was in force there is kept from then on.
  @Test func aFirstSnapshotOnItsWay() throws {
    let records = base.records(400, seed: 6)
    var start = PartitionTask.Start(offset: 0, committed: 0)
    start.partitionCount = 1
    let task = task(start, newest: versions[0])
    var pair: Pair?
    func work(_ range: Range<Int>, _ newest: PipelineVersion) {
      task.offer(newest)
      for offset in range { base.append(records[offset], offset: offset, to: task.records) }
      pair = task.process(now: Int64(range.upperBound) * 2_000_000_000)
    }
    work(0..<10, versions[0])
    #expect(task.cutSnapshot()?.marker.offset == 10)
    work(10..<20, versions[0])
    for start in stride(from: 20, to: 380, by: 10) { work(start..<(start + 10), versions[1]) }
    work(380..<381, versions[2])
    #expect((pair?.position.replay?.offset ?? 0) > 20)
    #expect(pair?.position.active.version(at: 10) == versions[0].id)
  }

  /// Where the ledger is full, a version waits until a snapshot makes room.
  @Test func aFullLedger() throws {
    let records = base.records(60, seed: 7)
    let task = task(PartitionTask.Start(offset: 0, committed: 0), newest: versions[0])
    for offset in 0..<40 {
      task.offer(versions[offset % 2])
      base.append(records[offset], offset: offset, to: task.records)
      // Without a look at what a restart needs, nothing is forgotten.
      _ = task.process(now: 0)
    }
    #expect(task.version == versions[(VersionLedger.limit - 1) % 2].id)
    task.offer(versions[2])
    task.noteSnapshot(writtenAt: 40)
    base.append(records[40], offset: 40, to: task.records)
    let pair = try #require(task.process(now: 0))
    #expect(task.version == versions[2].id && pair.position.active.activations.count == 2)
  }

  /// Batches are as the newest version has them, also where the old one had larger ones.
  @Test func anotherBatchSize() throws {
    let text = PartitionTaskTests.file + "\nlimits: { batch_records: 5 }\n"
    let plan = try #require(PipelineFile.read(bytes: Array(text.utf8), path: "t.yaml", environment: [:]).plan)
    let small = PipelineVersion(
      id: VersionContent(pipeline: Array(text.utf8)).manifest.id, plan: plan, tables: base.tables)
    let records = base.records(60, seed: 4)
    for (old, new) in [(versions[0], small), (small, versions[0])] {
      var start = PartitionTask.Start(offset: 0, committed: 30)
      start.active = try #require(VersionLedger(word: "\(old.id)@0"))
      let task = PartitionTask(
        versions: TaskVersions(newest: new, earlier: [old.id: old]), partition: PartitionTaskTests.partition,
        start: start, productVersion: "0", registry: MetricsRegistry())
      #expect(task.records.capacity == new.plan.limits.batchRecords)
      var next = 0
      var last: Pair?
      while next < 60 {
        for _ in 0..<min(task.records.capacity, 60 - next) {
          base.append(records[next], offset: next, to: task.records)
          next += 1
        }
        last = task.process(now: 0) ?? last
      }
      #expect(last?.position.active.word == "\(old.id)@0,\(new.id)@30")
    }
  }
}
