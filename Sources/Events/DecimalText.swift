/// A number as it stands in text, exactly: ±mantissa × 10^exponent. Nothing is rounded on the way in; what does not fit
/// says so.
public struct DecimalText: Sendable, Hashable {
  /// The digits as an integer, with the sign.
  public var mantissa: Int128
  /// The power of ten that the digits are multiplied by.
  public var exponent: Int
  /// Digits beyond what the mantissa holds were dropped, and not all of them were zeros.
  public var isTruncated: Bool

  /// Reads a number in JSON's grammar (a sign `+` and leading zeros are let through, for text from elsewhere); nil where
  /// the bytes are anything else.
  public init?(_ text: UnsafeBufferPointer<UInt8>) {
    var index = 0
    let end = text.count
    var isNegative = false
    if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
      isNegative = text[index] == UInt8(ascii: "-")
      index += 1
    }
    var reader = DigitReader()
    let integerStart = index
    while index < end, let digit = Self.digit(text[index]) {
      reader.takeInteger(digit)
      index += 1
    }
    guard index > integerStart else { return nil }
    if index < end, text[index] == UInt8(ascii: ".") {
      index += 1
      let fractionStart = index
      while index < end, let digit = Self.digit(text[index]) {
        reader.takeFraction(digit)
        index += 1
      }
      guard index > fractionStart else { return nil }
    }
    if index < end, text[index] | 0x20 == UInt8(ascii: "e") {
      guard let power = Self.exponent(text, &index) else { return nil }
      reader.exponent += power
    }
    guard index == end else { return nil }
    mantissa = isNegative ? -reader.mantissa : reader.mantissa
    exponent = reader.exponent
    isTruncated = reader.isTruncated
  }

  private static func digit(_ byte: UInt8) -> Int128? {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? Int128(byte - UInt8(ascii: "0")) : nil
  }

  private static func exponent(_ text: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Int? {
    index += 1
    var isNegative = false
    if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
      isNegative = text[index] == UInt8(ascii: "-")
      index += 1
    }
    let start = index
    var power = 0
    while index < text.count, let digit = digit(text[index]) {
      // Beyond this no type can hold the value, however many digits follow.
      if power < 1_000_000 { power = power * 10 + Int(digit) }
      index += 1
    }
    return index > start ? (isNegative ? -power : power) : nil
  }

  /// The value in units of 10^-scale. `isExact` is false where digits were cut off (towards zero); nil where it does not
  /// fit 128 bits.
  public func scaled(_ scale: Int) -> (value: Int128, isExact: Bool)? {
    var value = mantissa
    var shift = exponent + scale
    if value == 0 { return (0, !isTruncated) }
    if isTruncated, shift >= 0 { return nil }
    guard shift <= 38 else { return nil }
    while shift > 0 {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
      shift -= 1
    }
    var isExact = !isTruncated
    while shift < 0, value != 0 {
      let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 10)
      if remainder != 0 { isExact = false }
      value = quotient
      shift += 1
    }
    return (value, isExact)
  }

  /// The value times 10^-scale as decimal text with all of its decimal places ("12.50" for 1250 at scale 2).
  public static func text(_ value: Int128, scale: Int) -> String {
    let digits = String(value.magnitude)
    let sign = value < 0 ? "-" : ""
    guard scale > 0 else { return sign + digits }
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    return sign + padded.dropLast(scale) + "." + padded.suffix(scale)
  }
}

/// Collects digits until the mantissa is full; from then on only the exponent keeps track.
private struct DigitReader {
  var mantissa: Int128 = 0
  var exponent = 0
  var isTruncated = false
  private var isFull = false

  mutating func takeInteger(_ digit: Int128) {
    if !push(digit) { exponent += 1 }
  }

  mutating func takeFraction(_ digit: Int128) {
    if push(digit) { exponent -= 1 }
  }

  private mutating func push(_ digit: Int128) -> Bool {
    if !isFull {
      let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(digit)
      if !overflow, !carry {
        mantissa = sum
        return true
      }
      isFull = true
    }
    if digit != 0 { isTruncated = true }
    return false
  }
}
