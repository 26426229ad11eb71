internal import Events
internal import Foundation

/// Parts of times, in UTC or a time zone.
enum TimeParts {
  private static let day: Int128 = 86_400 * TimeRange.second

  static func part(_ part: Operation.TimePart, _ values: [Value]) throws(EvaluationError) -> Int64 {
    switch values[0] {
    case .duration(let time) where values.count == 1: return try ofDuration(part, time, values)
    case .timestamp(let time):
      var local = time
      if values.count == 2 {
        guard case .string(let zone) = values[1] else { throw .noOverload(part.rawValue, values) }
        local += Int128(try offset(zone, time)) * TimeRange.second
      }
      return ofTimestamp(part, local)
    default: throw .noOverload(part.rawValue, values)
    }
  }

  private static func ofDuration(_ part: Operation.TimePart, _ time: Int128, _ values: [Value]) throws(EvaluationError)
    -> Int64
  {
    switch part {
    case .getHours: return Int64(time / (3_600 * TimeRange.second))
    case .getMinutes: return Int64(time / (60 * TimeRange.second))
    case .getSeconds: return Int64(time / TimeRange.second)
    case .getMilliseconds: return Int64(time / 1_000_000 % 1_000)
    default: throw .noOverload(part.rawValue, values)
    }
  }

  private static func ofTimestamp(_ part: Operation.TimePart, _ time: Int128) -> Int64 {
    var (days, ofDay) = time.quotientAndRemainder(dividingBy: day)
    if ofDay < 0 { (days, ofDay) = (days - 1, ofDay + day) }
    let date = CivilDate(daysSinceEpoch: Int64(days))
    let seconds = Int64(ofDay / TimeRange.second)
    switch part {
    case .getFullYear: return Int64(date.year)
    case .getMonth: return Int64(date.month - 1)
    case .getDate: return Int64(date.day)
    case .getDayOfMonth: return Int64(date.day - 1)
    case .getDayOfYear: return Int64(days) - CivilDate(year: date.year, month: 1, day: 1).daysSinceEpoch
    case .getDayOfWeek: return floorDivide(Int64(days) + 4, 7).remainder
    case .getHours: return seconds / 3_600
    case .getMinutes: return seconds / 60 % 60
    case .getSeconds: return seconds % 60
    case .getMilliseconds: return Int64(ofDay / 1_000_000 % 1_000)
    }
  }

  /// Whether `offset` knows it.
  static func isZone(_ zone: String) -> Bool { fixedOffset(zone) != nil || TimeZone(identifier: zone) != nil }

  /// Seconds east of Greenwich: an IANA name, or `+02:00`.
  private static func offset(_ zone: String, _ time: Int128) throws(EvaluationError) -> Int {
    if let fixed = fixedOffset(zone) { return fixed }
    guard let zone = TimeZone(identifier: zone) else { throw EvaluationError("there is no time zone `\(zone)`") }
    return zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time / TimeRange.second)))
  }

  private static func fixedOffset(_ text: String) -> Int? {
    var digits = Substring(text)
    let isWest = digits.hasPrefix("-")
    if isWest || digits.hasPrefix("+") { digits = digits.dropFirst() }
    let parts = digits.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy(Lexer.isDigit) }),
      let hours = Int(parts[0]), let minutes = Int(parts[1]), hours < 24, minutes < 60
    else { return nil }
    return (hours * 3_600 + minutes * 60) * (isWest ? -1 : 1)
  }

  /// Nanoseconds of RFC 3339 text, in any year that it can write.
  static func parse(_ text: String) throws(EvaluationError) -> Int128 {
    // The year goes by whole cycles of the calendar (400 years) into the range that 64 bits hold, and back.
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t"),
      bytes[0..<4].allSatisfy(Lexer.isDigit), let year = Int(String(decoding: bytes[0..<4], as: UTF8.self))
    else { throw EvaluationError("`\(text)` is no RFC 3339 time") }
    let shifted = year % 400 + 1_600 + (year % 400 < 100 ? 400 : 0)
    let cycles = (year - shifted) / 400
    var moved = String(shifted) + String(decoding: bytes[4...], as: UTF8.self)
    do {
      let time = try moved.withUTF8 { bytes throws(TimestampText.Problem) in try TimestampText.nanoseconds(bytes) }
      return Int128(time) + Int128(cycles) * 146_097 * day
    } catch {
      throw EvaluationError("`\(text)` is no RFC 3339 time")
    }
  }

  static func text(_ time: Int128) -> String {
    if let short = Int64(exactly: time) { return trimmed(TimestampText.text(short)) }
    // By whole cycles of the calendar into the 400 years from 1700 on, which 64 bits hold.
    let start = Int128(CivilDate(year: 1_700, month: 1, day: 1).daysSinceEpoch) * day
    var (cycles, remainder) = (time - start).quotientAndRemainder(dividingBy: 146_097 * day)
    if remainder < 0 { (cycles, remainder) = (cycles - 1, remainder + 146_097 * day) }
    let text = TimestampText.text(Int64(start + remainder))
    let year = (Int(text.prefix(4)) ?? 0) + Int(cycles) * 400
    let digits = String(year)
    return trimmed(String(repeating: "0", count: max(0, 4 - digits.count)) + digits + text.dropFirst(4))
  }

  /// No zeros at the end of a fraction.
  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text.dropLast()
    while text.hasSuffix("0") { text = text.dropLast() }
    return text + "Z"
  }
}
