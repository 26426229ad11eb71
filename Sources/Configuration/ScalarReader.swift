/// Reads values as their settings declare them.
public enum ScalarReader {
  /// Why a text is no value of the kind asked for.
  public struct Problem: Error, Hashable, Sendable {
    /// What is wrong, in one line.
    public var message: String
    /// What would have been right.
    public var hint: String?

    /// A value that can't be read: why, and what would have been right.
    public init(message: String, hint: String? = nil) {
      self.message = message
      self.hint = hint
    }
  }

  private static let durationUnits: [(suffix: String, nanoseconds: Int64)] = [
    ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000), ("w", 604_800_000_000_000),
  ]

  /// Nanoseconds of `90s`, `1h30m`, `1.5h`.
  public static func duration(_ text: String) throws(Problem) -> Int64 {
    let problem = Problem(
      message: "`\(text)` is no duration", hint: "a number with a unit: 250ms, 5s, 10m, 24h, 7d, 2w")
    var rest = Substring(text)
    var total: Int64 = 0
    guard !rest.isEmpty else { throw problem }
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let scale = durationUnits.first(where: { $0.suffix == unit }), let value = Double(number) else {
        throw problem
      }
      let (sum, overflow) = total.addingReportingOverflow(
        nanoseconds(number, value, scale.nanoseconds) ?? Int64.max)
      guard !overflow, sum < Int64.max else {
        throw Problem(message: "`\(text)` is longer than 292 years", hint: nil)
      }
      total = sum
    }
    return total
  }

  /// Whole numbers exactly, others to the nearest nanosecond; nil where 64 bits do not hold them.
  private static func nanoseconds(_ text: Substring, _ value: Double, _ unit: Int64) -> Int64? {
    if let whole = Int64(text) {
      let (result, overflow) = whole.multipliedReportingOverflow(by: unit)
      return overflow ? nil : result
    }
    return Int64(exactly: (value * Double(unit)).rounded())
  }

  private static let byteUnits: [(suffix: String, bytes: Int64)] = [
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
    ("B", 1), ("", 1),
  ]

  /// Bytes of `4096`, `512KiB`, `10 MB`; KiB, MiB, GiB count in 1,024s, KB, MB, GB in 1,000s.
  public static func bytes(_ text: String) throws(Problem) -> Int64 {
    let number = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    guard let value = Int64(number), let scale = byteUnits.first(where: { $0.suffix == unit }) else {
      throw Problem(
        message: "`\(text)` is no number of bytes", hint: "a whole number, alone or with KiB, MiB, GiB, KB, MB, GB")
    }
    let (result, overflow) = value.multipliedReportingOverflow(by: scale.bytes)
    guard !overflow else { throw Problem(message: "`\(text)` is too many bytes", hint: nil) }
    return result
  }

  /// `true` or `false`, and no other word: YAML 1.1's `yes` and `on` are refused.
  public static func flag(_ text: String) throws(Problem) -> Bool {
    switch text {
    case "true": return true
    case "false": return false
    default: throw Problem(message: "`\(text)` is neither true nor false", hint: nil)
    }
  }

  /// A duration as a person writes it: `90m`, `1d`.
  public static func durationText(_ nanoseconds: Int64) -> String {
    for unit in durationUnits.reversed()
    where nanoseconds != 0 && nanoseconds % unit.nanoseconds == 0 && unit.suffix != "w" {
      return "\(nanoseconds / unit.nanoseconds)\(unit.suffix)"
    }
    return nanoseconds == 0 ? "0s" : "\(nanoseconds)ns"
  }

  /// A number of bytes as a person writes it: `64MiB`, `100`.
  public static func bytesText(_ bytes: Int64) -> String {
    for unit in byteUnits.prefix(3).reversed() where bytes != 0 && bytes % unit.bytes == 0 {
      return "\(bytes / unit.bytes)\(unit.suffix)"
    }
    return "\(bytes)"
  }
}
