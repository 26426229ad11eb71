/// The bytes that a list is read from.
public struct TableContent: Sendable, Hashable {
  /// An OFAC list's file with the remarks' overflow.
  public struct Overflow: Sendable, Hashable {
    /// Its bytes.
    public var bytes: [UInt8]
    /// Its name, for messages.
    public var path: String

    /// A file of remarks.
    public init(bytes: [UInt8], path: String) {
      self.bytes = bytes
      self.path = path
    }
  }

  /// The list's own bytes.
  public var bytes: [UInt8]
  /// The remarks' overflow of an OFAC list, where there is one.
  public var overflow: Overflow?

  /// A list's bytes.
  public init(bytes: [UInt8], overflow: Overflow? = nil) {
    self.bytes = bytes
    self.overflow = overflow
  }

  /// Reads a table's files.
  public init(of source: TableSource) throws(TableLoadError) {
    bytes = try Self.read(source.path, of: source)
    if let path = Self.overflowPath(of: source) {
      overflow = Overflow(bytes: try Self.read(path, of: source), path: path)
    }
  }

  /// The files that a table is read from now: the list, and its overflow where there is one.
  public static func paths(of source: TableSource) -> [String] {
    [source.path] + (overflowPath(of: source).map { [$0] } ?? [])
  }

  private static func overflowPath(of source: TableSource) -> String? {
    guard source.format == .ofacSDN else { return nil }
    let directory = source.path.lastIndex(of: "/").map { String(source.path[...$0]) } ?? ""
    let beside = ["SDN_COMMENTS.CSV", "sdn_comments.csv"].map { directory + $0 }.first { fileExists($0) }
    return source.overflowPath ?? beside
  }

  private static func read(_ path: String, of source: TableSource) throws(TableLoadError) -> [UInt8] {
    do throws(FileError) {
      return try readFile(path, limit: source.limits.bytes)
    } catch {
      switch error {
      case .unreadable(let reason): throw .unreadable(table: source.name, file: path, reason: reason)
      case .tooLarge(let reason): throw .tooLarge(table: source.name, file: path, reason: reason)
      }
    }
  }
}
