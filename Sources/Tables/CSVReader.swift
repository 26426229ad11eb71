/// Reads CSV records as RFC 4180 has them: quoted cells with doubled quotes, delimiters and line ends inside; LF or CRLF.
struct CSVReader {
  /// A cell of the record just read.
  struct Cell {
    /// The cell's bytes, unquoted, in `text`.
    var range: Range<Int>
    var position: Position
    /// An empty cell without quotes is "no value"; with quotes it is an empty text.
    var isQuoted: Bool
  }

  struct Failure: Error {
    var position: Position
    var message: String
    /// Nothing after this can be told apart (a quote that never ends).
    var isFatal = false
  }

  /// Cells in one record; more is a mistake.
  static let cellLimit = 4096

  private let bytes: [UInt8]
  private let delimiter: UInt8
  private let recordLimit: Int
  private var next: Int
  private var line = 1
  private var lineStart = 0
  private(set) var cells: [Cell] = []
  /// The record's unquoted bytes, cell after cell.
  private(set) var text: [UInt8] = []
  /// The line on which the record began.
  private(set) var recordLine = 1

  init(_ bytes: [UInt8], delimiter: UInt8, recordLimit: Int) {
    self.bytes = bytes
    self.delimiter = delimiter
    self.recordLimit = recordLimit
    next = byteOrderMarkCount(bytes)
  }

  func bytes(of cell: Cell) -> ArraySlice<UInt8> { text[cell.range] }

  /// Reads the next record into `cells`; false at the end. Empty lines are skipped. After a failure that is not fatal,
  /// the next call goes on with the next line.
  mutating func nextRecord() throws(Failure) -> Bool {
    skipEmptyLines()
    guard next < bytes.count else { return false }
    cells.removeAll(keepingCapacity: true)
    text.removeAll(keepingCapacity: true)
    recordLine = line
    do {
      while try readCell() {}
    } catch {
      if error.isFatal { next = bytes.count } else { skipLine() }
      throw error
    }
    return true
  }

  private var position: Position { Position(line: line, column: next - lineStart + 1) }

  /// Reads one cell and what ends it; false where it was the record's last.
  private mutating func readCell() throws(Failure) -> Bool {
    let start = position
    let textStart = text.count
    if cells.count == Self.cellLimit {
      throw Failure(
        position: start, message: "the record has more than \(Self.cellLimit) cells: is the delimiter right?")
    }
    let isQuoted = next < bytes.count && bytes[next] == UInt8(ascii: "\"")
    if isQuoted { try readQuoted(start) } else { try readBare(start) }
    cells.append(Cell(range: textStart..<text.count, position: start, isQuoted: isQuoted))
    if next == bytes.count { return false }
    if bytes[next] == delimiter {
      next += 1
      return true
    }
    if takeLineEnd() { return false }
    throw Failure(
      position: position,
      message: "after a closing quote comes the delimiter or the line's end: double a quote that belongs to the text")
  }

  private mutating func readBare(_ start: Position) throws(Failure) {
    while next < bytes.count {
      let byte = bytes[next]
      if byte == delimiter || isLineEnd(next) { return }
      if byte == UInt8(ascii: "\"") {
        throw Failure(
          position: position, message: "a quote inside a cell without quotes: quote the whole cell and double the quote"
        )
      }
      if byte == UInt8(ascii: "\r") {
        throw Failure(position: position, message: "a carriage return without a line feed: end lines with LF or CRLF")
      }
      try take(byte, start)
    }
  }

  private mutating func readQuoted(_ start: Position) throws(Failure) {
    next += 1
    while next < bytes.count {
      let byte = bytes[next]
      if byte == UInt8(ascii: "\"") {
        let isDoubled = next + 1 < bytes.count && bytes[next + 1] == byte
        if !isDoubled {
          next += 1
          return
        }
        next += 1
      }
      try take(byte, start)
      if byte == UInt8(ascii: "\n") {
        line += 1
        lineStart = next
      }
    }
    throw Failure(position: start, message: "the quote that opens here is never closed", isFatal: true)
  }

  private mutating func take(_ byte: UInt8, _ start: Position) throws(Failure) {
    if text.count == recordLimit {
      throw Failure(
        position: start,
        message:
          "the record has more than \(recordLimit) bytes, the limit of a line: is a quote left open before here?",
        isFatal: true)
    }
    text.append(byte)
    next += 1
  }

  private func isLineEnd(_ index: Int) -> Bool {
    bytes[index] == UInt8(ascii: "\n")
      || bytes[index] == UInt8(ascii: "\r") && index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n")
  }

  private mutating func takeLineEnd() -> Bool {
    guard next < bytes.count, isLineEnd(next) else { return false }
    next += bytes[next] == UInt8(ascii: "\r") ? 2 : 1
    line += 1
    lineStart = next
    return true
  }

  private mutating func skipEmptyLines() {
    while takeLineEnd() {}
  }

  private mutating func skipLine() {
    while next < bytes.count && bytes[next] != UInt8(ascii: "\n") { next += 1 }
    _ = takeLineEnd()
  }
}
