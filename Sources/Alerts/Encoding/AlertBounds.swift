/// The bounds of an alert. Texts are counted in bytes as they stand in JSON, escapes included, so that together these keep
/// every alert below `body` bytes, far from a topic's usual limit of 1 MB. What is over a bound is cut or left out, and
/// `metadata.is_truncated` says that something was.
public enum AlertBounds {
  /// Bytes of a body. Nothing checks it as it is written: the other bounds imply it (tested with the largest record).
  public static let body = 256 << 10
  /// Bytes of all evidence of an alert; what is over is left out, oldest first. One item of any size allowed fits.
  public static let evidenceBytes = 72 << 10
  /// Bytes of a record's key, and of `ce_source`.
  public static let key = 1 << 10

  /// Bytes of a name: of a pipeline, rule, table, field, metric, crime, tag, version.
  public static let name = 128
  /// Bytes of a topic's name, of which Kafka allows 249.
  public static let topic = 256
  /// Bytes of a value: the subject, a field, a part of the key, a threshold, an address, an entry.
  public static let value = 512
  /// Bytes of a text within a list.
  public static let element = 128
  /// Bytes of a line: a title, a condition, a web address.
  public static let line = 512
  /// Bytes of the sentence a person reads, and of a rule's description.
  public static let prose = 2 << 10
  /// Bytes of a runbook.
  public static let runbook = 4 << 10

  /// Evidence items.
  public static let evidence = 100
  /// Fields of an evidence item.
  public static let fields = 64
  /// Hits in tables.
  public static let hits = 16
  /// Observables.
  public static let observables = 32
  /// Parts of a key.
  public static let keyParts = 16
  /// Conditions.
  public static let conditions = 16
  /// `let` values.
  public static let values = 32
  /// Tables whose version is told.
  public static let tables = 32
  /// Crimes, tags, references: so many of each.
  public static let words = 16
}
