internal import Events
internal import Tables

/// A record of the topic that keeps versions. Both key and value follow from the contents, so a record that is written twice
/// changes nothing.
public struct VersionRecord: Sendable, Hashable {
  /// `blob/SHA256/PLACE` or `version/NAME`.
  public var key: [UInt8]
  /// Bytes of a file from `PLACE` times the length of a chunk on, or a manifest; nil: it was taken away.
  public var value: [UInt8]?

  /// A record.
  public init(key: [UInt8], value: [UInt8]?) {
    self.key = key
    self.value = value
  }

  /// Bytes of a chunk: well under what brokers take in one record by default.
  public static let chunkSize = 256 << 10

  static func chunkKey(_ hash: String, _ place: Int) -> [UInt8] { Array("blob/\(hash)/\(place)".utf8) }
  static func manifestKey(_ id: VersionID) -> [UInt8] { Array("version/\(id)".utf8) }

  /// The record that names what a version is made of.
  public init(_ manifest: VersionManifest) {
    self.init(key: Self.manifestKey(manifest.id), value: manifest.bytes)
  }
}

extension VersionContent {
  /// The records that keep it: chunks of the files that are not in `known` (by SHA-256 in hex digits), then the manifest. Whoever
  /// sees the manifest thus finds the rest before it.
  public func records(known: Set<String> = []) -> [VersionRecord] {
    let manifest = manifest
    var records: [VersionRecord] = []
    var written = known
    for bytes in [pipeline] + tables.sorted(by: { $0.key < $1.key }).flatMap({ Self.files($0.value) }) {
      let hash = SHA256.hex(bytes)
      guard written.insert(hash).inserted else { continue }
      for (place, start) in stride(from: 0, to: bytes.count, by: VersionRecord.chunkSize).enumerated() {
        let end = min(start + VersionRecord.chunkSize, bytes.count)
        records.append(VersionRecord(key: VersionRecord.chunkKey(hash, place), value: Array(bytes[start..<end])))
      }
    }
    records.append(VersionRecord(manifest))
    return records
  }

  private static func files(_ table: TableContent) -> [[UInt8]] {
    [table.bytes] + (table.overflow.map { [$0.bytes] } ?? [])
  }
}

/// What the key of a record says.
public enum VersionKey: Sendable, Hashable {
  /// A chunk of a file.
  case chunk(hash: String, place: Int)
  /// A manifest.
  case manifest(VersionID)

  /// Reads a key; nil where it is none of ours.
  public init?(_ key: [UInt8]) {
    let parts = String(decoding: key, as: UTF8.self).split(separator: "/", omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("blob", 3):
      guard parts[1].utf8.count == 64, HexText.bytes(parts[1]) != nil, let place = Int(parts[2]), place >= 0,
        String(place) == parts[2]
      else { return nil }
      self = .chunk(hash: String(parts[1]), place: place)
    case ("version", 2):
      guard let id = VersionID(parts[1]) else { return nil }
      self = .manifest(id)
    default: return nil
    }
  }
}

/// Puts versions together from records; of those of one key the last counts. It takes in what it is asked for only, so that it holds no more than that.
public struct VersionAssembly: Sendable {
  private let manifests: [VersionID: VersionManifest]
  private var chunks: [String: [Int: [UInt8]]] = [:]

  /// Takes in the files of these manifests.
  public init(_ manifests: [VersionManifest]) {
    self.manifests = Dictionary(manifests.map { ($0.id, $0) }) { first, _ in first }
    for blob in manifests.flatMap(\.blobs) { chunks[blob.hash] = [:] }
  }

  /// Takes a record in, if it is one of those.
  public mutating func add(_ record: VersionRecord) {
    guard case .chunk(let hash, let place)? = VersionKey(record.key), chunks[hash] != nil else { return }
    chunks[hash]?[place] = record.value
  }

  /// A version's contents.
  ///
  /// - Throws: `VersionError` where something is missing, or bytes are not those that were written.
  public func content(_ id: VersionID) throws(VersionError) -> VersionContent {
    guard let manifest = manifests[id] else { throw .missing(id) }
    var content = VersionContent(
      file: manifest.file, pipeline: try bytes(manifest.pipeline, id), variables: manifest.variables)
    for (name, table) in manifest.tables {
      var overflow: TableContent.Overflow?
      if let blob = table.overflow {
        overflow = TableContent.Overflow(bytes: try bytes(blob, id), path: "SDN_COMMENTS.CSV")
      }
      content.tables[name] = TableContent(bytes: try bytes(table.list, id), overflow: overflow)
    }
    return content
  }

  private func bytes(_ blob: VersionManifest.Blob, _ id: VersionID) throws(VersionError) -> [UInt8] {
    let found = chunks[blob.hash] ?? [:]
    let count = (blob.count + VersionRecord.chunkSize - 1) / VersionRecord.chunkSize
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(blob.count, found.values.reduce(0) { $0 + $1.count }))
    for place in 0..<count {
      guard let chunk = found[place] else { throw .incomplete(id, missing: blob.count - bytes.count) }
      bytes += chunk
    }
    guard bytes.count == blob.count, SHA256.hex(bytes) == blob.hash else {
      throw .damaged("bytes of version \(id) are not those that were written (file \(blob.hash))")
    }
    return bytes
  }
}
