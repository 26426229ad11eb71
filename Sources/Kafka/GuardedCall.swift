import Dispatch
import Locking

/// A call into librdkafka that may never come back: it runs on a thread of its own and is waited for within a bound.
final class GuardedCall: Sendable {
  private struct State {
    var isUnderWay = false
    var last: (@Sendable () -> Void)?
  }

  /// librdkafka's client, whose functions may be called from any thread.
  struct Client: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  /// What a call came to, handed from its thread to the one that waits.
  private final class Answer: Sendable {
    let result = Lock<Result<Void, KafkaError>?>(nil)
    let isThere = DispatchSemaphore(value: 0)
  }

  private let queue = DispatchQueue(label: "kafka.guarded")
  private let state = Lock(State())

  /// Runs `body` and waits for it. One call at a time; after one that was given up there is no other.
  ///
  /// - Returns: nil where it did not come back in time; it may still do so later.
  func run(
    limitMilliseconds: Int, _ body: @escaping @Sendable () throws(KafkaError) -> Void
  ) -> Result<Void, KafkaError>? {
    let mayRun = state.withLock { state in
      defer { state.isUnderWay = true }
      return !state.isUnderWay
    }
    guard mayRun else { return nil }
    let answer = Answer()
    queue.async { [self] in
      let result = Result { () throws(KafkaError) in try body() }
      answer.result.withLock { $0 = result }
      let last = state.withLock { state in
        state.isUnderWay = false
        return state.last
      }
      last?()
      answer.isThere.signal()
    }
    guard answer.isThere.wait(timeout: .now() + .milliseconds(limitMilliseconds)) == .success else { return nil }
    return answer.result.withLock { $0 }
  }

  /// Does something once no call is under way any more: at once, or when the one that was given up comes back.
  func finally(_ body: @escaping @Sendable () -> Void) {
    let isFree = state.withLock { state in
      if state.isUnderWay { state.last = body }
      return !state.isUnderWay
    }
    if isFree { body() }
  }
}
