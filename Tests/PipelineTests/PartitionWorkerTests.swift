import Dispatch
import Events
import Glibc
import Locking
import Telemetry
import Testing

@testable import Pipeline

/// A partition's worker at the ends of its log.
@Suite struct PartitionWorkerTests {
  /// Brings some records, and with them news.
  private final class ShortLog: PartitionLog {
    private let records: Lock<[PartitionTaskTests.Record]>
    private let news: PullOutcome
    let isClosed = Lock(false)

    init(_ records: [PartitionTaskTests.Record], _ change: (inout PullOutcome) -> Void) {
      self.records = Lock(records)
      var news = PullOutcome(isDrained: true)
      change(&news)
      self.news = news
    }

    func pull(into batch: RecordBatch) -> PullOutcome {
      let records = records.withLock { records in
        defer { records = [] }
        return records
      }
      for (offset, record) in records.enumerated() {
        batch.append(offset: Int64(offset), key: record.key, value: record.value, headers: record.headers)
      }
      return news
    }

    func close() { isClosed.withLock { $0 = true } }
  }

  /// Nobody can make what was read again: it is handed over before the worker says that it can't go on.
  @Test func whatWasReadGoesOutBeforeTheRestIsGone() throws {
    let tests = try PartitionTaskTests()
    let records = tests.records(300, seed: 4)
    let expected = tests.run(tests.task(), records, seed: 1).flatMap(\.outputs).map(\.cause)
    let sink = MemorySink()
    let metrics = CommitMetrics(MetricsRegistry())
    let committer = Committer(sink: sink, unsettledBytes: 1 << 20, metrics: metrics) { Issue.record("\($0)") }
    let told = Lock<[Int64]>([])
    let done = DispatchSemaphore(value: 0)
    let worker = PartitionWorker(task: tests.task(), committer: committer) { _, event in
      guard case .passed(let offset, "it is gone") = event else { return }
      told.withLock { $0.append(offset) }
      done.signal()
    }
    let log = ShortLog(records) { $0.passed = "it is gone" }
    worker.start(log)
    #expect(done.wait(timeout: .now() + 20) == .success)
    #expect(told.withLock { $0 } == [300] && log.isClosed.withLock { $0 })
    #expect(committer.drain(timeoutMilliseconds: 20_000))
    #expect(!expected.isEmpty && sink.state.withLock { $0.written[PartitionTaskTests.partition] } == expected)
    worker.wake()
    worker.stop()
    #expect(told.withLock { $0.count } == 1)
    committer.stop()
  }

  /// The group is not left in front of marks of transactions.
  @Test func marksAtTheEndAreGonePast() throws {
    let tests = try PartitionTaskTests()
    let sink = MemorySink()
    let metrics = CommitMetrics(MetricsRegistry())
    let committer = Committer(sink: sink, unsettledBytes: 1 << 20, metrics: metrics) { Issue.record("\($0)") }
    let worker = PartitionWorker(task: tests.task(), committer: committer) { Issue.record("\($1)") }
    worker.start(ShortLog(tests.records(300, seed: 4)) { $0.end = 303 })
    func committed() -> Int64? { sink.state.withLock { $0.committed[PartitionTaskTests.partition]?.offset } }
    let deadline = ContinuousClock.now + .seconds(20)
    while committed() != 303, ContinuousClock.now < deadline { usleep(1_000) }
    #expect(committed() == 303)
    #expect(worker.state.nextOffset == 303 && worker.state.end == 303 && worker.state.isDrained)
    worker.stop()
    committer.stop()
  }
}
