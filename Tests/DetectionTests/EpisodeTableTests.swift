import Events
import Expressions
import TestSupport
import Testing

@testable import Detection

@Suite struct EpisodeTableTests {
  private final class Teller: EpisodeTeller {
    func telling(_ point: EventPoint) -> Telling {
      Telling(
        key: [], severity: .low, message: "", observations: [], values: [], window: nil, hits: [], evidence: [],
        eventCount: 1, firstSeen: point.time)
    }
    func severity(_ point: EventPoint) -> Severity { .low }
    func refresh(_ values: inout [Finding.NamedValue], _ point: EventPoint) {}
  }

  private func point(_ time: Int64) -> EventPoint {
    EventPoint(
      row: 0, cause: Cause(offset: time, order: time), origin: EventOrigin(partition: 0, offset: time), time: time,
      watermark: time)
  }

  /// A condition that flaps opens and closes an alert at each event; what the table keeps does not grow with them.
  @Test func closedEpisodesLeaveNothingBehind() throws {
    let plan = RulePlan(
      id: "r", filters: [], kind: .event, severities: [], message: try Template.compile("", in: Environment()))
    let teller = Teller()
    let table = EpisodeTable(plan, number: 0, limit: 100, teller: teller)
    let key = EpisodeKey(hash: KeyHash(low: 1, high: 2), window: 0)
    let other = EpisodeKey(hash: KeyHash(low: 3, high: 4), window: 0)
    table.holds(other, point(0), emptyAt: 50_000)
    for time in Int64(1)...10_000 {
      let point = point(time)
      if time % 2 == 1 { table.holds(key, point, emptyAt: time + 1_000_000) } else { table.doesNotHold(key, point) }
    }
    #expect(table.deadlineCount < 200 && table.count == 1)
    #expect(table.findings.count == 10_001)
    table.advance(watermark: 60_000) { _ in Cause(offset: 77, order: 77) }
    #expect(table.count == 0 && table.findings.last?.cause == 77 && table.findings.last?.time == 50_000)
    withExtendedLifetime(teller) {}
  }

  /// The heap gives back what went in, in order.
  @Test func theHeapSorts() {
    var random = SeededRandom(1)
    var heap = Heap<Int64>()
    var model: [Int64] = []
    for _ in 0..<3_000 {
      if model.isEmpty || !random.once(in: 3) {
        let value = random.int(0...50)
        heap.insert(value)
        model.append(value)
        model.sort()
      } else {
        heap.removeFirst()
        model.removeFirst()
      }
      #expect(heap.first == model.first && heap.count == model.count)
    }
  }
}
