internal import CCrypto

/// A UUID made from a namespace and a name (RFC 9562, section 5.5): the same two give the same UUID on any machine.
public struct UUIDv5: Sendable, Hashable, CustomStringConvertible {
  /// Bytes of a UUID.
  static let count = 16
  /// Bytes of a SHA-1 digest, of which a UUID takes the first 16.
  private static let digestCount = 20

  /// The 16 bytes, first to last as they stand in the text.
  public let bytes: [UInt8]

  /// The namespace of all of Tocsin's ids: the UUIDv5 of the name `tocsin.dev` in RFC 9562's DNS namespace.
  public static let tocsin = UUIDv5(namespace: .dns, name: Array("tocsin.dev".utf8))

  /// RFC 9562's namespace for domain names, `6ba7b810-9dad-11d1-80b4-00c04fd430c8`.
  static let dns = UUIDv5(
    bytes: [0x6B, 0xA7, 0xB8, 0x10, 0x9D, 0xAD, 0x11, 0xD1, 0x80, 0xB4, 0x00, 0xC0, 0x4F, 0xD4, 0x30, 0xC8])

  private init(bytes: [UInt8]) { self.bytes = bytes }

  /// The UUID of a name in a namespace, which is a UUID itself.
  public init(namespace: UUIDv5, name: [UInt8]) {
    let input = namespace.bytes + name
    var digest = [UInt8](repeating: 0, count: Self.digestCount)
    var context = SHA_CTX()
    SHA1_Init(&context)
    input.withUnsafeBytes { _ = SHA1_Update(&context, $0.baseAddress, $0.count) }
    SHA1_Final(&digest, &context)
    digest.removeLast(Self.digestCount - Self.count)
    digest[6] = digest[6] & 0x0F | 0x50  // version 5
    digest[8] = digest[8] & 0x3F | 0x80  // the variant of RFC 9562
    bytes = digest
  }

  /// The text form, in lower-case hex digits: `8c0a0d0e-3f5e-5a41-9f0e-2d1f7a6b9c02`.
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
      text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
