import Events

/// Writing JSON without a `String` for each value.
extension [UInt8] {
  /// Appends text that needs no escape.
  mutating func append(text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }

  /// Appends text that needs no escape.
  mutating func append(text: String) { append(contentsOf: text.utf8) }

  /// Appends a number of zero or more, with zeros in front up to `width` digits.
  mutating func append(number: Int, width: Int = 1) {
    precondition(number >= 0, "only numbers of zero or more are written")
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { digits in
      var rest = number
      var start = digits.count
      while rest > 0 || digits.count - start < Swift.min(width, digits.count) {
        start -= 1
        digits[start] = UInt8(48 + rest % 10)
        rest /= 10
      }
      append(contentsOf: digits[start...])
    }
  }

  /// Appends a whole number of 10^-`scale` as a decimal: 1250 with scale 2 is `12.50`.
  mutating func append(decimal units: Int, scale: Int) {
    var unit = 1
    for _ in 0..<scale { unit *= 10 }
    append(number: units / unit)
    if scale > 0 {
      append(UInt8(ascii: "."))
      append(number: units % unit, width: scale)
    }
  }

  /// Appends the 16 hex digits of a number.
  mutating func append(hexadecimal number: UInt64) {
    for shift in stride(from: 60, through: 0, by: -4) {
      let digit = UInt8(number >> UInt64(shift) & 15)
      append(digit < 10 ? 48 + digit : 87 + digit)
    }
  }

  /// Appends a time of 1970 or later as RFC 3339 text in UTC, to the millisecond.
  mutating func append(rfc3339Milliseconds time: Int64) {
    let (days, ofDay) = time.quotientAndRemainder(dividingBy: 86_400_000)
    let date = CivilDate(daysSinceEpoch: days)
    let clock = Int(ofDay)
    append(number: date.year, width: 4)
    append(UInt8(ascii: "-"))
    append(number: date.month, width: 2)
    append(UInt8(ascii: "-"))
    append(number: date.day, width: 2)
    append(UInt8(ascii: "T"))
    append(number: clock / 3_600_000, width: 2)
    append(UInt8(ascii: ":"))
    append(number: clock / 60_000 % 60, width: 2)
    append(UInt8(ascii: ":"))
    append(number: clock / 1_000 % 60, width: 2)
    append(UInt8(ascii: "."))
    append(number: clock % 1_000, width: 3)
    append(UInt8(ascii: "Z"))
  }
}
