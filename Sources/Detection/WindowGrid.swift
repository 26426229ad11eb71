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

  /// When a piece begins, saturated at the ends of time.
  func start(_ number: Int64) -> Int64 {
    switch pieces {
    case .even(let length):
      let (product, overflow) = number.multipliedReportingOverflow(by: length)
      return overflow ? (number < 0 ? .min : .max) : product
    case .calendar(let pieces): return pieces.start(number)
    }
  }

  /// When the next piece begins.
  func end(_ number: Int64) -> Int64 { number == .max ? .max : start(number + 1) }

  /// The window that ends with an event: of a trailing one, its span; else the whole window.
  func bounds(_ time: Int64, _ range: Range) -> Finding.TimeRange {
    if trailing > 0 { return Finding.TimeRange(start: EventClock.saturated(time, minus: trailing), end: time) }
    return Finding.TimeRange(start: start(range.low), end: end(range.high))
  }

  /// When the window that ends with an event is empty if no further one comes.
  func lasting(_ time: Int64, _ range: Range) -> Int64 {
    trailing > 0 ? EventClock.saturated(time, plus: trailing) : end(range.high)
  }

  /// The watermark at which no event can need the piece any more; `Int64.max`: none.
  func expiry(_ number: Int64) -> Int64 { EventClock.saturated(end(number), plus: trailing) }

  @inline(__always)
  private static func floorQuotient(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value < 0 && quotient * divisor != value ? quotient - 1 : quotient
  }
}
