import Foundation

/// kcat: a consumer that is not ours, to say what a topic holds.
public enum Kcat {
  /// A record of a topic.
  public struct Record: Sendable, Hashable {
    /// The partition it is in.
    public var partition: Int
    /// Its offset there.
    public var offset: Int
    /// Its key; nil: null.
    public var key: String?
    /// Its headers; of a name that stands twice, the last.
    public var headers: [String: String]
    /// Its value; nil: null.
    public var value: String?

    /// The value as JSON; empty where it is no object.
    public var json: [String: Any] {
      let value = value.flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }
      return value as? [String: Any] ?? [:]
    }
  }

  /// Whether kcat is installed (`make install-test` does that); where not, says so in one line, for `.enabled(if:)`.
  public static func isAvailable(_ test: String) -> Bool {
    if ["/usr/bin/kcat", "/usr/local/bin/kcat"].contains(where: { FileManager.default.isExecutableFile(atPath: $0) }) {
      return true
    }
    print("SKIPPED (no kcat): \(test)")
    return false
  }

  /// Reads a topic again and again until it holds what is waited for, for at most 20 s: a commit is told as soon as it is
  /// decided, and its markers, without which no reader sees it, may stand in the partitions a little later.
  public static func read(
    _ topic: String, of bootstrap: String, until isEnough: ([Record]) -> Bool
  ) throws -> [Record] {
    let deadline = ContinuousClock.now + .seconds(20)
    while true {
      let records = try read(topic, of: bootstrap)
      if isEnough(records) || ContinuousClock.now >= deadline { return records }
      usleep(300_000)
    }
  }

  /// All records that a topic holds now, those of one partition in their order.
  ///
  /// - Parameters:
  ///   - isCommittedOnly: leaves out what open and aborted transactions wrote (`isolation.level=read_committed`).
  ///   - seconds: the most that it may take.
  public static func read(
    _ topic: String, of bootstrap: String, isCommittedOnly: Bool = true, seconds: Int = 60
  ) throws -> [Record] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "timeout", "\(seconds)", "kcat", "-b", bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J", "-X",
      "isolation.level=\(isCommittedOnly ? "read_committed" : "read_uncommitted")",
    ]
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw RealKafkaError(message: "kcat ended with \(process.terminationStatus) when it read \(topic)")
    }
    return try data.split(separator: UInt8(ascii: "\n")).map { line in
      let text = String(decoding: line, as: UTF8.self)
      return Record(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:])
    }
  }

  /// The values of all records that a topic holds now; a null one is empty.
  public static func values(_ topic: String, of kafka: RealKafka, isCommittedOnly: Bool = true) throws -> [String] {
    try read(topic, of: kafka.bootstrapServers, isCommittedOnly: isCommittedOnly).map { $0.value ?? "" }
  }
}

extension Kcat.Record {
  /// From what `kcat -J` writes for a record.
  fileprivate init(_ object: [String: Any]) {
    let flat = (object["headers"] as? [Any] ?? []).map { $0 as? String ?? "" }
    headers = [:]
    for index in stride(from: 0, to: flat.count - 1, by: 2) { headers[flat[index]] = flat[index + 1] }
    partition = object["partition"] as? Int ?? -1
    offset = object["offset"] as? Int ?? -1
    key = object["key"] as? String
    value = object["payload"] as? String
  }
}
