public import Events

/// The last record of every cut: what the state before it is true at. A reader takes the last one that is committed.
public struct SnapshotMarker: Sendable, Hashable {
  /// The input offset O: the state is that of all records before it.
  public var offset: Int64
  /// The sequence number of the pair that ended at `offset`.
  public var sequence: Int64
  /// Tells one fresh start from another: state records of another series belong to a state that was given up.
  public var series: UInt32
  /// What the hashes in the records' keys start from.
  public var seed: HashSeed
  /// The input topic.
  public var topic: String
  /// How many partitions the input topic had.
  public var partitionCount: Int32
  /// What was in force, by name: `pipeline`, `table NAME`, and `active`, the word of the `VersionLedger`.
  public var versions: [String: String]
  /// How many records the cut has besides the marker, tombstones among them.
  public var recordCount: Int64
  /// The detector's own: its clock, and what of each rule is not kept by key.
  public var header: [UInt8]

  /// A marker.
  public init(
    offset: Int64, sequence: Int64, series: UInt32, seed: HashSeed, topic: String, partitionCount: Int32,
    versions: [String: String], recordCount: Int64, header: [UInt8]
  ) {
    self.offset = offset
    self.sequence = sequence
    self.series = series
    self.seed = seed
    self.topic = topic
    self.partitionCount = partitionCount
    self.versions = versions
    self.recordCount = recordCount
    self.header = header
  }

  /// The series of a state whose hashes start from this seed. A fresh start draws a seed, and with it a series that even a
  /// snapshot which the newcomer could not see yet does not have.
  public static func series(of seed: HashSeed) -> UInt32 { UInt32(truncatingIfNeeded: seed.first) }

  /// The position that the cut was made at.
  public var position: Position { Position(offset: offset, sequence: sequence, replay: nil) }
}

extension SnapshotMarker {
  /// Under which name `versions` has the ledger's word.
  static let ledgerName = "active"

  /// Which version of the pipeline was in force where; nil: it is not said.
  public var ledger: VersionLedger? { versions[Self.ledgerName].flatMap { VersionLedger(word: $0) } }
}

extension SnapshotMarker {
  /// The payload of a marker of format 1; see docs/state-format.md.
  func write(to writer: inout ByteWriter) {
    writer.fixed(offset)
    writer.fixed(sequence)
    writer.fixed(series)
    writer.fixed(seed.first)
    writer.fixed(seed.second)
    writer.fixed(partitionCount)
    writer.fixed(recordCount)
    writer.name(topic)
    writer.fixed(UInt16(clamping: versions.count))
    for (name, version) in versions.sorted(by: { $0.key < $1.key }).prefix(Int(UInt16.max)) {
      writer.name(name)
      writer.name(version)
    }
    writer.fixed(UInt32(header.count))
    writer.raw(header)
  }

  init(_ payload: UnsafeRawBufferPointer) throws(DamagedBytes) {
    var reader = ByteReader(payload)
    offset = try reader.fixed()
    sequence = try reader.fixed()
    series = try reader.fixed(as: UInt32.self)
    seed = HashSeed(first: try reader.fixed(as: UInt64.self), second: try reader.fixed(as: UInt64.self))
    partitionCount = try reader.fixed(as: Int32.self)
    recordCount = try reader.fixed()
    guard offset >= 0, sequence >= 0, partitionCount > 0, recordCount >= 0 else {
      throw DamagedBytes("a number makes no sense")
    }
    topic = try reader.name()
    versions = [:]
    let versionCount = Int(try reader.fixed(as: UInt16.self))
    for _ in 0..<versionCount {
      let name = try reader.name()
      versions[name] = try reader.name()
    }
    guard versions.count == versionCount else { throw DamagedBytes("a version is named twice") }
    header = Array(try reader.raw(Int(try reader.fixed(as: UInt32.self))))
    try reader.end()
  }
}

/// Names have two bytes for their length.
extension ByteWriter {
  /// At most 65,535 bytes of UTF-8: a longer one is cut, which names of topics and versions never are.
  fileprivate mutating func name(_ name: String) {
    let utf8 = Array(name.utf8.prefix(Int(UInt16.max)))
    fixed(UInt16(utf8.count))
    raw(utf8)
  }
}

extension ByteReader {
  fileprivate mutating func name() throws(DamagedBytes) -> String {
    let utf8 = try raw(Int(try fixed(as: UInt16.self)))
    guard let name = String(validating: utf8, as: UTF8.self) else { throw DamagedBytes("a name is not UTF-8") }
    return name
  }
}
