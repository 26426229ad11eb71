/// One key a line. Blank lines are skipped; `#` at a line's start or after a blank begins a comment.
enum TextFormat {
  static func read(_ bytes: [UInt8], into builder: inout TableBuilder) {
    var reader = LineReader(bytes)
    while let line = reader.nextLine() {
      if builder.isDone { return }
      if line.bytes.count > builder.source.limits.lineLength {
        builder.mistake(
          line.position(line.bytes.startIndex),
          "the line has \(line.bytes.count) bytes, more than the limit of \(builder.source.limits.lineLength): "
            + "a text list has one key a line")
        continue
      }
      let key = trimmed(withoutComment(line.bytes))
      if key.isEmpty { continue }
      builder.add(key: key, at: line.position(key.startIndex), row: line.number, cells: [])
    }
  }

  private static func withoutComment(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var previous = UInt8(ascii: " ")
    for index in line.indices {
      let byte = line[index]
      if byte == UInt8(ascii: "#") && isBlank(previous) { return line[..<index] }
      previous = byte
    }
    return line
  }
}
