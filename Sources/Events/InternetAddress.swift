internal import Foundation

/// IPv4 and IPv6 addresses as text.
public enum InternetAddress {
  /// Bytes that the canonical text of any address fits into, with its terminating zero.
  public static let maximumTextCount = 46

  /// Writes the canonical text (RFC 5952 for IPv6, dotted decimal for IPv4) into `target`, which has room for
  /// `maximumTextCount` bytes. Returns its count, or nil where the bytes are no address. Zones (`%eth0`) are refused.
  public static func canonical(_ text: UnsafeBufferPointer<UInt8>, into target: UnsafeMutablePointer<UInt8>) -> Int? {
    guard text.count >= 2, text.count < maximumTextCount else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: maximumTextCount) { source in
      for index in 0..<text.count { source[index] = CChar(bitPattern: text[index]) }
      source[text.count] = 0
      return withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { binary -> Int? in
        guard let start = source.baseAddress, let address = binary.baseAddress else { return nil }
        let family = text.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
        guard strlen(start) == text.count, inet_pton(family, start, address) == 1 else { return nil }
        let length = socklen_t(maximumTextCount)
        return target.withMemoryRebound(to: CChar.self, capacity: maximumTextCount) { text in
          inet_ntop(family, address, text, length) == nil ? nil : strlen(text)
        }
      }
    }
  }
}
