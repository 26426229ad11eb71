/// Which versions nobody can need any more, of those whose contents are kept. Pure.
///
/// A version is needed by whoever reads records again that were worked on with it: such versions are named with the committed
/// offsets (`Position.active`), and where those are gone with the last snapshots. And it is needed by a process whose own
/// version it is, which may not have worked on a record yet: that is why each process writes the manifest of its version again
/// from time to time. So what is neither named nor was written lately is needed by nobody.
public struct VersionCleaning: Sendable {
  /// Milliseconds since its manifest was written for which a version is kept in any case.
  public static let margin: Int64 = 24 * 3_600_000
  /// Milliseconds after which a process writes the manifest of its own version again: far fewer than the margin, so that
  /// neither a broker's absence nor clocks that differ matter.
  public static let renewal: Int64 = 3_600_000

  /// A version whose contents are kept.
  public struct Kept: Sendable, Hashable {
    /// What it is made of.
    public var manifest: VersionManifest
    /// When its manifest was written last, in milliseconds since 1970.
    public var written: Int64

    /// A version that is kept.
    public init(manifest: VersionManifest, written: Int64) {
      self.manifest = manifest
      self.written = written
    }
  }

  private let kept: [Kept]
  private let now: Int64

  /// - Parameters:
  ///   - kept: all versions that are kept.
  ///   - now: milliseconds since 1970.
  public init(_ kept: [Kept], now: Int64) {
    self.kept = kept
    self.now = now
  }

  private func isOld(_ version: Kept) -> Bool { now - version.written > Self.margin }

  /// Whether any version is so old that it pays to ask which ones are named.
  public var hasOld: Bool { kept.contains { isOld($0) } }

  /// The versions to remove.
  ///
  /// - Parameter named: those that are named with committed offsets and snapshots.
  public func removable(named: Set<VersionID>) -> [VersionManifest] {
    kept.filter { isOld($0) && !named.contains($0.manifest.id) }.map(\.manifest)
  }

  /// The tombstones that take versions away: the manifests first, so that nobody finds one without its files; of the files those
  /// that no other version has.
  public func tombstones(of removed: [VersionManifest]) -> (manifests: [VersionRecord], chunks: [VersionRecord]) {
    let ids = Set(removed.map(\.id))
    let used = Set(kept.map(\.manifest).filter { !ids.contains($0.id) }.flatMap(\.blobs))
    let gone = Set(removed.flatMap(\.blobs)).subtracting(used).sorted { $0.hash < $1.hash }
    let chunks = gone.flatMap { blob in
      (0..<((blob.count + VersionRecord.chunkSize - 1) / VersionRecord.chunkSize)).map {
        VersionRecord(key: VersionRecord.chunkKey(blob.hash, $0), value: nil)
      }
    }
    return (ids.sorted().map { VersionRecord(key: VersionRecord.manifestKey($0), value: nil) }, chunks)
  }

  /// Whether a version shares its name or a file with one that another process may be about to remove: then what was found or
  /// written of it has to be looked at once more, when that process is done.
  public func isAtRisk(_ manifest: VersionManifest) -> Bool {
    // Clocks differ, and who removes has read before.
    let near = kept.filter { now - $0.written > Self.margin / 2 }
    return near.contains { $0.manifest.id == manifest.id || !$0.manifest.blobs.isDisjoint(with: manifest.blobs) }
  }
}
