import Events

/// Where an entry comes from and what its list says about it: what an alert shows of a hit.
public struct EntryProvenance: Sendable, Hashable {
  /// Which entry of the list: `row 4711` (its line), the list's own `entry` column, or the uid of an OFAC entry.
  public var entry: String
  /// The list's category; the program of an OFAC entry.
  public var category: String?
  /// In the list's own scale, mostly 0 to 100.
  public var confidence: Int?
  /// Who says so.
  public var source: String?
  /// Mostly a date: `2025-02-01`.
  public var listedOn: String?
  /// Who or what is listed.
  public var entity: String?

  /// Makes a provenance; only the entry is always known.
  public init(
    entry: String, category: String? = nil, confidence: Int? = nil, source: String? = nil, listedOn: String? = nil,
    entity: String? = nil
  ) {
    self.entry = entry
    self.category = category
    self.confidence = confidence
    self.source = source
    self.listedOn = listedOn
    self.entity = entity
  }
}

/// What a list may say about an entry, and the column names by which it says so.
enum ProvenanceField: CaseIterable {
  case entry, category, confidence, source, listedOn, entity

  var names: [String] {
    switch self {
    case .entry: ["entry"]
    case .category: ["category"]
    case .confidence: ["confidence"]
    case .source: ["source"]
    case .listedOn: ["listed_on", "listedOn"]
    case .entity: ["entity"]
    }
  }
}

/// In which of a table's columns (declared or hidden) its provenance stands.
struct ProvenanceColumns {
  var places: [ProvenanceField: Int] = [:]
  /// The source of all entries, where the format itself tells it.
  var fixedSource: String?

  func provenance(row: Int, of entry: Int, in columns: [TableColumnStorage]) -> EntryProvenance {
    func text(_ field: ProvenanceField) -> String? { places[field].flatMap { Self.text(columns[$0].value(entry)) } }
    return EntryProvenance(
      entry: text(.entry) ?? "row \(row)", category: text(.category), confidence: text(.confidence).flatMap { Int($0) },
      source: text(.source) ?? fixedSource, listedOn: text(.listedOn), entity: text(.entity))
  }

  private static func text(_ value: Scalar) -> String? {
    switch value {
    case .string(let text): text.isEmpty ? nil : text
    case .int(let number): "\(number)"
    case .uint(let number): "\(number)"
    case .double(let number): number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    case .bool(let flag): "\(flag)"
    case .decimal(let units, let scale): scale == 0 ? "\(units)" : nil
    case .timestamp(let time): CalendarText.date(nanoseconds: time)
    case .null, .duration, .list: nil
    }
  }
}
