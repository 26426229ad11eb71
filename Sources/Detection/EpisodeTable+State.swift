internal import Events
internal import Expressions

/// Which episodes changed since the last cut.
struct EpisodeChanges {
  /// From the first cut on, which tells them all.
  var isTracking = false
  /// Begun or changed; some may be gone by now.
  var keys: [EpisodeKey] = []
  /// Gone, and a cut had told them.
  var gone: [EpisodeKey] = []
}

extension EpisodeTable {
  /// Records for the next cut.
  var changeCount: Int { changes.isTracking ? changes.keys.count + changes.gone.count : episodes.count }

  func note(_ key: EpisodeKey, _ episode: Episode) {
    guard changes.isTracking, !episode.isNoted else { return }
    episode.isNoted = true
    changes.keys.append(key)
    // Those that began and ended without a cut between must not pile up.
    guard changes.keys.count > 2 * episodes.count + 64 else { return }
    changes.keys = episodes.filter { $0.value.isNoted }.map(\.key)
  }

  func remove(_ key: EpisodeKey, _ episode: Episode) {
    take(key)
    if episode.isSaved { changes.gone.append(key) }
  }

  // MARK: Cutting

  /// Adds what changed since the last cut.
  func cut(into cutter: inout StateCutter, _ codec: EpisodeCodec, _ tables: [any ReferenceTable]) {
    for key in changes.gone { cutter.remove(.episode, key.hash, key.window) }
    for key in changes.isTracking ? changes.keys : Array(episodes.keys) {
      guard let episode = episodes[key], episode.isNoted || !changes.isTracking else { continue }
      episode.isNoted = false
      episode.isSaved = true
      let hits = Self.named(episode, tables)
      cutter.put(.episode, key.hash, key.window) { codec.write(episode, hits: hits, to: &$0) }
    }
    changes = EpisodeChanges(isTracking: true)
  }

  /// Adds a tombstone for each that a cut has told.
  func cutRemoval(into cutter: inout StateCutter) {
    for (key, episode) in episodes where episode.isSaved { cutter.remove(.episode, key.hash, key.window) }
    for key in changes.gone { cutter.remove(.episode, key.hash, key.window) }
  }

  // MARK: Restoring

  func restore(
    _ key: EpisodeKey, _ value: UnsafeRawBufferPointer?, _ codec: EpisodeCodec
  ) throws(DamagedBytes) {
    changes.isTracking = true
    guard let value else {
      take(key)
      return
    }
    var reader = ByteReader(value)
    let episode = try codec.read(&reader)
    episode.isSaved = true
    put(key, episode)
  }

  /// Takes over all that another table has, which is empty then. `codec`s of both tell how fields moved.
  func adopt(_ old: EpisodeTable, from oldCodec: EpisodeCodec, to codec: EpisodeCodec) {
    takeAll(of: old)
    changes = old.changes
    old.changes = EpisodeChanges()
    if oldCodec.fields != codec.fields {
      for episode in episodes.values { Self.move(&episode.telling.evidence, from: oldCodec, to: codec) }
    }
    scheduleAll()
  }

  private static func move(_ evidence: inout [Evidence], from old: EpisodeCodec, to new: EpisodeCodec) {
    for place in evidence.indices {
      evidence[place].fields = evidence[place].fields.compactMap { field in
        new.slot(of: old.fields[field.slot]).map { Evidence.FieldValue(slot: $0, value: field.value) }
      }
    }
  }

  // MARK: Tables

  /// Finds the entries that tellings name again, in other versions of the tables; one that is no longer there is left out.
  func resolve(from old: [any ReferenceTable], to new: [any ReferenceTable]) {
    for episode in episodes.values where !episode.unresolved.isEmpty || !episode.telling.hits.isEmpty {
      let hits = Self.named(episode, old)
      episode.unresolved = []
      episode.telling.hits = hits.compactMap { hit in
        guard let table = new.firstIndex(where: { $0.name == hit.table }) else { return nil }
        var key = hit.key
        let entry = key.withUTF8 { new[table].find(BytesView(start: $0.baseAddress, count: $0.count)) }
        return entry < 0 ? nil : TableHit(table: table, entry: entry, key: hit.key, field: hit.field)
      }
    }
  }

  private static func named(_ episode: Episode, _ tables: [any ReferenceTable]) -> [NamedHit] {
    episode.unresolved
      + episode.telling.hits.compactMap { hit in
        guard hit.table < tables.count else { return nil }
        return NamedHit(table: tables[hit.table].name, field: hit.field, key: hit.key)
      }
  }
}
