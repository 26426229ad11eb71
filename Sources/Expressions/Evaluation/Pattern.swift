internal import CRE2

/// A compiled regular expression, with RE2's syntax and its linear time.
final class Pattern: @unchecked Sendable, Hashable {
  // Unchecked: RE2 objects may be used from any number of threads.

  /// Bytes that a compiled pattern may take.
  static let memoryLimit: Int64 = 1 << 20

  let text: String
  private let handle: OpaquePointer

  struct Malformed: Error {
    var message: String
  }

  init(_ text: String) throws(Malformed) {
    self.text = text
    var message = [CChar](repeating: 0, count: 256)
    let bytes = Array(text.utf8)
    let compiled = bytes.withUnsafeBytes { bytes in
      cre2_compile(
        bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count, Self.memoryLimit, &message, message.count)
    }
    guard let compiled else {
      throw Malformed(
        message: String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    handle = compiled
  }

  deinit { cre2_free(handle) }

  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    text.withMemoryRebound(to: CChar.self) { cre2_matches(handle, $0.baseAddress, $0.count) }
  }

  func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { matches($0) }
  }

  static func == (left: Pattern, right: Pattern) -> Bool { left === right }
  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
