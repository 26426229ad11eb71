/// Brings an address of a crypto asset into the one form in which events and lists carry it, so that equal addresses
/// are equal bytes. Which family an address belongs to is told from its text alone:
///
/// - `0x` and 40 hex digits (Ethereum and its kin): lower case. The mixed case of EIP-55 is a checksum, not part of
///   the address.
/// - bech32 of a known prefix (`bc1…`, `ltc1…`, ...) written in capitals, as QR codes carry it: lower case.
/// - Everything else (base58 above all, where case tells addresses apart): as it is.
public enum AddressNormaliser {
  /// Writes the normalised address and returns its count, which is that of `bytes`. `into` has room for as many;
  /// it may be the very memory of `bytes`.
  @discardableResult
  public static func normalise(_ bytes: UnsafeBufferPointer<UInt8>, into: UnsafeMutablePointer<UInt8>) -> Int {
    guard let start = bytes.baseAddress else { return 0 }
    if needsChange(bytes) {
      for index in 0..<bytes.count { into[index] = lowered(start[index]) }
    } else if UnsafePointer(into) != start {
      into.update(from: start, count: bytes.count)
    }
    return bytes.count
  }

  /// The normalised form of an address given as text: off the hot path.
  public static func normalise(_ address: String) -> String {
    var bytes = Array(address.utf8)
    bytes.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      _ = normalise(UnsafeBufferPointer(buffer), into: base)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the normalised form differs from the bytes: where it does not, they need not be copied.
  public static func needsChange(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let start = bytes.baseAddress, bytes.count >= shortest else { return false }
    if start[0] == UInt8(ascii: "0") && lowered(start[1]) == UInt8(ascii: "x") {
      return isUpperHexadecimal(start, bytes.count)
    }
    return isUpperBech32(start, bytes.count)
  }

  /// Whether an address can have this byte: none has anything but visible ASCII, and none a comma, a quote or a
  /// semicolon.
  public static func canHold(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\""), UInt8(ascii: "'"): false
    default: byte > 0x20 && byte < 0x7F
    }
  }

  /// No address that is changed is shorter: a bech32 prefix, the separator and a checksum of six.
  private static let shortest = 10
  private static let ethereumCount = 42

  /// `0x` and 40 hex digits with a capital letter among them.
  private static func isUpperHexadecimal(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    guard count == ethereumCount else { return false }
    var hasCapital = start[1] == UInt8(ascii: "X")
    for index in 2..<count {
      switch start[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): break
      case UInt8(ascii: "A")...UInt8(ascii: "F"): hasCapital = true
      default: return false
      }
    }
    return hasCapital
  }

  /// The human-readable parts (with the separator) of the networks whose addresses may come in capitals.
  private static let prefixes: [StaticString] = [
    "BC1", "LTC1", "TB1", "BCRT1", "TLTC1", "DGB1", "VTC1", "GRS1", "BTG1", "ADDR1", "COSMOS1", "OSMO1", "BNB1",
  ]

  /// A known prefix and then bech32 digits only, all in capitals: bech32 forbids mixed case, so a mixed one is none.
  private static func isUpperBech32(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    // Nearly all addresses are told apart by their first byte.
    guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(start[0]) else { return false }
    for prefix in prefixes where matches(prefix, start, count) {
      let first = prefix.utf8CodeUnitCount
      guard count >= first + 6 else { return false }
      for index in first..<count where !isUpperBech32Digit(start[index]) { return false }
      return true
    }
    return false
  }

  private static func matches(_ prefix: StaticString, _ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    guard count >= prefix.utf8CodeUnitCount else { return false }
    for index in 0..<prefix.utf8CodeUnitCount where start[index] != prefix.utf8Start[index] { return false }
    return true
  }

  /// One of `023456789ACDEFGHJKLMNPQRSTUVWXYZ`.
  private static func isUpperBech32Digit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0"), UInt8(ascii: "2")...UInt8(ascii: "9"): true
    case UInt8(ascii: "B"), UInt8(ascii: "I"), UInt8(ascii: "O"): false
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    default: false
    }
  }

  private static func lowered(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
