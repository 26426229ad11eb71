public import Events

extension TableSource {
  /// What is wrong with the declaration itself, told without a look at the file; empty where nothing is.
  public var problems: [String] { TableDeclaration(self).messages }
}

extension TableFormat {
  /// The columns that a list of this format has; nil where the list itself says.
  public var columnNames: [String]? { self == .ofacSDN ? OFACFormat.Field.allCases.map(\.rawValue) : nil }
}

/// A value as text, in a list or in a pipeline file.
public enum CellText {
  /// Why a text is no value of a type: what was found and what was expected.
  public struct Problem: Error, Hashable, Sendable {
    /// A sentence without its end.
    public var message: String
  }

  /// The value of any type but a list that a text stands for: `12.50` for `decimal(2)`, a date or an RFC 3339 time for
  /// `timestamp_rfc3339`.
  public static func scalar(_ text: String, as type: FieldType) throws(Problem) -> Scalar {
    switch CellParser.parse(text, as: type) {
    case .success(let value): return value
    case .failure(let failure): throw Problem(message: failure.message)
    }
  }
}
