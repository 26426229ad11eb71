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
    try check(source)
    return try read(try TableContent(of: source), as: source, previous: previous, seed: seed)
  }

  /// Makes a snapshot of bytes that were read before, from wherever.
  public static func load(
    _ source: TableSource, content: TableContent, previous: TableSnapshot? = nil
  ) throws(TableLoadError) -> TableSnapshot {
    try check(source)
    return try read(content, as: source, previous: previous, seed: .random())
  }

  private static func check(_ source: TableSource) throws(TableLoadError) {
    let messages = TableDeclaration(source).messages
    if !messages.isEmpty { throw .declaration(table: source.name, messages: messages) }
  }

  private static func read(
    _ content: TableContent, as source: TableSource, previous: TableSnapshot?, seed: HashSeed
  ) throws(TableLoadError) -> TableSnapshot {
    var builder = TableBuilder(source: source, seed: seed)
    switch source.format {
    case .text: TextFormat.read(content.bytes, into: &builder)
    case .csv: CSVFormat.read(content.bytes, into: &builder)
    case .ndjson: NDJSONFormat.read(content.bytes, into: &builder)
    case .ofacSDN:
      OFACFormat.read(content.bytes, overflow: content.overflow.map { ($0.bytes, $0.path) }, into: &builder)
    }
    if let excess = builder.excess { throw .tooLarge(table: source.name, file: source.path, reason: excess) }
    if builder.hasMistakes { throw .malformed(table: source.name, mistakes: builder.mistakes.listed) }
    try checkShrinking(from: previous, to: builder.rows.count, source)
    let version = contentVersion([content.bytes] + (content.overflow.map { [$0.bytes] } ?? []))
    if builder.rows.isEmpty { builder.warn("\(source.path) has no entries: nothing is in this table") }
    return TableSnapshot(builder, elseRow: TableDeclaration(source).elseRow, version: version)
  }

  /// Holds `maxShrink` against the version that was in force before; nil: there was none.
  ///
  /// - Parameter count: the entries of the new version.
  public static func checkShrinking(
    from previous: TableSnapshot?, to count: Int, _ source: TableSource
  ) throws(TableLoadError) {
    guard let previous, let share = source.maxShrink else { return }
    let lost = previous.entryCount - count
    if Double(lost) > Double(previous.entryCount) * share {
      throw .shrank(table: source.name, from: previous.entryCount, to: count, maxShrink: share)
    }
  }
}
