import Dispatch
import Glibc
import Locking
import Telemetry
import Testing

@testable import Pipeline

/// A sink in memory whose commits fail on demand.
final class MemorySink: Sink {
  struct State {
    var written: [PartitionID: [Int64]] = [:]
    var committed: [PartitionID: Position] = [:]
    /// What the next commits do: nil goes through.
    var failures: [SinkFailure?] = []
    /// Whether a failing commit takes effect all the same.
    var takesEffect = false
    var isHeld = false
    var abandoned = 0
    var recoveries = 0
  }

  let state = Lock(State())

  func commit(_ transaction: Transaction) throws(SinkFailure) {
    while state.withLock({ $0.isHeld && $0.abandoned == 0 }) { usleep(1_000) }
    let failure = state.withLock { state -> SinkFailure? in
      if state.isHeld, state.abandoned > 0 { return .lost("abandoned") }
      let failure = state.failures.isEmpty ? nil : state.failures.removeFirst()
      if failure == nil || state.takesEffect {
        for pair in transaction.pairs {
          state.written[pair.partition, default: []] += pair.outputs.map(\.cause)
          state.committed[pair.partition] = pair.position
        }
      }
      return failure
    }
    if let failure { throw failure }
  }

  func recover(_ partitions: [PartitionID]) throws(SinkFailure) -> [PartitionID: Position] {
    state.withLock { state in
      state.recoveries += 1
      return state.committed.filter { partitions.contains($0.key) }
    }
  }

  func abandon() { state.withLock { $0.abandoned += 1 } }
}

@Suite struct CommitterTests {
  private let partition = PartitionID("t", 0)

  private func pair(_ offset: Int64, bytes: Int = 10) -> Pair {
    Pair(
      partition: partition, position: Position(offset: offset, sequence: offset, replay: nil),
      outputs: [Output(.alerts, key: nil, value: Array(repeating: 1, count: bytes), headers: [], cause: offset - 1)])
  }

  private func committer(
    _ sink: MemorySink, onFailure: @escaping @Sendable (PipelineFailure) -> Void = { _ in }
  ) -> Committer {
    Committer(
      sink: sink, unsettledBytes: 1_000, metrics: CommitMetrics(MetricsRegistry()), onFailure: onFailure)
  }

  @Test func pairsAreCommittedAndWorkersWoken() {
    let sink = MemorySink()
    let committer = committer(sink)
    let woken = DispatchSemaphore(value: 0)
    committer.add(partition) { woken.signal() }
    for offset in 1...50 { _ = committer.submit(pair(Int64(offset))) }
    #expect(woken.wait(timeout: .now() + 10) == .success)
    #expect(committer.drain(timeoutMilliseconds: 10_000))
    #expect(sink.state.withLock { $0.written[partition] } == Array(0..<50))
    committer.stop()
  }

  @Test func aLossThatTookEffectIsNotRepeated() {
    let sink = MemorySink()
    sink.state.withLock {
      $0.failures = [.lost("unknown outcome")]
      $0.takesEffect = true
    }
    let committer = committer(sink)
    committer.add(partition) {}
    _ = committer.submit(pair(1))
    #expect(committer.drain(timeoutMilliseconds: 10_000))
    #expect(sink.state.withLock { $0.written[partition] } == [0])
    #expect(sink.state.withLock { $0.recoveries } == 1)
    committer.stop()
  }

  @Test func aLossThatTookNoEffectIsSentAgain() {
    let sink = MemorySink()
    sink.state.withLock { $0.failures = [.lost("a"), nil, .lost("b"), .lost("c")] }
    let committer = committer(sink)
    committer.add(partition) {}
    for offset in 1...10 {
      _ = committer.submit(pair(Int64(offset)))
      usleep(5_000)
    }
    #expect(committer.drain(timeoutMilliseconds: 20_000))
    #expect(sink.state.withLock { $0.written[partition] } == Array(0..<10))
    committer.stop()
  }

  @Test func aFailureEndsItOnceAndBlocksReaders() {
    let sink = MemorySink()
    sink.state.withLock { $0.failures = [.failed(PipelineFailure(.fenced, "another process runs as x"))] }
    let told = Lock<[PipelineFailure]>([])
    let done = DispatchSemaphore(value: 0)
    let committer = committer(sink) { failure in
      told.withLock { $0.append(failure) }
      done.signal()
    }
    committer.add(partition) {}
    _ = committer.submit(pair(1))
    #expect(done.wait(timeout: .now() + 10) == .success)
    #expect(committer.submit(pair(2)))
    #expect(committer.isBlocked(partition))
    #expect(!committer.drain(timeoutMilliseconds: 100))
    #expect(told.withLock { $0.map(\.kind) } == [.fenced])
    committer.stop()
  }

  @Test func aStalledSinkBlocksTheReaderAndIsAbandonedInTheEnd() {
    let sink = MemorySink()
    sink.state.withLock { $0.isHeld = true }
    let committer = committer(sink)
    committer.add(partition) {}
    _ = committer.submit(pair(1, bytes: 2_000))
    #expect(committer.isBlocked(partition))
    #expect(!committer.drain(timeoutMilliseconds: 200))
    #expect(sink.state.withLock { $0.abandoned } >= 1)
    #expect(sink.state.withLock { $0.written.isEmpty })
    committer.stop()
  }
}
