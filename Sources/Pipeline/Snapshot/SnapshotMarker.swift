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
  /// What was in force, by name: `pipeline`, and each table.
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
  /// The payload of a marker of format 1; see docs/state-format.md.
  func write(to writer: inout FormWriter) {
    writer.number(offset)
    writer.number(sequence)
    writer.number(series)
    writer.number(seed.first)
    writer.number(seed.second)
    writer.number(partitionCount)
    writer.number(recordCount)
    writer.text(topic)
    writer.number(UInt16(clamping: versions.count))
    for (name, version) in versions.sorted(by: { $0.key < $1.key }).prefix(Int(UInt16.max)) {
      writer.text(name)
      writer.text(version)
    }
    writer.run(header)
  }

  /// nil: the payload is not that of a marker.
  init?(_ payload: UnsafeRawBufferPointer) {
    var reader = FormReader(payload)
    guard let offset = reader.number(Int64.self), offset >= 0, let sequence = reader.number(Int64.self), sequence >= 0,
      let series = reader.number(UInt32.self), let first = reader.number(UInt64.self),
      let second = reader.number(UInt64.self), let partitionCount = reader.number(Int32.self), partitionCount > 0,
      let recordCount = reader.number(Int64.self), recordCount >= 0, let topic = reader.text(),
      let versionCount = reader.number(UInt16.self)
    else { return nil }
    var versions: [String: String] = [:]
    for _ in 0..<versionCount {
      guard let name = reader.text(), let version = reader.text() else { return nil }
      versions[name] = version
    }
    guard let header = reader.run(), reader.isAtEnd, versions.count == Int(versionCount) else { return nil }
    self.init(
      offset: offset, sequence: sequence, series: series, seed: HashSeed(first: first, second: second), topic: topic,
      partitionCount: partitionCount, versions: versions, recordCount: recordCount, header: header)
  }
}
