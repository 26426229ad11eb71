internal import CCrypto

/// SHA-256 (FIPS 180-4), computed by libcrypto.
public enum SHA256 {
  /// Bytes of a digest.
  public static let count = 32

  /// Writes the digest of `bytes` to `target`, which has room for `count` bytes. Allocates nothing.
  public static func digest(_ bytes: UnsafeBufferPointer<UInt8>, into target: UnsafeMutablePointer<UInt8>) {
    var context = SHA256_CTX()
    SHA256_Init(&context)
    SHA256_Update(&context, bytes.baseAddress, bytes.count)
    SHA256_Final(target, &context)
  }

  /// The digest of some bytes.
  public static func digest(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    result.withUnsafeMutableBufferPointer { target in
      if let base = target.baseAddress { digest(bytes, into: base) }
    }
    return result
  }

  /// The digest of some runs of bytes, one after the other.
  public static func digest(_ runs: [[UInt8]]) -> [UInt8] {
    var context = SHA256_CTX()
    SHA256_Init(&context)
    for run in runs {
      run.withUnsafeBytes { bytes in _ = SHA256_Update(&context, bytes.baseAddress, bytes.count) }
    }
    var result = [UInt8](repeating: 0, count: count)
    SHA256_Final(&result, &context)
    return result
  }

  /// The digest in lower-case hex digits.
  public static func hex(_ bytes: some Collection<UInt8>) -> String { hexDigits(digest([Array(bytes)])) }

  /// Bytes in lower-case hex digits.
  public static func hexDigits(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}
