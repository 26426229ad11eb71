internal import Events

/// The name of one version of a pipeline: of the pipeline file, the lists and what else it was made of. The same contents have
/// the same name everywhere.
public struct VersionID: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Bytes of a name.
  static let count = 16
  private let digits: String

  /// The name of the version that a manifest describes: the first 16 bytes of its SHA-256.
  public init(manifest: [UInt8]) {
    digits = SHA256.hexDigits(SHA256.digest([manifest]).prefix(Self.count))
  }

  /// Reads a name: 32 lower-case hex digits; nil where it is anything else.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == 2 * Self.count, text.utf8.allSatisfy({ HexText.value($0) != nil }) else { return nil }
    digits = String(text)
  }

  /// 32 lower-case hex digits.
  public var description: String { digits }

  /// By the digits.
  public static func < (left: VersionID, right: VersionID) -> Bool { left.digits < right.digits }
}

/// Bytes as lower-case hex digits.
enum HexText {
  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  static func bytes(_ text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[place]), let low = value(digits[place + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }
}
