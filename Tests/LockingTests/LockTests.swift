import Foundation
import Locking
import Testing

@Suite struct LockTests {
  @Test func oneThreadAtATime() {
    let counts = Lock([Int](repeating: 0, count: 4))
    DispatchQueue.concurrentPerform(iterations: 4) { worker in
      for _ in 0..<10_000 {
        counts.withLock { values in
          // All four places move together, so that a second thread inside would leave them apart.
          for place in values.indices { values[place] += worker + 1 }
        }
      }
    }
    #expect(counts.withLock { $0 } == [100_000, 100_000, 100_000, 100_000])
  }

  @Test func anErrorOpensTheLock() {
    struct Refused: Error {}
    let lock = Lock(1)
    #expect(throws: Refused.self) { try lock.withLock { _ throws(Refused) in throw Refused() } }
    #expect(lock.withLock { $0 } == 1)
  }

  @Test func theValueIsReleased() {
    final class Witness: Sendable {}
    weak var seen: Witness?
    do {
      let lock = Lock<Witness?>(Witness())
      seen = lock.withLock { $0 }
      #expect(seen != nil)
    }
    #expect(seen == nil)
  }
}
