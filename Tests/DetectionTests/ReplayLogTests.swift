import TestSupport
import Testing

@testable import Detection

@Suite struct ReplayLogTests {
  /// Its answer meets the need wherever any place that was noted does; and it is not far behind the best one.
  @Test(arguments: UInt64(0)..<10)
  func itFindsAPlaceThatMeetsTheNeed(_ seed: UInt64) {
    var random = SeededRandom(seed)
    var log = ReplayLog()
    var noted: [ReplayPoint] = []
    #expect(log.place(for: .nothing) == nil)
    var largest = Int64.min
    var need = ReplayNeed(offset: 0, time: .min)
    for batch in Int64(0)..<5_000 {
      let place = ReplayPoint(offset: batch * 10, largest: largest)
      log.note(place)
      noted.append(place)
      if !random.once(in: 3) { largest = max(largest, batch * 100 + random.int(0...500)) }
      guard random.once(in: 50) else { continue }
      // What is needed only moves on.
      need.offset = max(need.offset, batch * 10 - random.int(0...20_000))
      need.time = max(need.time, batch * 100 - random.int(0...200_000))
      let best = noted.last { $0.offset <= need.offset && $0.largest <= need.time }
      guard let found = log.place(for: need), let best else { continue }
      #expect(found.offset <= need.offset && found.largest <= need.time)
      #expect(noted.contains(found))
      // Of about 1,000 places that remain, the next one back.
      #expect(best.offset - found.offset <= 50_000 / 8)
    }
  }
}
