import TestSupport
import Testing

@testable import Pipeline

@Suite struct ExchangeClockTests {
  @Test func allExpectedAreWaitedFor() {
    var clock = ExchangeClock()
    clock.expect(3)
    #expect(clock.end(of: 0, watermark: 50, isIdle: false) == .min)
    #expect(clock.end(of: 2, watermark: 40, isIdle: false) == .min)
    #expect(clock.end(of: 1, watermark: .min, isIdle: true) == 40)
    #expect(clock.others(than: 2) == 50 && clock.others(than: 0) == 40)
    // One that comes back behind does not move it back.
    clock.wake(1)
    #expect(clock.others(than: 0) == .min)
    #expect(clock.end(of: 1, watermark: 10, isIdle: false) == 40)
    #expect(clock.end(of: 0, watermark: 90, isIdle: true) == 40)
    #expect(clock.end(of: 2, watermark: 60, isIdle: true) == 40)
    // All idle: as far as the furthest.
    #expect(clock.end(of: 1, watermark: 10, isIdle: true) == 90)
    // More partitions: those that were never heard of are waited for.
    clock.expect(4)
    #expect(clock.end(of: 0, watermark: 200, isIdle: false) == 90)
    #expect(clock.end(of: 3, watermark: 120, isIdle: false) == 120)
  }

  @Test(arguments: 0..<30) func itIsSavedWhole(seed: Int) throws {
    var random = SeededRandom(UInt64(seed))
    var clock = ExchangeClock()
    clock.expect(Int.random(in: 1...40, using: &random))
    var last = Int64.min
    for _ in 0..<200 {
      let source = Int.random(in: clock.sources.indices, using: &random)
      clock.note(.random(in: 0...9_999, using: &random), of: source)
      let now = clock.end(
        of: source, watermark: .random(in: -500...500, using: &random), isIdle: Bool.random(using: &random))
      #expect(now >= last)
      last = now
    }
    var used = 0
    let bytes = clock.encoded
    #expect(try ExchangeClock(bytes + [1, 2, 3], used: &used) == clock && used == bytes.count)
    for _ in 0..<50 {
      var damaged = bytes
      damaged[Int.random(in: damaged.indices, using: &random)] = .random(in: 0...255, using: &random)
      if Bool.random(using: &random) { damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random)) }
      _ = try? ExchangeClock(damaged, used: &used)
    }
    #expect(throws: ExchangeClock.DamagedState.self) { _ = try ExchangeClock(Array(bytes.dropLast()), used: &used) }
  }

  @Test func theGateWaitsForTheSlowest() {
    let (a, b, c) = (PartitionID("t", 0), PartitionID("t", 1), PartitionID("t", 2))
    func standing(_ watermark: Int64, _ offset: Int64 = 0, quiet: Bool = false) -> LeadGate.Standing {
      LeadGate.Standing(watermark: watermark, offset: offset, isQuiet: quiet)
    }
    var gate = LeadGate(lead: 100, patience: 30)
    #expect(gate.limit([:], now: 0) == .max)
    #expect(gate.limit([a: standing(500), b: standing(40)], now: 0) == 140)
    #expect(gate.limit([a: standing(500), b: standing(40, quiet: true)], now: 1) == 600)
    #expect(gate.limit([a: standing(500, quiet: true), b: standing(40, quiet: true)], now: 1) == .max)
    // One that has no watermark yet is waited for, but not for ever.
    let three = [a: standing(500), b: standing(40, 7), c: standing(.min)]
    #expect(gate.limit(three, now: 10) == .min + 100)
    #expect(gate.limit(three.merging([b: standing(41, 8)]) { $1 }, now: 39) == .min + 100)
    #expect(gate.limit(three.merging([b: standing(42, 9), a: standing(501)]) { $1 }, now: 40) == 142)
    #expect(gate.limit([a: standing(.max - 5)], now: 50) == .max)
  }
}
