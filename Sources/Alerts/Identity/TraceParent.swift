/// The `traceparent` header of W3C Trace Context, by which an alert joins the trace of the event that caused it.
public enum TraceParent {
  /// Characters of version 00, the only one there is: `00-TRACE-PARENT-FLAGS`.
  static let count = 55

  /// Whether the text is a valid `traceparent` of version 00: lower-case hex digits, neither trace nor parent all zeros.
  public static func isValid(_ text: String) -> Bool {
    guard text.utf8.count == count else { return false }
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.map(\.count) == [2, 32, 16, 2], parts.allSatisfy({ $0.allSatisfy(isHexDigit) }) else { return false }
    let zero = UInt8(ascii: "0")
    return parts[0].allSatisfy { $0 == zero } && parts[1].contains { $0 != zero } && parts[2].contains { $0 != zero }
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
