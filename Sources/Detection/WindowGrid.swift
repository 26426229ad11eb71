internal import Events
internal import Foundation

/// Cuts event time into numbered pieces: the granules of a trailing window, or the windows of a tumbling or calendar one.
struct WindowGrid {
  /// A run of pieces that one evaluation takes in, both ends included.
  struct Range: Equatable {
    var low: Int64
    var high: Int64
  }

  private enum Pieces {
    case even(length: Int64)
    case calendar(CalendarPieces)
  }

  private let pieces: Pieces
  /// Of a trailing window: its span; else 0.
  let trailing: Int64

  init(_ span: WindowSpan) {
    switch span {
    case .trailing(let span, let granule):
      pieces = .even(length: granule)
      trailing = span
    case .tumbling(let length):
      pieces = .even(length: length)
      trailing = 0
    case .calendar(let unit, let zone):
      pieces = .calendar(CalendarPieces(unit, zone: zone))
      trailing = 0
    }
  }

  /// The pieces of the window that ends with an event of this time.
  @inline(__always)
  func range(_ time: Int64) -> Range {
    switch pieces {
    case .even(let length):
      let high = Self.floorQuotient(time, length)
      return Range(
        low: trailing == 0 ? high : Self.floorQuotient(EventClock.saturated(time, minus: trailing), length), high: high)
    case .calendar(let pieces):
      let number = pieces.number(time)
      return Range(low: number, high: number)
    }
  }

  /// When a piece begins; of an even grid, saturated at the ends of time.
  func start(_ number: Int64) -> Int64 {
    switch pieces {
    case .even(let length):
      let (product, overflow) = number.multipliedReportingOverflow(by: length)
      return overflow ? (number < 0 ? .min : .max) : product
    case .calendar(let pieces): return pieces.start(number)
    }
  }

  /// When the next piece begins.
  func end(_ number: Int64) -> Int64 { start(number + 1) }

  /// The watermark at which no event can need the piece any more.
  func expiry(_ number: Int64) -> Int64 { EventClock.saturated(end(number), plus: trailing) }

  @inline(__always)
  private static func floorQuotient(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value < 0 && quotient * divisor != value ? quotient - 1 : quotient
  }
}

/// Days, weeks or months of a time zone, numbered: days since 1970-01-01, weeks since that of 1970-01-05 (a Monday), months
/// since January 1970.
final class CalendarPieces {
  private let unit: CalendarUnit
  private let zone: TimeZone
  /// The piece asked for last: nearly all events fall into it.
  private var last: (number: Int64, start: Int64, end: Int64)?

  init(_ unit: CalendarUnit, zone: String) {
    self.unit = unit
    self.zone = TimeZone(identifier: zone) ?? .gmt
  }

  func number(_ time: Int64) -> Int64 {
    if let last, time >= last.start, time < last.end { return last.number }
    var number = number(localDay: localDay(time))
    // The offset at a piece's edge may differ from the one at this time: settle by the edges themselves.
    while time < start(number) { number -= 1 }
    while time >= start(number + 1) { number += 1 }
    last = (number, start(number), start(number + 1))
    return number
  }

  /// The first instant of a piece: local midnight, or the first instant after it where clocks skip midnight.
  func start(_ number: Int64) -> Int64 {
    let localSeconds = firstDay(number) * 86_400
    var instant = localSeconds - offset(at: localSeconds)
    // The offset was asked for at the wrong instant by as much as it is itself: ask again.
    instant = localSeconds - offset(at: instant)
    if instant + offset(at: instant) < localSeconds { instant = localSeconds - offset(at: instant) }
    return instant * 1_000_000_000
  }

  private func offset(at seconds: Int64) -> Int64 {
    Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
  }

  private func localDay(_ time: Int64) -> Int64 {
    let seconds = floorDivide(time, 1_000_000_000).quotient
    return floorDivide(seconds + offset(at: seconds), 86_400).quotient
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
