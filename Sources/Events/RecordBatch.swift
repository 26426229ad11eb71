/// The records of one partition that are worked on together, copied out of the log, in rising offset order.
///
/// In a batch of events that came through an exchange a record is an event: several have the offset of the block that they
/// came in, and each knows its origin. `order` tells them apart, and rises from row to row in any batch.
///
/// Keys, values and headers lie in one arena, each value followed by at least `padding` readable bytes (what the JSON
/// parser may read past the end). It is reused: `removeAll` keeps the memory.
public final class RecordBatch {
  /// One record; ranges are into the arena, a count of -1 means null.
  public struct Record {
    /// The record's offset in its partition.
    public var offset: Int64
    /// Rises with each record of a partition: the offset itself, or for an event in a block the offset and its place in it.
    public var order: Int64
    /// Where the event's record stands in the source topic.
    public var origin: EventOrigin
    /// Where the SHA-256 of the source record's value lies in the arena; -1: it is the digest of the value at hand.
    public var digestStart: Int
    /// The broker's or producer's timestamp in milliseconds since 1970; -1 where the record has none.
    public var timestamp: Int64
    /// Where the key begins in the arena.
    public var keyStart: Int
    /// Bytes of the key; -1: null.
    public var keyCount: Int
    /// Where the value begins in the arena.
    public var valueStart: Int
    /// Bytes of the value; -1: null.
    public var valueCount: Int
    /// Where the encoded headers begin in the arena.
    public var headersStart: Int
    /// Bytes of the encoded headers; 0: none.
    public var headersCount: Int
  }

  /// Readable bytes that follow every value in the arena.
  public static let padding = 64

  /// The topic that the records come from.
  public let topic: String
  /// The partition that the records come from.
  public let partition: Int32
  /// The topic that the events' own records stand in: the source's, where this one is an exchange.
  public let originTopic: String
  /// Most records.
  public let capacity: Int
  /// Records held.
  @inlinable public var count: Int { filled.pointee }
  // Behind pointers that other modules' code may follow: what is asked for each row costs neither a call nor a check of
  // exclusive access.
  @usableFromInline let filled: UnsafeMutablePointer<Int>
  @usableFromInline let records: UnsafeMutablePointer<Record>
  private(set) var arena: UnsafeMutablePointer<UInt8>
  private var arenaCapacity: Int
  private var arenaCount = 0

  /// Room for `capacity` records; `arenaCapacity` is in bytes, and grows where records need more.
  ///
  /// - Parameter originTopic: the topic that the events' own records stand in; nil: `topic`.
  public init(
    topic: String, partition: Int32, originTopic: String? = nil, capacity: Int, arenaCapacity: Int = 1 << 18
  ) {
    self.topic = topic
    self.originTopic = originTopic ?? topic
    self.partition = partition
    self.capacity = capacity
    records = .allocate(capacity: capacity)
    filled = .allocate(capacity: 1)
    filled.initialize(to: 0)
    self.arenaCapacity = max(arenaCapacity, Self.padding)
    arena = .allocate(capacity: self.arenaCapacity)
  }

  deinit {
    records.deallocate()
    filled.deallocate()
    arena.deallocate()
  }

  /// Whether no further record goes in.
  public var isFull: Bool { count == capacity }
  /// Bytes of keys, values and headers held, padding included.
  public var byteCount: Int { arenaCount }

  /// Forgets the records and keeps the memory, unless a huge record had made it grow past `keeping` bytes.
  public func removeAll(keeping: Int = 1 << 22) {
    filled.pointee = 0
    arenaCount = 0
    if arenaCapacity > keeping {
      arena.deallocate()
      arenaCapacity = keeping
      arena = .allocate(capacity: arenaCapacity)
    }
  }

  /// Copies a record in. `headers` is what `encode(headers:)` made, or empty.
  public func append(
    offset: Int64, timestamp: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
    headers: UnsafeRawBufferPointer? = nil
  ) {
    precondition(count < capacity, "a full RecordBatch takes no record")
    let keyStart = copy(key, padding: 0)
    let headersStart = copy(headers, padding: 0)
    let valueStart = copy(value, padding: Self.padding)
    records[count] = Record(
      offset: offset, order: offset, origin: EventOrigin(partition: partition, offset: offset), digestStart: -1,
      timestamp: timestamp, keyStart: keyStart, keyCount: key?.count ?? -1,
      valueStart: valueStart, valueCount: value?.count ?? -1,
      headersStart: headersStart, headersCount: headers?.count ?? 0)
    filled.pointee += 1
  }

