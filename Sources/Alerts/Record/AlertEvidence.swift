public import Events

extension AlertRecord {
  /// A record of the input that shows what happened.
  public struct Evidence: Sendable, Hashable {
    /// Where the record stands.
    public var place: RecordPlace
    /// The event's time, in nanoseconds since 1970.
    public var eventTime: Int64
    /// The SHA-256 of the record's value in lower-case hex digits.
    public var sha256: String
    /// The fields that are shown; may be empty.
    public var fields: [Field]

    /// A record as evidence.
    public init(place: RecordPlace, eventTime: Int64, sha256: String, fields: [Field] = []) {
      self.place = place
      self.eventTime = eventTime
      self.sha256 = sha256
      self.fields = fields
    }
  }

  /// A field of an event.
  public struct Field: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Its value; `.null` is left out of the alert.
    public var value: Scalar
    /// Its declared type; addresses of either kind become observables.
    public var type: FieldType
    /// The kind of thing that it names; such a field becomes an observable.
    public var entity: String?

    /// A field.
    public init(name: String, value: Scalar, type: FieldType, entity: String? = nil) {
      self.name = name
      self.value = value
      self.type = type
      self.entity = entity
    }
  }

  /// An entry of a table that an expression of the rule found.
  public struct TableHit: Sendable, Hashable {
    /// What a table is for.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      /// What is on it is suspect.
      case watchlist
      /// What is on it is known and good.
      case allowlist
      /// It says more about a key.
      case reference
    }

    /// The field whose value was looked up; nil where the key was computed.
    public var field: String?
    /// The key that was found.
    public var key: String
    /// The table's name in the pipeline file.
    public var table: String
    /// What the table is for.
    public var kind: Kind
    /// The table's version.
    public var version: String
    /// Which entry of the list: `row 4711`, or an id of the list's own.
    public var entry: String
    /// The list's category.
    public var category: String?
    /// In the list's own scale, mostly 0 to 100.
    public var confidence: Int?
    /// Who says so; a web address stands as such in the alert.
    public var source: String?
    /// Mostly a date: `2025-02-01`.
    public var listedOn: String?
    /// Who or what is listed.
    public var entity: String?
    /// The asset that the entry is about, such as `BTC`.
    public var asset: String?

    /// A hit.
    public init(
      field: String? = nil, key: String, table: String, kind: Kind, version: String, entry: String,
      category: String? = nil, confidence: Int? = nil, source: String? = nil, listedOn: String? = nil,
      entity: String? = nil, asset: String? = nil
    ) {
      self.field = field
      self.key = key
      self.table = table
      self.kind = kind
      self.version = version
      self.entry = entry
      self.category = category
      self.confidence = confidence
      self.source = source
      self.listedOn = listedOn
      self.entity = entity
      self.asset = asset
    }
  }
}
