import Foundation
import TestSupport
import Testing

@testable import Detection

@Suite struct WindowGridTests {
  /// A trailing window holds all of its span and at most one granule more.
  @Test func trailingWindowsHoldAtMostOneGranuleTooMuch() {
    var random = SeededRandom(1)
    for _ in 0..<5_000 {
      let span = random.pick([random.int(1...200), random.int(1...1_000_000), 86_400_000_000_000, 3_600_000_000_000])
      let grid = WindowGrid(.trailing(span))
      let granule = (span + 59) / 60
      let time = random.once(in: 3) ? random.int(-2_000...2_000) : random.int(-1_000_000_000_000...1_000_000_000_000)
      let range = grid.range(time)
      let start = grid.start(range.low)
      #expect(start <= time - span && start > time - span - granule)
      #expect(grid.start(range.high) <= time && grid.end(range.high) > time && grid.end(range.high) - time <= granule)
      // What can expire at a watermark is in no window from there on, and was in one just before.
      let expiry = grid.expiry(range.low)
      #expect(grid.range(expiry).low == range.low + 1 && grid.range(expiry - 1).low == range.low)
    }
  }

  @Test func tumblingWindowsBeginAtTheEpoch() {
    let grid = WindowGrid(.tumbling(10))
    #expect(grid.range(0) == WindowGrid.Range(low: 0, high: 0))
    #expect(grid.range(-1) == WindowGrid.Range(low: -1, high: -1))
    #expect(grid.start(-1) == -10 && grid.end(-1) == 0 && grid.expiry(3) == 40)
  }

  @Test(arguments: [
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "Asia/Beirut",
    "Asia/Amman", "America/Havana", "Atlantic/Azores", "Pacific/Apia", "UTC",
  ])
  func calendarPiecesAreThoseOfFoundation(_ zone: String) {
    let calendar = FoundationCalendar.make(zone)
    for unit in CalendarUnit.allCases {
      let component: Calendar.Component = unit == .day ? .day : unit == .week ? .weekOfYear : .month
      let grid = WindowGrid(.calendar(unit, zone: zone))
      // 2016, for zones that skipped midnight then, to 2030.
      var date = Date(timeIntervalSince1970: 1_451_606_400)
      var previous: WindowGrid.Range?
      while date.timeIntervalSince1970 < 1_924_992_000 {
        guard let interval = calendar.dateInterval(of: component, for: date) else { break }
        let (start, end) = (nanoseconds(interval.start), nanoseconds(interval.end))
        let range = grid.range(start)
        #expect(range.low == range.high)
        #expect(grid.start(range.low) == start && grid.end(range.low) == end, "\(zone) \(unit) \(interval.start)")
        #expect(grid.range(end - 1) == range && grid.range((start + end) / 2) == range, "\(zone) \(unit) \(interval)")
        if let previous { #expect(range.low == previous.low + 1) }
        previous = range
        date = interval.end
      }
      #expect(date.timeIntervalSince1970 >= 1_924_992_000)
    }
  }

  private func nanoseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970) * 1_000_000_000 }

  /// The ends of time neither trap nor loop, and each time lies in its piece.
  @Test func theEndsOfTimeAreTimesToo() {
    var spans: [WindowSpan] = [
      .trailing(1), .trailing(60), .trailing(86_400_000_000_000), .trailing(.max), .tumbling(1), .tumbling(7),
      .tumbling(.max),
    ]
    for unit in CalendarUnit.allCases {
      for zone in ["UTC", "Europe/Berlin", "Pacific/Apia", "Pacific/Kiritimati"] {
        spans.append(.calendar(unit, zone: zone))
      }
    }
    let day: Int64 = 90_000_000_000_000
    let times: [Int64] = [.min, .min + 1, .min + day, -1, 0, 1, .max - day, .max - 1, .max]
    for span in spans {
      let grid = WindowGrid(span)
      for time in times {
        let range = grid.range(time)
        let (start, end) = (grid.start(range.high), grid.end(range.high))
        #expect(start <= time)
        #expect(grid.start(range.low) <= time)
        #expect(end > time || end == .max)
        #expect(grid.expiry(range.high) >= end)
        #expect(grid.range(time) == range)
      }
    }
  }
}
