internal import Glibc

/// Why a file can't be read.
struct UnreadableFile: Error {
  var reason: String

  /// All bytes of a file; of one that is longer than `limit`, one more than that.
  static func bytes(_ path: String, limit: Int) throws(UnreadableFile) -> [UInt8] {
    guard let file = fopen(path, "rb") else { throw UnreadableFile(reason: lastReason()) }
    defer { _ = fclose(file) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    let count = bytes.withUnsafeMutableBytes { fread($0.baseAddress, 1, $0.count, file) }
    guard ferror(file) == 0 else { throw UnreadableFile(reason: lastReason()) }
    return Array(bytes[..<count])
  }

  private static func lastReason() -> String { String(cString: strerror(errno)) }
}
