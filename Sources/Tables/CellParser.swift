import Events

/// Turns the text of a cell into a value of its column's type.
enum CellParser {
  struct Failure: Error {
    var message: String
  }

  /// An empty cell is null, unless it is a quoted cell of a text column.
  static func parse(_ bytes: ArraySlice<UInt8>, isQuoted: Bool, as type: FieldType) -> Result<Scalar, Failure> {
    if bytes.isEmpty && !(isQuoted && type == .string) { return .success(.null) }
    guard let text = text(bytes) else { return failure(bytes, "is not UTF-8: save the list as UTF-8") }
    return type == .string ? .success(.string(text)) : parse(text.trimmingBlanks, as: type)
  }

  /// A value of any type but list out of its text.
  static func parse(_ text: String, as type: FieldType) -> Result<Scalar, Failure> {
    switch type {
    case .string:
      return .success(.string(text))
    case .int:
      guard let value = Int64(text) else { return failure(text.utf8, "is not a whole number (int)") }
      return .success(.int(value))
    case .double:
      guard isPlainNumber(text), let value = Double(text), value.isFinite else {
        return failure(text.utf8, "is not a number (double)")
      }
      return .success(.double(value))
    case .bool:
      switch text {
      case "true": return .success(.bool(true))
      case "false": return .success(.bool(false))
      default: return failure(text.utf8, "is neither `true` nor `false` (bool)")
      }
    case .decimal(let scale):
      return decimal(text, scale: scale)
    case .timestamp(let unit):
      return timestamp(text, unit: unit)
    case .address:
      return address(text)
    case .ip:
      guard let canonical = canonicalAddress(ip: text) else {
        return failure(text.utf8, "is neither an IPv4 nor an IPv6 address (ip)")
      }
      return .success(.string(canonical))
    case .list:
      return failure(text.utf8, "stands in a column of lists, which a table cannot have")
    }
  }

  private static func failure(_ shown: some Collection<UInt8>, _ problem: String) -> Result<Scalar, Failure> {
    .failure(Failure(message: "\(quoted(shown)) \(problem)"))
  }

  private static func isPlainNumber(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
  }

  private static func address(_ text: String) -> Result<Scalar, Failure> {
    do throws(KeyNormaliser.Failure) {
      let normalised = try KeyNormaliser.normalise(Array(text.utf8)[...], as: .address, limit: 1024)
      return .success(.string(String(decoding: normalised, as: UTF8.self)))
    } catch {
      return .failure(Failure(message: error.message))
    }
  }

  /// Exact: digits, at most one point, no exponent, and no decimals beyond the scale but zeros.
  private static func decimal(_ text: String, scale: Int) -> Result<Scalar, Failure> {
    var units: Int128 = 0
    var decimals: Int?
    var digits = text.utf8[...]
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
    var digitCount = 0
    for byte in digits {
      if byte == UInt8(ascii: "."), decimals == nil {
        decimals = 0
        continue
      }
      guard (0x30...0x39).contains(byte) else { return failure(text.utf8, "is not a decimal number without exponent") }
      digitCount += 1
      if let place = decimals {
        if place == scale {
          if byte == 0x30 { continue }
          return failure(text.utf8, "has more than the \(scale) decimals of decimal(\(scale))")
        }
        decimals = place + 1
      }
      guard let grown = units.appending(digit: byte) else { return failure(text.utf8, "is out of range for a decimal") }
      units = grown
    }
    if digitCount == 0 { return failure(text.utf8, "is not a decimal number") }
    for _ in (decimals ?? 0)..<max(scale, decimals ?? 0) {
      guard let grown = units.appending(digit: 0x30) else { return failure(text.utf8, "is out of range for a decimal") }
      units = grown
    }
    return .success(.decimal(isNegative ? -units : units, scale: scale))
  }

  private static func timestamp(_ text: String, unit: TimestampUnit) -> Result<Scalar, Failure> {
    let factor: Int64
    switch unit {
    case .seconds: factor = 1_000_000_000
    case .milliseconds: factor = 1_000_000
    case .microseconds: factor = 1000
    case .nanoseconds: factor = 1
    case .rfc3339:
      guard let time = CalendarText.nanoseconds(text) else {
        return failure(text.utf8, "is neither a date (2025-02-01) nor an RFC 3339 time (2025-02-01T12:00:00Z)")
      }
      return .success(.timestamp(time))
    }
    guard let count = Int64(text) else { return failure(text.utf8, "is not a whole number (\(unit.rawValue))") }
    let (time, overflow) = count.multipliedReportingOverflow(by: factor)
    return overflow ? failure(text.utf8, "is beyond the years 1677 to 2262") : .success(.timestamp(time))
  }
}

extension Int128 {
  /// Ten times this plus the digit; nil where that is out of range.
  fileprivate func appending(digit: UInt8) -> Int128? {
    let (tenfold, overflow) = multipliedReportingOverflow(by: 10)
    let (sum, carry) = tenfold.addingReportingOverflow(Int128(digit) - 0x30)
    return overflow || carry ? nil : sum
  }
}

extension String {
  fileprivate var trimmingBlanks: String {
    String(decoding: trimmed(Array(utf8)[...]), as: UTF8.self)
  }
}
