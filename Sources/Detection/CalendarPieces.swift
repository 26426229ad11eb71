internal import Events
internal import Foundation

/// Days, weeks or months of a time zone, numbered: days since 1970-01-01, weeks since that of 1970-01-05 (a Monday), months
/// since January 1970. Their edges are whole seconds; they are computed in seconds, which no edge overflows.
final class CalendarPieces {
  private let unit: CalendarUnit
  private let zone: TimeZone
  /// The piece asked for last, in nanoseconds: nearly all events fall into it.
  private var last: (number: Int64, start: Int64, end: Int64)?
  /// Edges that were computed, in seconds: around midnight, events ask for the same two in turn.
  private var starts: [Int64: Int64] = [:]
  private static let startsMax = 64

  init(_ unit: CalendarUnit, zone: String) {
    self.unit = unit
    self.zone = TimeZone(identifier: zone) ?? .gmt
  }

  func number(_ time: Int64) -> Int64 {
    if let last, time >= last.start, time < last.end { return last.number }
    let seconds = floorDivide(time, 1_000_000_000).quotient
    var number = number(localDay: floorDivide(seconds + offset(at: seconds), 86_400).quotient)
    // A day that begins twice, or never, is settled by its edges.
    while seconds < startSeconds(number) { number -= 1 }
    while seconds >= startSeconds(number + 1) { number += 1 }
    last = (number, start(number), start(number + 1))
    return number
  }

  /// The first instant of a piece, in nanoseconds, saturated at the ends of time.
  func start(_ number: Int64) -> Int64 {
    let seconds = startSeconds(number)
    let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? (seconds < 0 ? .min : .max) : nanoseconds
  }

  private func startSeconds(_ number: Int64) -> Int64 {
    if let known = starts[number] { return known }
    if starts.count >= Self.startsMax { starts.removeAll(keepingCapacity: true) }
    let seconds = firstInstant(ofLocalDay: firstDay(number))
    starts[number] = seconds
    return seconds
  }

  /// Local midnight: the first of two, or where clocks skip it, the first instant after it.
  private func firstInstant(ofLocalDay day: Int64) -> Int64 {
    let midnight = day * 86_400
    // A day away, before and after: no offset is as large.
    let offsets = (offset(at: midnight - 86_400), offset(at: midnight + 86_400))
    var low = midnight - max(offsets.0, offsets.1)
    var high = midnight - min(offsets.0, offsets.1)
    if low + offset(at: low) >= midnight { return low }
    // The clocks change between the two.
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if middle + offset(at: middle) >= midnight { high = middle } else { low = middle }
    }
    return high
  }

  private func offset(at seconds: Int64) -> Int64 {
    Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
  }

  private func number(localDay day: Int64) -> Int64 {
    switch unit {
    case .day: return day
    case .week: return floorDivide(day - 4, 7).quotient
    case .month:
      let date = CivilDate(daysSinceEpoch: day)
      return Int64(date.year - 1970) * 12 + Int64(date.month - 1)
    }
  }

  private func firstDay(_ number: Int64) -> Int64 {
    switch unit {
    case .day: return number
    case .week: return number * 7 + 4
    case .month:
      let (years, months) = floorDivide(number, 12)
      return CivilDate(year: 1970 + Int(years), month: Int(months) + 1, day: 1).daysSinceEpoch
    }
  }
}
