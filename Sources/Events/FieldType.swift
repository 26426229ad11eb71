/// The declared type of a field, as an operator writes it in a pipeline file.
public enum FieldType: Hashable, Sendable {
  case string
  case int
  case double
  case bool
  /// Exact money: a 128-bit integer that counts units of 10^-scale.
  case decimal(scale: Int)
  case timestamp(TimestampUnit)
  /// A crypto-asset address, normalised per address family when decoded (see `AddressNormaliser`).
  case address
  /// An IPv4 or IPv6 address, held as its canonical text (RFC 5952).
  case ip
  indirect case list(FieldType)

  /// How values of this type lie in a column.
  public var columnType: ColumnType {
    switch self {
    case .string, .address, .ip: .string
    case .int: .int
    case .double: .double
    case .bool: .bool
    case .decimal(let scale): .decimal(scale: scale)
    case .timestamp: .timestamp
    case .list(let element): .list(element.columnType)
    }
  }
}

/// How a timestamp stands in the event.
public enum TimestampUnit: String, Hashable, Sendable, CaseIterable {
  case seconds = "timestamp_s"
  case milliseconds = "timestamp_ms"
  case microseconds = "timestamp_us"
  case nanoseconds = "timestamp_ns"
  case rfc3339 = "timestamp_rfc3339"
}

/// How the values of a column lie in memory.
public enum ColumnType: Hashable, Sendable {
  /// `Int64`
  case int
  /// `UInt64`
  case uint
  /// `Double`
  case double
  /// `Bool`
  case bool
  /// `Int128` units of 10^-scale
  case decimal(scale: Int)
  /// `Int64` nanoseconds since 1970-01-01T00:00:00Z (so 1677 to 2262: a field outside that range is out of range)
  case timestamp
  /// `Int64` nanoseconds
  case duration
  /// `BytesView` of valid UTF-8
  case string
  /// `BytesView`
  case bytes
  /// `ListView` over elements of the given type, none of them null
  indirect case list(ColumnType)
}
