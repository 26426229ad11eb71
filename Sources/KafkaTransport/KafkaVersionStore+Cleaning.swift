internal import Kafka
internal import Pipeline
internal import Telemetry

/// What keeps the topic of versions small: whoever writes a new version removes those that nobody needs any more
/// (`VersionCleaning` has the rule).
extension KafkaVersionStore {
  /// Milliseconds after its look within which a process may begin to remove something, and again for which the brokers may take
  /// to write it.
  static let removalTime: Int64 = 30_000
  /// Milliseconds after which nothing is written any more by a process that had looked before, with room to spare.
  static let settledAfter: Int64 = 4 * removalTime

  static func cleaning(_ found: [VersionID: Found]) -> VersionCleaning {
    VersionCleaning(found.values.map { VersionCleaning.Kept(manifest: $0.manifest, written: $0.written) }, now: now)
  }

  /// Says that a version is still some process's own: its manifest is written again.
  ///
  /// - Returns: false where it is no longer there.
  @discardableResult func renew(_ manifest: VersionManifest) throws(KafkaError) -> Bool {
    guard try readManifests()[manifest.id] != nil else { return false }
    let producer = try makeProducer()
    defer { producer.destroy() }
    try write(manifest, producer)
    return true
  }

  /// Removes what nobody needs any more.
  ///
  /// - Parameter named: the versions that are named with committed offsets and snapshots; asked for only where something is old.
  /// - Returns: what was removed.
  @discardableResult func clean(
    named: () throws(KafkaError) -> Set<VersionID>
  ) throws(KafkaError) -> [VersionID] {
    let began = ContinuousClock.now
    let cleaning = Self.cleaning(try readManifests())
    guard cleaning.hasOld else { return [] }
    let removed = cleaning.removable(named: try named())
    guard !removed.isEmpty else { return [] }
    let producer = try makeProducer(["message.timeout.ms": "\(Self.removalTime)"])
    defer { producer.destroy() }
    func isInTime() -> Bool { began.duration(to: .now) < .milliseconds(Self.removalTime) }
    for record in cleaning.tombstones(of: removed).manifests where isInTime() {
      _ = try send(record, to: Self.manifests, [], producer)
    }
    // Somebody may have begun to use one of them, or one of their files.
    let left = try readManifests()
    let gone = removed.filter { left[$0.id] == nil }
    for record in Self.cleaning(left).tombstones(of: gone).chunks where isInTime() {
      _ = try send(record, to: Self.chunks, [], producer)
    }
    forgetPlaces(of: gone.flatMap(\.blobs).map(\.hash))
    let ids = gone.map(\.id).sorted()
    log.info(
      "versions that nobody needs any more were removed",
      ["topic": topic, "versions": ids.map(\.description).joined(separator: ", ")])
    return ids
  }
}
