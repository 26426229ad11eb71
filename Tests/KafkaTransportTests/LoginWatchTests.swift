import Testing

@testable import KafkaTransport

/// Logins that fail: for how long, and whether they belong together.
@Suite struct LoginWatchTests {
  private func watch(_ seconds: [Int]) -> [Bool] {
    var watch = LoginWatch(patience: .seconds(60))
    let origin = ContinuousClock.now
    return seconds.map { watch.isRefused(now: origin + .seconds($0)) }
  }

  @Test func aLoginThatBreaksOffIsNotRefused() {
    #expect(watch([0]) == [false])
    #expect(watch([0, 1, 2, 59]) == [false, false, false, false])
  }

  @Test func oneThatFailsOnAndOnIs() {
    #expect(watch([0, 30, 60]) == [false, false, true])
    #expect(watch([0, 40, 80]) == [false, false, true])
  }

  /// What failed an hour ago has nothing to do with it.
  @Test func timeWithoutAFailureBeginsAnew() {
    #expect(watch([0, 46, 92, 138]) == [false, false, false, false])
    #expect(watch([0, 100, 130, 160]) == [false, false, false, true])
  }
}
