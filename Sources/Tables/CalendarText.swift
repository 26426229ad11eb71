import Events

/// Dates and times as text: RFC 3339, and a date alone for a day's first moment in UTC.
enum CalendarText {
  /// Nanoseconds since 1970; nil where the text is not a time or is out of range.
  static func nanoseconds(_ text: String) -> Int64? {
    var scanner = Scanner(bytes: Array(text.utf8))
    guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2), scanner.take("-"),
      let day = scanner.number(2), isDate(year, month, day)
    else { return nil }
    let seconds = Int(CivilDate(year: year, month: month, day: day).daysSinceEpoch) * 86_400
    if scanner.isAtEnd { return nanoseconds(seconds, 0) }
    guard scanner.take("T") || scanner.take("t") || scanner.take(" "),
      let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2), scanner.take(":"),
      let second = scanner.number(2), hour < 24, minute < 60, second < 60,
      let fraction = scanner.fraction(), let offset = scanner.offset(), scanner.isAtEnd
    else { return nil }
    return nanoseconds(seconds + hour * 3600 + minute * 60 + second - offset, fraction)
  }

  /// The day in UTC that a time belongs to: `2025-02-01`.
  static func date(nanoseconds: Int64) -> String { String(TimestampText.text(nanoseconds).prefix(10)) }

  private static func nanoseconds(_ seconds: Int, _ fraction: Int) -> Int64? {
    let (product, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = product.addingReportingOverflow(Int64(fraction))
    return overflow || carry ? nil : sum
  }

  private static func isDate(_ year: Int, _ month: Int, _ day: Int) -> Bool {
    (1...12).contains(month) && day >= 1 && day <= CivilDate.days(inMonth: month, year: year)
  }

  private struct Scanner {
    let bytes: [UInt8]
    var next = 0

    var isAtEnd: Bool { next == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard next < bytes.count, bytes[next] == UInt8(ascii: character) else { return false }
      next += 1
      return true
    }

    mutating func number(_ width: Int) -> Int? {
      guard next + width <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[next..<next + width] {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int(byte) - 0x30
      }
      next += width
      return value
    }

    /// Nanoseconds after a point; 0 without one. Digits beyond the ninth are cut.
    mutating func fraction() -> Int? {
      guard take(".") else { return 0 }
      var value = 0
      var digits = 0
      while next < bytes.count, (0x30...0x39).contains(bytes[next]) {
        if digits < 9 { value = value * 10 + Int(bytes[next]) - 0x30 }
        digits += 1
        next += 1
      }
      if digits == 0 { return nil }
      for _ in min(digits, 9)..<9 { value *= 10 }
      return value
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int? {
      if take("Z") || take("z") { return 0 }
      let isWest = take("-")
      guard isWest || take("+"), let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
      else { return nil }
      return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }
  }
}
