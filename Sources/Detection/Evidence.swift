public import Events

/// An event that led to an alert.
public struct Evidence: Sendable, Hashable {
  /// Where its record stands in the source topic.
  public var origin: EventOrigin
  /// The event's time, in nanoseconds since 1970.
  public var time: Int64
  /// SHA-256 of the record's value.
  public var digest: [UInt8]
  /// What the event says, for the one that caused the alert; empty for earlier ones.
  public var fields: [FieldValue]

  /// A field of an event.
  public struct FieldValue: Sendable, Hashable {
    /// The field's slot.
    public var slot: Int
    /// Its value.
    public var value: Scalar
  }

  /// An event that led to an alert.
  public init(origin: EventOrigin, time: Int64, digest: [UInt8], fields: [FieldValue] = []) {
    self.origin = origin
    self.time = time
    self.digest = digest
    self.fields = fields
  }

  /// The event of a row, with these fields.
  init(_ batch: EventBatch, row: Int, slots: [Int]) {
    origin = batch.records[row].origin
    time = batch.times[row]
    digest = batch.records.digest(row)
    fields = slots.compactMap { slot in
      batch.columns[slot].scalar(row).map { FieldValue(slot: slot, value: $0) }
    }
  }
}

/// An event kept with its key until it may be evidence.
struct EvidenceNode {
  var origin: EventOrigin
  var time: Int64
  var digest: InlineArray<32, UInt8>
  var next: UnsafeMutablePointer<EvidenceNode>
}

/// The rings of events that keys keep: each the latest `limit` of its key.
final class EvidencePool {
  private let nodes = BlockPool(blockSize: MemoryLayout<EvidenceNode>.stride)

  var byteCount: Int { nodes.byteCount }

  /// Keeps the event of a row; of more than `limit`, the oldest makes room.
  func append(_ batch: EventBatch, row: Int, to entry: UnsafeMutablePointer<KeyEntry>, limit: Int) {
    let node = node(entry, limit: limit)
    node.pointee.origin = batch.records[row].origin
    node.pointee.time = batch.times[row]
    withUnsafeMutableBytes(of: &node.pointee.digest) { digest in
      guard let target = digest.bindMemory(to: UInt8.self).baseAddress else { return }
      _ = batch.records.digest(row, into: target)
    }
  }

  /// The node for a key's next event: the newest of its ring then.
  private func node(_ entry: UnsafeMutablePointer<KeyEntry>, limit: Int) -> UnsafeMutablePointer<EvidenceNode> {
    let node: UnsafeMutablePointer<EvidenceNode>
    if let newest = entry.pointee.evidence, Int(entry.pointee.evidenceCount) >= limit {
      node = newest.pointee.next
    } else {
      node = nodes.take().bindMemory(to: EvidenceNode.self, capacity: 1)
      let next = entry.pointee.evidence?.pointee.next ?? node
      node.initialize(
        to: EvidenceNode(
          origin: EventOrigin(partition: 0, offset: 0), time: 0, digest: InlineArray(repeating: 0), next: next))
      entry.pointee.evidence?.pointee.next = node
      entry.pointee.evidenceCount += 1
    }
    entry.pointee.evidence = node
    return node
  }

  // MARK: State

  func write(_ entry: UnsafeMutablePointer<KeyEntry>, to writer: inout StateWriter) {
    writer.count(Int(entry.pointee.evidenceCount))
    guard let newest = entry.pointee.evidence else { return }
    var node = newest.pointee.next
    for _ in 0..<entry.pointee.evidenceCount {
      writer.origin(node.pointee.origin)
      writer.fixed(node.pointee.time)
      withUnsafeBytes(of: node.pointee.digest) { writer.raw($0) }
      node = node.pointee.next
    }
  }

  /// Sets the ring of a key to what was written, of more than `limit` to the latest.
  func read(_ reader: inout StateReader, into entry: UnsafeMutablePointer<KeyEntry>, limit: Int) throws(StateError) {
    free(entry)
    let count = try reader.count(max: UInt64(reader.remaining))
    for _ in 0..<count {
      let origin = try reader.origin()
      let time = try reader.fixed()
      let digest = try reader.raw(Events.SHA256.count)
      guard limit > 0 else { continue }
      let node = node(entry, limit: limit)
      node.pointee.origin = origin
      node.pointee.time = time
      withUnsafeMutableBytes(of: &node.pointee.digest) { $0.copyMemory(from: digest) }
    }
  }

  /// Lets go of the oldest beyond `limit`.
  func trim(_ entry: UnsafeMutablePointer<KeyEntry>, limit: Int) {
    while Int(entry.pointee.evidenceCount) > limit, let newest = entry.pointee.evidence {
      let oldest = newest.pointee.next
      newest.pointee.next = oldest.pointee.next
      nodes.giveBack(UnsafeMutableRawPointer(oldest))
      entry.pointee.evidenceCount -= 1
      if entry.pointee.evidenceCount == 0 { entry.pointee.evidence = nil }
    }
  }

  /// The kept events of a key whose time is one of those wanted, oldest first.
  func events(of entry: UnsafeMutablePointer<KeyEntry>, where isWanted: (Int64) -> Bool) -> [Evidence] {
    guard let newest = entry.pointee.evidence else { return [] }
    var found: [Evidence] = []
    var node = newest.pointee.next
    for _ in 0..<entry.pointee.evidenceCount {
      if isWanted(node.pointee.time) {
        let digest = withUnsafeBytes(of: node.pointee.digest) { Array($0) }
        found.append(Evidence(origin: node.pointee.origin, time: node.pointee.time, digest: digest))
      }
      node = node.pointee.next
    }
    return found
  }

  func free(_ entry: UnsafeMutablePointer<KeyEntry>) {
    guard let newest = entry.pointee.evidence else { return }
    var node = newest.pointee.next
    for _ in 0..<entry.pointee.evidenceCount {
      let next = node.pointee.next
      nodes.giveBack(UnsafeMutableRawPointer(node))
      node = next
    }
    entry.pointee.evidence = nil
    entry.pointee.evidenceCount = 0
  }
}
