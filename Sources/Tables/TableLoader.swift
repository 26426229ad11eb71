import Events

/// Loads lists. A list is taken as a whole or not at all: one bad row refuses the load, and the version in force stays.
public enum TableLoader {
  /// Reads a table's file into a new snapshot. `previous` is the version in force, against which `maxShrink` is held.
  public static func load(
    _ source: TableSource, previous: TableSnapshot? = nil
  ) throws(TableLoadError) -> TableSnapshot {
    try load(source, previous: previous, seed: .random())
  }

  /// As above, with a given seed of the index, for tests that must repeat.
  static func load(
    _ source: TableSource, previous: TableSnapshot? = nil, seed: HashSeed
  ) throws(TableLoadError) -> TableSnapshot {
    let declaration = TableDeclaration(source)
    if !declaration.messages.isEmpty {
      throw .declaration(table: source.name, messages: declaration.messages)
    }
    let bytes = try content(source.path, of: source)
    let overflow = try overflow(of: source)
    var builder = TableBuilder(source: source, seed: seed)
    switch source.format {
    case .text: TextFormat.read(bytes, into: &builder)
    case .csv: CSVFormat.read(bytes, into: &builder)
    case .ndjson: NDJSONFormat.read(bytes, into: &builder)
    case .ofacSDN: OFACFormat.read(bytes, overflow: overflow, into: &builder)
    }
    if let excess = builder.excess { throw .tooLarge(table: source.name, file: source.path, reason: excess) }
    if builder.hasMistakes { throw .malformed(table: source.name, mistakes: builder.mistakes.listed) }
    try checkShrinking(from: previous, to: builder.rows.count, source)
    let version = contentVersion([bytes] + (overflow.map { [$0.bytes] } ?? []))
    if builder.rows.isEmpty { builder.warn("\(source.path) has no entries: nothing is in this table") }
    return TableSnapshot(builder, elseRow: declaration.elseRow, version: version)
  }

  private static func content(_ path: String, of source: TableSource) throws(TableLoadError) -> [UInt8] {
    do throws(FileError) {
      return try readFile(path, limit: source.limits.bytes)
    } catch {
      switch error {
      case .unreadable(let reason): throw .unreadable(table: source.name, file: path, reason: reason)
      case .tooLarge(let reason): throw .tooLarge(table: source.name, file: path, reason: reason)
      }
    }
  }

  private static func overflow(
    of source: TableSource
  ) throws(TableLoadError) -> (bytes: [UInt8], path: String)? {
    guard source.format == .ofacSDN else { return nil }
    let directory = source.path.lastIndex(of: "/").map { String(source.path[...$0]) } ?? ""
    let beside = ["SDN_COMMENTS.CSV", "sdn_comments.csv"].map { directory + $0 }.first { fileExists($0) }
    guard let path = source.overflowPath ?? beside else { return nil }
    return (try content(path, of: source), path)
  }

  private static func checkShrinking(
    from previous: TableSnapshot?, to count: Int, _ source: TableSource
  ) throws(TableLoadError) {
    guard let previous, let share = source.maxShrink else { return }
    let lost = previous.entryCount - count
    if Double(lost) > Double(previous.entryCount) * share {
      throw .shrank(table: source.name, from: previous.entryCount, to: count, maxShrink: share)
    }
  }
}
