internal import Configuration
internal import Tables

/// The settings of a table.
enum TableSectionDeclaration {
  static let table = SectionDeclaration(
    "table", "A keyed list that expressions ask: `x in NAME`, `NAME[x].column`; see `docs/tables.md`.",
    [
      SettingDeclaration("load", .section(load), "Where it comes from", isRequired: true),
      SettingDeclaration(
        "key", .custom(shape: "`address` or `string`, or `{type: address, at: COLUMN}`"),
        "What it is keyed by, and where the key stands: a header of a csv (default: the first), a JSON Pointer of an "
          + "ndjson (default: `/address` or `/key`)", isRequired: true, example: "address"),
      SettingDeclaration(
        "columns", .custom(shape: "NAME: type, or NAME: `{type: TYPE, at: PLACE}`"),
        "What expressions may read. A field's type, but no list; `timestamp` is a date or an RFC 3339 time. `at` is a "
          + "header or a JSON Pointer, where it is not the name", example: "{ usd: double }"),
      SettingDeclaration(
        "else", .custom(shape: "NAME: value"), "The row that an absent key reads as; without it, it is an error value",
        example: "{ usd: 0 }"),
      SettingDeclaration(
        "kind", .choice(TableKind.allCases.map(\.rawValue)), "What it is for", default: TableKind.watchlist.rawValue),
      .later("valid_from", "A look-up as of the event's time"),
    ])

  static let load = SectionDeclaration(
    "load",
    "Where a table comes from. The files are watched: one that changes is taken up within seconds, without a restart (see "
      + "\"Changing a running pipeline\" in `docs/operations.md`), so there is no interval to set, and `every` is refused.",
    [
      SettingDeclaration(
        "file", .text, "The file; must be given. A relative path starts from the pipeline file's directory",
        example: "lists/sdn.csv"),
      SettingDeclaration(
        "format", .choice(TableFormat.allCases.map(\.rawValue)), "How it is written; must be given", example: "csv"),
      SettingDeclaration(
        "max_shrink", .custom(shape: "share, `10%` or `0.1`"),
        "How many of its entries a new version may lose; one that loses more is refused", example: "10%"),
      SettingDeclaration(
        "overflow", .text, "`ofac-sdn`: the file where long remarks go on",
        default: "SDN_COMMENTS.CSV beside the list, where there is one"),
      SettingDeclaration("delimiter", .text, "`csv`: what stands between two cells; `tab` for a tab", default: ","),
      .later("every", "How often it is loaded again"),
      .later("http", "A list from a web server"),
      .later("postgres", "A list from a database"),
      .later("kafka", "A list from a compacted topic"),
    ])

  /// `key` in its long form.
  static let key = SectionDeclaration(
    "key", "What a table is keyed by.",
    [
      SettingDeclaration("type", .text, "`address` or `string`", isRequired: true, example: "address"),
      SettingDeclaration("at", .text, "Where it stands"),
    ])

  /// A column in its long form.
  static let column = SectionDeclaration(
    "column", "A column of a table.",
    [
      SettingDeclaration("type", .text, "Its type", isRequired: true, example: "string"),
      SettingDeclaration("at", .text, "Where it stands"),
    ])
}
