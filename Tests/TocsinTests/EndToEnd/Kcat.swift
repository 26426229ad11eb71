import Foundation
import Testing

/// A consumer that is not ours, at `read_committed`.
enum Kcat {
  /// A record of a topic.
  struct Record {
    var partition: Int
    var offset: Int
    var key: String?
    var headers: [String: String]
    var value: String?

    /// The value as JSON.
    var json: [String: Any] {
      let value = value.flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }
      return value as? [String: Any] ?? [:]
    }
  }

  /// Whether it is installed; where not, says so in one line.
  static func isAvailable(_ test: String) -> Bool {
    if ["/usr/bin/kcat", "/usr/local/bin/kcat"].contains(where: { FileManager.default.isExecutableFile(atPath: $0) }) {
      return true
    }
    print("SKIPPED (no kcat): \(test)")
    return false
  }

  /// All records of a topic that are committed now.
  static func read(_ topic: String, of bootstrap: String) throws -> [Record] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "kcat", "-b", bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J", "-X",
      "isolation.level=read_committed",
    ]
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "kcat reads \(topic)")
    return try data.split(separator: UInt8(ascii: "\n")).map { line in
      let object =
        try JSONSerialization.jsonObject(with: Data(String(decoding: line, as: UTF8.self).utf8)) as? [String: Any]
        ?? [:]
      let flat = (object["headers"] as? [Any] ?? []).map { $0 as? String ?? "" }
      var headers: [String: String] = [:]
      for index in stride(from: 0, to: flat.count - 1, by: 2) { headers[flat[index]] = flat[index + 1] }
      return Record(
        partition: object["partition"] as? Int ?? -1, offset: object["offset"] as? Int ?? -1,
        key: object["key"] as? String, headers: headers, value: object["payload"] as? String)
    }
  }
}
