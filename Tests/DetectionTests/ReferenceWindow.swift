import Foundation

@testable import Detection

/// The window that an event at a time looks at.
struct ReferenceWindow {
  /// First and last nanosecond that count, as a half-open range.
  let start: Int128
  let end: Int128
  private let span: WindowSpan
  private let time: Int64

  init(_ span: WindowSpan, _ time: Int64) {
    self.span = span
    self.time = time
    switch span {
    case .trailing(let length, let granule):
      start = Self.floor(Int128(time) - Int128(length), Int128(granule)) * Int128(granule)
      end = (Self.floor(Int128(time), Int128(granule)) + 1) * Int128(granule)
    case .tumbling(let length):
      start = Self.floor(Int128(time), Int128(length)) * Int128(length)
      end = start + Int128(length)
    case .calendar(let unit, let zone):
      let bounds = Self.calendar(unit, zone, time)
      (start, end) = (bounds.start, bounds.end)
    }
  }

  func contains(_ time: Int64) -> Bool { Int128(time) >= start && Int128(time) < end }

  /// Whether evidence shows an event of that time: nothing from before the span that the alert names.
  func shows(_ time: Int64) -> Bool {
    if case .trailing(let length, _) = span { return Int128(time) >= Int128(self.time) - Int128(length) }
    return true
  }

  func granule(_ time: Int64) -> Int128 {
    if case .trailing(_, let granule) = span { return Self.floor(Int128(time), Int128(granule)) }
    return 0
  }

  /// Which window, where each has episodes of its own.
  var identity: Int128? {
    if case .trailing = span { return nil }
    return start
  }

  /// When nothing is in the window any more if no event comes.
  var emptyAt: Int128 {
    if case .trailing(let length, _) = span { return Int128(time) + Int128(length) }
    return end
  }

  var bounds: Finding.TimeRange {
    if case .trailing(let length, _) = span {
      return Finding.TimeRange(start: Int64(clamping: Int128(time) - Int128(length)), end: time)
    }
    return Finding.TimeRange(start: Int64(clamping: start), end: Int64(clamping: end))
  }

  private static func floor(_ value: Int128, _ divisor: Int128) -> Int128 {
    let quotient = value / divisor
    return quotient * divisor > value ? quotient - 1 : quotient
  }

  /// Local calendar periods by Foundation's own calendar.
  private static func calendar(_ unit: CalendarUnit, _ zone: String, _ time: Int64) -> (start: Int128, end: Int128) {
    let calendar = FoundationCalendar.make(zone)
    // Whole seconds: a Date's fraction is not exact.
    let seconds = Int64(floor(Int128(time), 1_000_000_000))
    let component: Calendar.Component = unit == .day ? .day : unit == .week ? .weekOfYear : .month
    let interval = calendar.dateInterval(of: component, for: Date(timeIntervalSince1970: Double(seconds)))
    let start = Int128(interval?.start.timeIntervalSince1970 ?? 0)
    let end = Int128(interval?.end.timeIntervalSince1970 ?? 0)
    return (start * 1_000_000_000, end * 1_000_000_000)
  }
}
