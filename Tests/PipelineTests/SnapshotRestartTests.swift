import Detection
import Dispatch
import Events
import Locking
import Telemetry
import TestSupport
import Testing

@testable import Pipeline

/// A partition that is stopped anywhere and taken up again from its snapshot writes what an undisturbed one writes.
@Suite struct SnapshotRestartTests {
  private let tests: PartitionTaskTests
  private let partition = PartitionTaskTests.partition

  init() throws { tests = try PartitionTaskTests() }

  /// Takes a partition up as the control loop does: facts, decision, task, restore.
  private func takeUp(
    _ store: MemorySnapshotStore, _ committed: Position?, low: Int64 = 0, high: Int64
  ) throws -> (task: PartitionTask, recovery: Recovery) {
    let markers = try store.lastMarkers(of: [partition])
    let recovery = try Recovery.decide(
      Recovery.Facts(
        partition: partition, partitionCount: 4, committed: committed, low: low, high: high, marker: markers[partition],
        origin: .beginning))
    let task = tests.task(recovery.start)
    if let marker = recovery.marker {
      try task.beginRestore(marker.marker)
      try store.read(partition, upTo: marker, into: Restoring(task))
      _ = task.finishRestore(marker.marker)
    }
    return (task, recovery)
  }

  private final class Restoring: SnapshotReading {
    private let task: PartitionTask
    init(_ task: PartitionTask) { self.task = task }
    var isCancelled: Bool { false }
    func restore(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(StateError) {
      try task.restore(key: key, value: value)
    }
    func obsolete(key: UnsafeRawBufferPointer) { task.obsolete.append(Array(key)) }
    func progress(records: Int64, bytes: Int64, remaining: Int64) {}
  }

  @Test(arguments: 0..<8) func aRestartFromASnapshotGoesOnAsIfNothingHadBeen(seed: Int) throws {
    let records = tests.records(900, seed: UInt64(seed))
    let undisturbed = tests.run(tests.task(), records, seed: 1).flatMap(\.outputs)
    var random = SeededRandom(UInt64(seed) &+ 177)
    let store = MemorySnapshotStore()
    var outputs: [Output] = []
    var committed: Position?
    var next = 0
    var hasCut = false
    for life in 0..<6 {
      let (task, recovery) = try takeUp(store, committed, high: 900)
      #expect((recovery.marker != nil) == hasCut)
      next = Int(recovery.start.offset)
      let stop = life == 5 ? 900 : min(900, (next + Int.random(in: 20...260, using: &random)))
      while next < stop {
        let end = min(stop, next + Int.random(in: 1...90, using: &random))
        let pairs = tests.run(task, records, from: next, to: end, seed: random.next())
        next = end
        outputs += pairs.flatMap(\.outputs)
        if let last = pairs.last {
          committed = Position(offset: last.position.offset, metadata: last.position.metadata)
        }
        if Int.random(in: 0..<3, using: &random) == 0, let cut = task.cutSnapshot() {
          // Sent only after the commit that covers it; now and then twice, and now and then never, with the process.
          #expect(cut.marker.offset == committed?.offset)
          if end < stop || Bool.random(using: &random) {
            try store.write(cut, fence: 0)
            hasCut = true
            if Bool.random(using: &random) { try store.write(cut, fence: 0) }
          } else {
            break
          }
        }
      }
    }
    #expect(outputs == undisturbed)
  }

