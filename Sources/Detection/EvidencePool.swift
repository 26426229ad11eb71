internal import Events

/// An event kept with its key until it may be evidence.
struct EvidenceNode {
  /// Where its record stands in the source topic: in two parts, so that no room is lost between fields.
  var partition: Int32 = 0
  var next: BlockNumber
  var offset: Int64 = 0
  var time: Int64 = 0
  var digest = InlineArray<32, UInt8>(repeating: 0)

  var origin: EventOrigin {
    get { EventOrigin(partition: partition, offset: offset) }
    set {
      partition = newValue.partition
      offset = newValue.offset
    }
  }
}

/// The rings of events that keys keep: each the latest `limit` of its key.
final class EvidencePool {
  private let nodes = BlockPool(blockSize: MemoryLayout<EvidenceNode>.stride)

  var byteCount: Int { nodes.byteCount }

  private func node(_ block: BlockNumber) -> UnsafeMutablePointer<EvidenceNode> {
    nodes[block].assumingMemoryBound(to: EvidenceNode.self)
  }

  /// Keeps the event of a row; of more than `limit`, the oldest makes room.
  func append(_ batch: EventBatch, row: Int, to entry: UnsafeMutablePointer<KeyEntry>, limit: Int) {
    let node = next(entry, limit: limit)
    node.pointee.origin = batch.records[row].origin
    node.pointee.time = batch.times[row]
    withUnsafeMutableBytes(of: &node.pointee.digest) { digest in
      guard let target = digest.bindMemory(to: UInt8.self).baseAddress else { return }
      _ = batch.records.digest(row, into: target)
    }
  }

  /// The node for a key's next event: the newest of its ring then.
  private func next(_ entry: UnsafeMutablePointer<KeyEntry>, limit: Int) -> UnsafeMutablePointer<EvidenceNode> {
    let newest = entry.pointee.evidence
    if !newest.isNone, Int(entry.pointee.evidenceCount) >= min(limit, Int(UInt16.max)) {
      entry.pointee.evidence = node(newest).pointee.next
      return node(entry.pointee.evidence)
    }
    let block = nodes.take()
    let node = nodes[block].bindMemory(to: EvidenceNode.self, capacity: 1)
    node.initialize(to: EvidenceNode(next: newest.isNone ? block : self.node(newest).pointee.next))
    if !newest.isNone { self.node(newest).pointee.next = block }
    entry.pointee.evidence = block
    entry.pointee.evidenceCount += 1
    return node
  }

  /// A key's events, oldest first.
  private func forEach(_ entry: UnsafeMutablePointer<KeyEntry>, _ body: (EvidenceNode) -> Void) {
    guard !entry.pointee.evidence.isNone else { return }
    var next = node(entry.pointee.evidence).pointee.next
    for _ in 0..<entry.pointee.evidenceCount {
      body(node(next).pointee)
      next = node(next).pointee.next
    }
  }

  /// The kept events of a key whose time is one of those wanted, oldest first.
  func events(of entry: UnsafeMutablePointer<KeyEntry>, where isWanted: (Int64) -> Bool) -> [Evidence] {
    var found: [Evidence] = []
    forEach(entry) { node in
      guard isWanted(node.time) else { return }
      let digest = withUnsafeBytes(of: node.digest) { Array($0) }
      found.append(Evidence(origin: node.origin, time: node.time, digest: digest))
    }
    return found
  }

  /// Lets go of all that a key keeps.
  func free(_ entry: UnsafeMutablePointer<KeyEntry>) { trim(entry, limit: 0) }

  /// Lets go of the oldest beyond `limit`.
  func trim(_ entry: UnsafeMutablePointer<KeyEntry>, limit: Int) {
    while Int(entry.pointee.evidenceCount) > limit {
      let newest = node(entry.pointee.evidence)
      let oldest = newest.pointee.next
      newest.pointee.next = node(oldest).pointee.next
      entry.pointee.evidenceCount -= 1
      if entry.pointee.evidenceCount == 0 { entry.pointee.evidence = .none }
      nodes.giveBack(oldest)
    }
  }

  // MARK: State

  func write(_ entry: UnsafeMutablePointer<KeyEntry>, to writer: inout ByteWriter) {
    writer.count(Int(entry.pointee.evidenceCount))
    forEach(entry) { node in
      writer.origin(node.origin)
      writer.fixed(node.time)
      withUnsafeBytes(of: node.digest) { writer.raw($0) }
    }
  }

  /// Sets the ring of a key to what was written, of more than `limit` to the latest.
  func read(_ reader: inout ByteReader, into entry: UnsafeMutablePointer<KeyEntry>, limit: Int) throws(DamagedBytes) {
    free(entry)
    let count = try reader.count(upTo: reader.remaining)
    for _ in 0..<count {
      let origin = try reader.origin()
      let time = try reader.fixed()
      let digest = try reader.raw(Events.SHA256.count)
      guard limit > 0 else { continue }
      let node = next(entry, limit: limit)
      node.pointee.origin = origin
      node.pointee.time = time
      withUnsafeMutableBytes(of: &node.pointee.digest) { $0.copyMemory(from: digest) }
    }
  }
}
