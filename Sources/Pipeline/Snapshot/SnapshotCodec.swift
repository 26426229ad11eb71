internal import Events

/// Puts state records and markers into the bytes that the state topic keeps, and takes them out again. The format is
/// documented byte by byte in docs/state-format.md.
public struct SnapshotCodec: Sendable, Hashable {
  /// The newest format that this program reads and may be told to write.
  public static let newestFormat = 1
  /// The formats that it may be told to write.
  public static let formats = 1...newestFormat

  /// A record's key says what it is by its first byte.
  private enum Kind {
    static let marker: UInt8 = 1
    static let state: UInt8 = 2
  }

  /// Bytes before a record's payload: the format and the checksum.
  private static let valueHead = 5
  /// Bytes before the detector's own key: the kind and the series.
  private static let keyHead = 5

  /// The format that is written: the older one until the operator switches, so that a rolling upgrade can go back.
  public let format: Int

  /// A codec that writes this format, which must be one of `formats`.
  public init(format: Int = 1) {
    precondition(Self.formats.contains(format), "the pipeline file's reader has checked the format")
    self.format = format
  }

  // MARK: Writing

  /// The key of every marker: compaction keeps the last.
  public static let markerKey: [UInt8] = [Kind.marker]

  /// A marker's value.
  public func value(of marker: SnapshotMarker) -> [UInt8] {
    var writer = ByteWriter()
    marker.write(to: &writer)
    return seal(Self.markerKey, writer.bytes)
  }

  /// A state record's key in the topic.
  public func key(_ key: [UInt8], series: UInt32) -> [UInt8] {
    var writer = ByteWriter()
    writer.byte(Kind.state)
    writer.fixed(series)
    writer.raw(key)
    return writer.bytes
  }

  /// A state record's value in the topic, under its key there.
  public func seal(_ key: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    let format = UInt8(format)
    var writer = ByteWriter()
    writer.byte(format)
    writer.fixed(
      key.withUnsafeBytes { key in payload.withUnsafeBytes { Self.checksum(format: format, key: key, payload: $0) } })
    writer.raw(payload)
    return writer.bytes
  }

  /// It covers the key too: a value under another's key is damage.
  private static func checksum(
    format: UInt8, key: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer
  ) -> UInt32 {
    var checksum = CRC32C()
    withUnsafeBytes(of: format) { checksum.add($0) }
    checksum.add(key)
    checksum.add(payload)
    return checksum.value
  }

  // MARK: Reading

  /// A record of the state topic; the bytes are on loan.
  public enum Record {
    /// A cut ends here.
    case marker(SnapshotMarker)
    /// A piece of state of a series, by the detector's own key; its value is nil where it is gone.
    case state(series: UInt32, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?)
  }

  /// Reads a record.
  ///
  /// - Throws: what is wrong with it, where it is damaged or of a newer format.
  public static func read(
    key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, in partition: PartitionID, at offset: Int64
  ) throws(SnapshotError) -> Record {
    func damaged(_ how: String) -> SnapshotError { SnapshotError(.damaged(how), partition: partition, offset: offset) }
    guard let key, let kind = key.first else { throw damaged("it has no key") }
    let payload = try value.map { value throws(SnapshotError) in try open(key, value, partition, offset) }
    switch kind {
    case Kind.marker:
      guard key.count == 1 else { throw damaged("its key is no marker's") }
      guard let payload, let marker = try? SnapshotMarker(payload) else { throw damaged("it is no whole marker") }
      return .marker(marker)
    case Kind.state:
      guard key.count >= keyHead else { throw damaged("its key is too short") }
      let series = UInt32(littleEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
      return .state(series: series, key: UnsafeRawBufferPointer(rebasing: key[keyHead...]), value: payload)
    default: throw damaged("nothing is of kind \(kind)")
    }
  }

  private static func open(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ partition: PartitionID, _ offset: Int64
  ) throws(SnapshotError) -> UnsafeRawBufferPointer {
    guard let format = value.first, format > 0 else {
      throw SnapshotError(.damaged("it has no format"), partition: partition, offset: offset)
    }
    guard format <= newestFormat else {
      throw SnapshotError(.newerFormat(found: Int(format), newest: newestFormat), partition: partition, offset: offset)
    }
    guard value.count >= valueHead else {
      throw SnapshotError(.damaged("it is too short"), partition: partition, offset: offset)
    }
    let payload = UnsafeRawBufferPointer(rebasing: value[valueHead...])
    let checksum = UInt32(littleEndian: value.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
    guard checksum == Self.checksum(format: format, key: key, payload: payload) else {
      throw SnapshotError(.damaged("its checksum differs"), partition: partition, offset: offset)
    }
    return payload
  }
}