  /// What the replay point in the offset's metadata is for: the way without the state topic stays open after a restore.
  @Test(arguments: 0..<4) func withoutItsStateTopicAPartitionStillHasItsReplayPoint(seed: Int) throws {
    let records = tests.records(900, seed: UInt64(seed))
    let undisturbed = tests.run(tests.task(), records, seed: 1).flatMap(\.outputs)
    let store = MemorySnapshotStore()
    var (task, _) = try takeUp(store, nil, high: 900)
    var pairs = tests.run(task, records, to: 400, seed: 2)
    var outputs = pairs.flatMap(\.outputs)
    try store.write(try #require(task.cutSnapshot()), fence: 0)
    var committed = try #require(pairs.last).position
    (task, _) = try takeUp(store, committed, high: 900)
    pairs = tests.run(task, records, from: 400, to: 650, seed: 3)
    outputs += pairs.flatMap(\.outputs)
    committed = try #require(pairs.last).position
    // The topic is deleted.
    let taken = try takeUp(MemorySnapshotStore(), committed, high: 900)
    #expect(taken.recovery.marker == nil && taken.recovery.start.offset < 650)
    outputs += tests.run(taken.task, records, from: Int(taken.recovery.start.offset), seed: 4).flatMap(\.outputs)
    #expect(outputs == undisturbed)
  }

  @Test func nothingNewIsNoCutAndAMoveIsOne() throws {
    let records = tests.records(300, seed: 3)
    let (task, _) = try takeUp(MemorySnapshotStore(), nil, high: 300)
    #expect(task.cutSnapshot() == nil, "nothing was read yet, and nothing is committed")
    _ = tests.run(task, records, to: 100, seed: 1)
    let cut = try #require(task.cutSnapshot())
    #expect(cut.marker.offset == 100 && !cut.records.isEmpty && cut.marker.topic == "payments")
    #expect(cut.marker.partitionCount == 4 && cut.marker.versions["pipeline"] == tests.plan.version)
    #expect(cut.marker.versions["table bad"] != nil && cut.marker.recordCount == Int64(cut.records.count))
    #expect(task.cutSnapshot() == nil)
    // A record that changes no state moves the offset: the snapshot must not fall behind the input's retention.
    tests.append(PartitionTaskTests.Record(key: nil, value: nil), offset: 100, to: task.records)
    _ = task.process(now: 0)
    let moved = try #require(task.cutSnapshot())
    #expect(moved.marker.offset == 101)
  }

  @Test func noCutWhileRecordsAreReadAgain() throws {
    let records = tests.records(300, seed: 3)
    var start = PartitionTask.Start(offset: 0, committed: 200)
    start.partitionCount = 4
    let task = tests.task(start)
    _ = tests.run(task, records, to: 199, seed: 1)
    #expect(task.isReplaying && task.cutSnapshot() == nil)
    _ = tests.run(task, records, from: 199, to: 200, seed: 1)
    #expect(task.cutSnapshot()?.marker.offset == 200)
  }

  /// State of a series that was given up is not read as ours, and is cleared away by the next cut.
  @Test func aGivenUpSeriesIsToldApartAndClearedAway() throws {
    let records = tests.records(600, seed: 5)
    let store = MemorySnapshotStore()
    var (task, recovery) = try takeUp(store, nil, high: 600)
    _ = tests.run(task, records, to: 300, seed: 1)
    try store.write(try #require(task.cutSnapshot()), fence: 0)
    // An operator sets the group back: the state is from the future.
    (task, recovery) = try takeUp(store, Position(offset: 100, metadata: ""), high: 600)
    #expect(recovery.marker == nil)
    var pairs = tests.run(task, records, from: 100, to: 350, seed: 1)
    try store.write(try #require(task.cutSnapshot()), fence: 0)
    let reached = try #require(pairs.last).position
    (task, recovery) = try takeUp(store, reached, high: 600)
    #expect(recovery.marker != nil && !task.obsolete.isEmpty)
    let obsolete = task.obsolete.count
    pairs = tests.run(task, records, from: 350, to: 360, seed: 1)
    let cut = try #require(task.cutSnapshot())
    #expect(cut.obsolete.count == obsolete && task.obsolete.isEmpty)
    try store.write(cut, fence: 0)
    (task, recovery) = try takeUp(store, try #require(pairs.last).position, high: 600)
    #expect(task.obsolete.isEmpty)
  }

  // MARK: The shells

  @Test func theSnapshotterWritesWhatIsCoveredUntilItWentThrough() throws {
    let store = MemorySnapshotStore()
    store.state.withLock { $0.failures = [.lost("a"), nil] }
    let registry = MetricsRegistry()
    let snapshotter = Snapshotter(
      store: store, timing: SnapshotCoordinator.Timing(every: 1), metrics: SnapshotMetrics(registry)
    ) { Issue.record("\($0)") }
    snapshotter.renewFence { fence in store.state.withLock { $0.fence = fence } }
    snapshotter.add(partition, settled: Position(offset: 0, sequence: 0, replay: nil))
    snapshotter.submit(SnapshotCoordinatorTests.cut(partition, 10, 2), of: partition)
    #expect(!snapshotter.drain([PartitionID("other", 0), partition], timeoutMilliseconds: 50))
    #expect(store.state.withLock { $0.writes } == 0)
    snapshotter.add(partition, settled: Position(offset: 0, sequence: 0, replay: nil))
    snapshotter.submit(SnapshotCoordinatorTests.cut(partition, 10, 2), of: partition)
    snapshotter.settled(partition, Position(offset: 10, sequence: 2, replay: nil))
    #expect(snapshotter.drain([partition], timeoutMilliseconds: 20_000))
    #expect(store.state.withLock { $0.writes } == 2)
    #expect(registry.total(PipelineMetrics.snapshots) == 1 && registry.total(PipelineMetrics.snapshotFailures) == 1)
    snapshotter.stop()
  }

  @Test func aFailureOfTheStoreEndsItOnce() {
    let store = MemorySnapshotStore()
    store.state.withLock { $0.failures = [.failed(PipelineFailure(.fenced, "another process"))] }
    let told = Lock<[PipelineFailure]>([])
    let snapshotter = Snapshotter(
      store: store, timing: SnapshotCoordinator.Timing(every: 1), metrics: SnapshotMetrics(MetricsRegistry())
    ) { failure in told.withLock { $0.append(failure) } }
    snapshotter.renewFence { fence in store.state.withLock { $0.fence = fence } }
    snapshotter.add(partition, settled: Position(offset: 10, sequence: 0, replay: nil))
    snapshotter.submit(SnapshotCoordinatorTests.cut(partition, 10), of: partition)
    #expect(!snapshotter.drain([partition], timeoutMilliseconds: 20_000))
    #expect(told.withLock { $0.map(\.kind) } == [.fenced])
    snapshotter.stop()
  }

  @Test func theRestorerTriesAgainAndGivesUpWithItsWorker() throws {
    let records = tests.records(300, seed: 8)
    let store = MemorySnapshotStore()
    let (task, _) = try takeUp(store, nil, high: 300)
    let pairs = tests.run(task, records, to: 200, seed: 1)
    try store.write(try #require(task.cutSnapshot()), fence: 0)
    let marker = try #require(try store.lastMarkers(of: [partition])[partition])
    store.state.withLock { $0.readFailures = [.lost("a broker is away")] }
    let registry = MetricsRegistry()
    let restorer = StateRestorer(store: store, registry: registry)
    let recovery = try Recovery.decide(
      Recovery.Facts(
        partition: partition, partitionCount: 4, committed: pairs.last?.position, low: 0, high: 300, marker: marker,
        origin: .beginning))
    let committer = Committer(
      sink: MemorySink(), unsettledBytes: 1_000, metrics: CommitMetrics(MetricsRegistry())
    ) { _ in }
    func worker() -> PartitionWorker {
      PartitionWorker(task: tests.task(recovery.start), committer: committer) { _, _ in }
    }
    let done = DispatchSemaphore(value: 0)
    restorer.restore(worker(), from: marker) { _, failure in
      #expect(failure == nil)
      done.signal()
    }
    #expect(done.wait(timeout: .now() + 20) == .success)
    #expect(registry.total(PipelineMetrics.restoredRecords) > 0)

    let stopped = worker()
    stopped.stop()
    restorer.restore(stopped, from: marker) { _, _ in Issue.record("a worker that was stopped is not restored") }
    store.state.withLock { $0.readFailures = [.failed(PipelineFailure(.configuration, "damaged"))] }
    restorer.restore(worker(), from: marker) { _, failure in
      #expect(failure?.kind == .configuration)
      done.signal()
    }
    #expect(done.wait(timeout: .now() + 20) == .success)
    committer.stop()
  }
}
