internal import Kafka

/// Some records of a partition, copied into one piece of memory, to be looked at from the last to the first.
struct RecordRun {
  private struct Entry {
    var offset: Int64
    var start: Int
    /// -1: null.
    var keyCount: Int
    /// -1: null.
    var valueCount: Int
  }

  private var bytes: [UInt8] = []
  private var entries: [Entry] = []

  var count: Int { entries.count }
  var byteCount: Int { bytes.count }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
  }

  mutating func append(_ message: borrowing KafkaMessage) {
    let (offset, key, value) = (message.offset, message.key, message.value)
    entries.append(
      Entry(offset: offset, start: bytes.count, keyCount: key?.count ?? -1, valueCount: value?.count ?? -1))
    if let key { bytes.append(contentsOf: key) }
    if let value { bytes.append(contentsOf: value) }
  }

  /// Calls `body` with each record, the last first, until it says false.
  func forEachReversed<Failure: Error>(
    _ body: (Int64, UnsafeRawBufferPointer?, UnsafeRawBufferPointer?) throws(Failure) -> Bool
  ) throws(Failure) {
    let outcome: Result<Void, Failure> = bytes.withUnsafeBytes { bytes in
      Result { () throws(Failure) in
        for entry in entries.reversed() {
          let keyEnd = entry.start + max(0, entry.keyCount)
          let key = entry.keyCount < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[entry.start..<keyEnd])
          let value =
            entry.valueCount < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[keyEnd..<(keyEnd + entry.valueCount)])
          guard try body(entry.offset, key, value) else { return }
        }
      }
    }
    try outcome.get()
  }
}
