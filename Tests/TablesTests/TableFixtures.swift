import Events
import Glibc
import Testing

@testable import Tables

/// A directory of its own, removed at the end.
final class TemporaryDirectory {
  let path: String
  private var files: Set<String> = []

  init() throws {
    var template = Array("/tmp/tocsin-tables-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    for file in files { unlink(file) }
    rmdir(path)
  }

  func write(_ bytes: some Collection<UInt8>, to name: String = "list") throws -> String {
    let file = path + "/" + name
    files.insert(file)
    let stream = try #require(fopen(file, "w"))
    defer { fclose(stream) }
    let written = Array(bytes).withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, stream) }
    #expect(written == bytes.count)
    return file
  }
}

/// Loads a list that a test wrote.
func load(
  _ text: String, _ format: TableFormat, key: TableKeyKind = .string, keyColumn: String? = nil,
  columns: [TableSourceColumn] = [], else elseRow: [String: String]? = nil, kind: TableKind = .watchlist,
  limits: TableLimits = TableLimits()
) throws -> TableSnapshot {
  let directory = try TemporaryDirectory()
  return try TableLoader.load(
    TableSource(
      name: "list", path: directory.write(text.utf8), format: format, key: key, keyColumn: keyColumn, columns: columns,
      else: elseRow, kind: kind, limits: limits))
}

/// The first mistake of a list that must be refused, as `line:column: message`.
func refusal(
  _ text: String, _ format: TableFormat, key: TableKeyKind = .string, keyColumn: String? = nil,
  columns: [TableSourceColumn] = [], kind: TableKind = .watchlist, limits: TableLimits = TableLimits()
) throws -> String {
  do {
    _ = try load(text, format, key: key, keyColumn: keyColumn, columns: columns, kind: kind, limits: limits)
    return "loaded"
  } catch TableLoadError.malformed(_, let mistakes) {
    let first = try #require(mistakes.first)
    return "\(first.line):\(first.column): \(first.message)"
  } catch {
    return "\(error)"
  }
}

extension TableSnapshot {
  /// Key by key, the cells of the declared columns: to hold against a reference reader.
  var contents: [String: [Scalar]] {
    var contents: [String: [Scalar]] = [:]
    for entry in 0..<Int32(entryCount) {
      contents[key(entry: entry)] = columns.indices.map { value(entry: entry, column: $0) ?? .null }
    }
    return contents
  }
}