  /// Moves the records from a row on to another batch, which has room for them.
  public func move(rowsFrom row: Int, to other: RecordBatch) {
    precondition(row >= 0 && row <= count && other.count + count - row <= other.capacity)
    for index in row..<count {
      var record = records[index]
      record.keyStart = other.copy(raw(record.keyStart, record.keyCount), padding: 0)
      record.headersStart = other.copy(raw(record.headersStart, record.headersCount), padding: 0)
      if record.digestStart >= 0 {
        record.digestStart = other.copy(raw(record.digestStart, SHA256.count), padding: 0)
      }
      record.valueStart = other.copy(raw(record.valueStart, record.valueCount), padding: Self.padding)
      other.records[other.count] = record
      other.filled.pointee += 1
    }
    filled.pointee = row
  }

  private func raw(_ start: Int, _ count: Int) -> UnsafeRawBufferPointer? {
    count < 0 ? nil : UnsafeRawBufferPointer(start: arena + start, count: count)
  }

  /// Bits of `Record.order` that an event's place in its block takes.
  public static let indexBits: Int64 = 16

  /// Takes in an event of a block; it has no value of its own, its columns are filled from the block.
  ///
  /// - Parameters:
  ///   - offset: of the block.
  ///   - index: the event's place in the block, below 2^`indexBits`.
  ///   - digest: the SHA-256 of the source record's value.
  ///   - headers: what `encode(headers:)` made, or empty.
  public func appendEvent(
    offset: Int64, index: Int, origin: EventOrigin, digest: UnsafeRawBufferPointer?,
    headers: UnsafeRawBufferPointer? = nil
  ) {
    precondition(count < capacity, "a full RecordBatch takes no event")
    let headersStart = copy(headers, padding: 0)
    let digestStart = digest == nil ? -1 : copy(digest, padding: 0)
    records[count] = Record(
      offset: offset, order: offset << Self.indexBits | Int64(index), origin: origin, digestStart: digestStart,
      timestamp: -1, keyStart: arenaCount, keyCount: -1, valueStart: arenaCount, valueCount: -1,
      headersStart: headersStart, headersCount: headers?.count ?? 0)
    filled.pointee += 1
  }

  /// Writes the SHA-256 of a record's value, as it stands in the source topic, to `target`, which has room for
  /// `SHA256.count` bytes.
  ///
  /// - Returns: false where the record has no value, and nothing was written.
  public func digest(_ row: Int, into target: UnsafeMutablePointer<UInt8>) -> Bool {
    let record = self[row]
    if record.digestStart >= 0 {
      target.update(from: arena + record.digestStart, count: SHA256.count)
    } else {
      guard let value = view(record.valueStart, record.valueCount) else { return false }
      SHA256.digest(value.buffer, into: target)
    }
    return true
  }

  /// The SHA-256 of a record's value, as it stands in the source topic; empty where it has none.
  public func digest(_ row: Int) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: SHA256.count)
    let isThere = digest.withUnsafeMutableBufferPointer { target in
      target.baseAddress.map { self.digest(row, into: $0) } ?? false
    }
    return isThere ? digest : []
  }

  /// The row of the record of this `order`, found by halving.
  public func row(ofOrder order: Int64) -> Int? {
    var low = 0
    var high = count - 1
    while low <= high {
      let middle = (low + high) / 2
      let found = records[middle].order
      if found == order { return middle }
      if found < order { low = middle + 1 } else { high = middle - 1 }
    }
    return nil
  }

  /// A record by its place, from 0.
  @inlinable
  public subscript(row: Int) -> Record {
    precondition(row >= 0 && row < count)
    return records[row]
  }

  /// The value's bytes; nil where the value is null. They stand until `removeAll` or the next `append`.
  public func value(_ row: Int) -> BytesView? { view(self[row].valueStart, self[row].valueCount) }
  /// The key's bytes; nil where the key is null.
  public func key(_ row: Int) -> BytesView? { view(self[row].keyStart, self[row].keyCount) }

  private func view(_ start: Int, _ count: Int) -> BytesView? {
    count < 0 ? nil : BytesView(start: arena + start, count: count)
  }

  private func copy(_ bytes: UnsafeRawBufferPointer?, padding: Int) -> Int {
    let count = bytes?.count ?? 0
    if arenaCount + count + padding > arenaCapacity { grow(count + padding) }
    let start = arenaCount
    if let base = bytes?.baseAddress, count > 0 {
      UnsafeMutableRawPointer(arena + start).copyMemory(from: base, byteCount: count)
    }
    if padding > 0 { (arena + start + count).update(repeating: 0, count: padding) }
    arenaCount += count + padding
    return start
  }

  private func grow(_ needed: Int) {
    let capacity = max(arenaCapacity * 2, arenaCount + needed)
    let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    grown.update(from: arena, count: arenaCount)
    arena.deallocate()
    arena = grown
    arenaCapacity = capacity
  }
}
