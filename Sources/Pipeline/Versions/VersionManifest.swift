internal import Events

/// What a version of a pipeline is made of, each part by the hash of its bytes.
///
/// Its form is text, one part a line, in order of kind and name; it is what the version's name is the hash of:
///
///     tocsin-version 1
///     file SHA256
///     pipeline SHA256 BYTES
///     table NAME SHA256 BYTES
///     overflow NAME SHA256 BYTES
///     variable NAME HEX
public struct VersionManifest: Sendable, Hashable {
  /// Bytes that are kept under their hash.
  public struct Blob: Sendable, Hashable {
    /// The SHA-256 in hex digits.
    public var hash: String
    /// How many bytes.
    public var count: Int

    /// What describes these bytes.
    public init(_ bytes: [UInt8]) {
      hash = SHA256.hex(bytes)
      count = bytes.count
    }

    fileprivate init?(_ hash: Substring, _ count: Substring) {
      guard hash.utf8.count == 64, HexText.bytes(hash) != nil, let number = Int(count), number >= 0,
        String(number) == count
      else { return nil }
      self.hash = String(hash)
      self.count = number
    }

    fileprivate var text: String { "\(hash) \(count)" }
  }

  /// A list.
  public struct Table: Sendable, Hashable {
    /// The list's own bytes.
    public var list: Blob
    /// The remarks' overflow file of an OFAC list.
    public var overflow: Blob?
  }

  /// The SHA-256 of the pipeline file as it was.
  public var file: String
  /// The pipeline file as it is kept.
  public var pipeline: Blob
  /// The environment's variables that it reads, as far as they are set.
  public var variables: [String: String]
  /// The lists by the name of the table.
  public var tables: [String: Table]

  private static let head = "tocsin-version 1"

  init(file: String, pipeline: Blob, variables: [String: String], tables: [String: Table]) {
    self.file = file
    self.pipeline = pipeline
    self.variables = variables
    self.tables = tables
  }

  /// The name of the version.
  public var id: VersionID { VersionID(manifest: bytes) }

  /// All blobs, each once.
  public var blobs: Set<Blob> {
    Set([pipeline] + tables.values.flatMap { [$0.list, $0.overflow].compactMap { $0 } })
  }

  /// The text form.
  public var bytes: [UInt8] {
    var lines = [Self.head, "file \(file)", "pipeline \(pipeline.text)"]
    for (name, table) in tables.sorted(by: { $0.key < $1.key }) {
      lines.append("table \(name) \(table.list.text)")
      if let overflow = table.overflow { lines.append("overflow \(name) \(overflow.text)") }
    }
    for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
      lines.append("variable \(SHA256.hexDigits(name.utf8)) \(SHA256.hexDigits(value.utf8))")
    }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  /// Reads the text form.
  ///
  /// - Throws: `VersionError.damaged` where it is not exactly what `bytes` writes.
  public init(_ bytes: [UInt8]) throws(VersionError) {
    var file: String?
    var pipeline: Blob?
    var tables: [String: Table] = [:]
    var variables: [String: String] = [:]
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    for line in lines.dropFirst() {
      let words = line.split(separator: " ")
      switch (words.first, words.count) {
      case ("file", 2): file = words[1].utf8.count == 64 ? HexText.bytes(words[1]).map { _ in String(words[1]) } : nil
      case ("pipeline", 3): pipeline = Blob(words[1], words[2])
      case ("table", 4): tables[String(words[1])] = Blob(words[2], words[3]).map { Table(list: $0, overflow: nil) }
      case ("overflow", 4): tables[String(words[1])]?.overflow = Blob(words[2], words[3])
      case ("variable", 2...3):
        guard let name = HexText.bytes(words[1]), let value = HexText.bytes(words.count > 2 ? words[2] : "") else {
          break
        }
        variables[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
      default: break
      }
    }
    guard let file, let pipeline else { throw .damaged("a manifest names no pipeline file") }
    self.init(file: file, pipeline: pipeline, variables: variables, tables: tables)
    guard self.bytes == bytes else { throw .damaged("a manifest is not of the form that this program writes") }
  }
}

/// Why a version can't be had.
public enum VersionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// It is not there.
  case missing(VersionID)
  /// Some of its bytes are not there.
  case incomplete(VersionID, missing: Int)
  /// What is there is not what it should be.
  case damaged(String)
  /// It can't be read by this program.
  case unreadable(VersionID, [String])

  /// In a line or more: what is wrong.
  public var description: String {
    switch self {
    case .missing(let id): "version \(id) is not there"
    case .incomplete(let id, let count): "of version \(id), \(count) bytes are not there"
    case .damaged(let reason): reason
    case .unreadable(let id, let reasons): "version \(id) can't be read:\n" + reasons.joined(separator: "\n")
    }
  }
}
