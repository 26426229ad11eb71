import Pipeline
import Testing

@testable import KafkaTransport

/// Event time that is ahead of the clock.
@Suite struct WrongClockTests {
  private static let (one, two) = (PartitionID("t", 1), PartitionID("t", 2))
  private static let second: Int64 = 1_000_000_000

  @Test func whatIsFurthestAheadIsTold() {
    var watch = WrongClockWatch(future: 10 * Self.second)
    let now = ContinuousClock.now
    let time = 1_000 * Self.second
    #expect(watch.look([:], time: time, now: now) == nil)
    #expect(watch.look([Self.one: .min, Self.two: time + 10 * Self.second], time: time, now: now) == nil)
    let found = watch.look([Self.one: time + 11 * Self.second, Self.two: .max], time: time, now: now)
    #expect(found == WrongClockWatch.Finding(partition: Self.two, count: 2, ahead: .max - time))
  }

  @Test func itIsToldOnceAMinute() {
    var watch = WrongClockWatch(future: 0)
    let now = ContinuousClock.now
    func isTold(after seconds: Int) -> Bool {
      watch.look([Self.one: 2], time: 1, now: now + .seconds(seconds)) != nil
    }
    #expect([0, 1, 59, 60, 61, 119, 120].map(isTold) == [true, false, false, true, false, false, true])
  }
}
