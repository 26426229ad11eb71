/// Timestamps as RFC 3339 text, to and from nanoseconds since 1970.
public enum TimestampText {
  /// Why a text is no time.
  public enum Problem: Error, Hashable {
    case malformed
    /// Outside the years that 64-bit nanoseconds hold (1677 to 2262).
    case outOfRange
  }

  /// Reads `2026-11-24T10:15:30.123456789+01:00`. A space or lower-case `t` may stand for `T`; digits beyond nanoseconds
  /// are cut off; a leap second reads as the second after it.
  public static func nanoseconds(_ text: UnsafeBufferPointer<UInt8>) throws(Problem) -> Int64 {
    guard text.count >= 20, let year = number(text, 0, 4), text[4] == UInt8(ascii: "-"), let month = number(text, 5, 2),
      text[7] == UInt8(ascii: "-"), let day = number(text, 8, 2), isSeparator(text[10]), let hour = number(text, 11, 2),
      text[13] == UInt8(ascii: ":"), let minute = number(text, 14, 2), text[16] == UInt8(ascii: ":"),
      let second = number(text, 17, 2)
    else { throw .malformed }
    guard (1...12).contains(month), day >= 1, day <= CivilDate.days(inMonth: month, year: year), hour < 24, minute < 60,
      second <= 60
    else { throw .malformed }
    var index = 19
    let fraction = try fraction(text, &index)
    let offset = try zone(text, index)
    let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
    let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second) - offset
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = scaled.addingReportingOverflow(fraction)
    guard !overflow, !carry else { throw .outOfRange }
    return sum
  }

  /// Writes a time in UTC with as many of 0, 3, 6 or 9 decimal places as it needs.
  public static func text(_ nanoseconds: Int64) -> String {
    let (seconds, fraction) = floorDivide(nanoseconds, 1_000_000_000)
    let (days, ofDay) = floorDivide(seconds, 86_400)
    let date = CivilDate(daysSinceEpoch: days)
    var text = padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T"
    text += padded(Int(ofDay / 3_600), 2) + ":" + padded(Int(ofDay / 60 % 60), 2) + ":" + padded(Int(ofDay % 60), 2)
    if fraction != 0 {
      var digits = padded(Int(fraction), 9)
      while digits.hasSuffix("000") { digits.removeLast(3) }
      text += "." + digits
    }
    return text + "Z"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "T") || byte == UInt8(ascii: "t") || byte == UInt8(ascii: " ")
  }

  private static func number(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
    var value = 0
    for index in start..<(start + count) {
      let digit = Int(text[index]) - 48
      guard digit >= 0, digit <= 9 else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  private static func fraction(_ text: UnsafeBufferPointer<UInt8>, _ index: inout Int) throws(Problem) -> Int64 {
    guard index < text.count, text[index] == UInt8(ascii: ".") else { return 0 }
    index += 1
    let start = index
    var value: Int64 = 0
    var unit: Int64 = 100_000_000
    while index < text.count, text[index] >= 48, text[index] <= 57 {
      value += Int64(text[index] - 48) * unit
      unit /= 10
      index += 1
    }
    guard index > start else { throw .malformed }
    return value
  }

  /// Seconds east of Greenwich.
  private static func zone(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) throws(Problem) -> Int64 {
    guard index < text.count else { throw .malformed }
    if text[index] | 0x20 == UInt8(ascii: "z") {
      guard index + 1 == text.count else { throw .malformed }
      return 0
    }
    let isEast = text[index] == UInt8(ascii: "+")
    guard isEast || text[index] == UInt8(ascii: "-"), index + 6 == text.count, text[index + 3] == UInt8(ascii: ":"),
      let hours = number(text, index + 1, 2), let minutes = number(text, index + 4, 2), hours < 24, minutes < 60
    else { throw .malformed }
    let seconds = Int64(hours * 3_600 + minutes * 60)
    return isEast ? seconds : -seconds
  }
}

/// Quotient and remainder that round down, so that times before 1970 behave.
@inlinable
public func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
  let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
  return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}
