/// What `tocsin generate` can make; raw values are the words on the command line.
enum GeneratedKind: String, Sendable, CaseIterable {
  case transfers, cards, bench
}

/// One event as it is written; reused from event to event.
struct GeneratedEvent {
  /// The record's key.
  var key: [UInt8] = []
  /// The record's value: mostly JSON; some planted ones are broken.
  var value: [UInt8] = []
  /// Where it goes, by its key.
  var partition: Int32 = 0
  /// Where it stands there, if the partition was empty before.
  var offset: Int64 = 0
  /// What is to be found from this event on, for the truth.
  var truth: [TruthLine] = []

  /// Empty again, with its memory.
  mutating func reset() {
    key.removeAll(keepingCapacity: true)
    value.removeAll(keepingCapacity: true)
    truth.removeAll(keepingCapacity: true)
  }
}

/// A seeded source of events.
protocol EventGenerator {
  /// Makes the next event; false: there are no more.
  mutating func next(_ event: inout GeneratedEvent) -> Bool
}

/// One line of the truth. In `transfers` and `cards` it is a planted case, at its first event; in `bench` an expected
/// alert, at the event that causes it.
struct TruthLine: Hashable, Sendable {
  /// The truth of a record that no decoder can take; other lines name the rule that finds the case.
  static let deadLetter = "dead-letter"

  /// The rule that finds it.
  var rule: String
  /// Whom the alert is about; empty: not part of the truth.
  var key: String
  /// The event's partition.
  var partition: Int32
  /// The event's offset in a fresh topic.
  var offset: Int64
  /// The event's number from 0 and the count of the case's events; nil: not part of the truth.
  var span: (line: Int, events: Int)?

  static func == (left: Self, right: Self) -> Bool { left.json == right.json }

  func hash(into hasher: inout Hasher) { hasher.combine(json) }

  /// The line, without its end.
  var json: [UInt8] {
    var json: [UInt8] = []
    json.append(text: "{\"rule\":\"")
    json.append(text: rule)
    json.append(text: "\",\"partition\":")
    json.append(number: Int(partition))
    json.append(text: span == nil ? ",\"offset\":" : ",\"first_offset_hint\":")
    json.append(number: Int(offset))
    if let span {
      json.append(text: ",\"line\":")
      json.append(number: span.line)
      json.append(text: ",\"events\":")
      json.append(number: span.events)
    }
    if !key.isEmpty {
      json.append(text: ",\"key\":\"")
      json.append(text: key)
      json.append(UInt8(ascii: "\""))
    }
    json.append(UInt8(ascii: "}"))
    return json
  }
}

/// Which partition a key goes to, and the offsets of a topic that was empty before.
struct PartitionPlan: Sendable {
  /// How many partitions there are.
  let count: Int
  private var offsets: [Int64]

  init(count: Int) {
    precondition(count > 0, "there is at least one partition")
    self.count = count
    offsets = Array(repeating: 0, count: count)
  }

  /// The partition of a key: FNV-1a of its bytes, so that it is the same everywhere.
  func partition(of key: [UInt8]) -> Int32 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in key { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return Int32(hash.multipliedFullWidth(by: UInt64(count)).high)
  }

  /// The next offset of a partition.
  mutating func takeOffset(_ partition: Int32) -> Int64 {
    defer { offsets[Int(partition)] += 1 }
    return offsets[Int(partition)]
  }

  /// Gives an event its place by its key.
  mutating func place(_ event: inout GeneratedEvent) {
    event.partition = partition(of: event.key)
    event.offset = takeOffset(event.partition)
  }
}
