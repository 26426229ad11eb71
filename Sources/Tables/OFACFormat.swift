import Events

/// OFAC's Specially Designated Nationals as SDN.CSV: no header, 12 cells a record, `-0-` for null. Crypto addresses stand
/// in the remarks, and remarks beyond 1000 characters go on in SDN_COMMENTS.CSV, in the middle of a word if need be.
enum OFACFormat {
  /// What expressions may read of an entry.
  enum Field: String, CaseIterable {
    case entity, program, asset, uid, type
  }

  private static let cellCount = 12
  private static let remarksLimit = 1000
  private static let addressMark = "Digital Currency Address - "

  /// Reads the list; `overflow` is the content of SDN_COMMENTS.CSV and its path.
  static func read(_ bytes: [UInt8], overflow: (bytes: [UInt8], path: String)?, into builder: inout TableBuilder) {
    let comments = overflow.map { Overflow(content($0.bytes), path: $0.path, &builder) }
    if builder.hasMistakes { return }
    let fields = builder.source.columns.map { Field(rawValue: $0.at ?? $0.name) }
    let hidden: [(ProvenanceField, Field)] = [(.entry, .uid), (.category, .program), (.entity, .entity)]
    for (field, _) in hidden { builder.addHidden(field) }
    builder.setSource("OFAC SDN")
    let origins = fields.compactMap { $0 } + hidden.map(\.1)
    var cutCount = 0
    var reader = CSVReader(content(bytes), delimiter: UInt8(ascii: ","), recordLimit: builder.source.limits.lineLength)
    while !builder.isDone {
      do throws(CSVReader.Failure) {
        guard try reader.nextRecord() else { break }
        readRecord(reader, comments, origins, &cutCount, into: &builder)
      } catch {
        builder.mistake(error.position, error.message)
      }
    }
    if cutCount > 0 {
      builder.warn(
        "the remarks of \(cutCount) entries with crypto addresses are cut at \(remarksLimit) characters and go on in "
          + "SDN_COMMENTS.CSV: put that file beside \(builder.source.path), or addresses are missing")
    }
  }

  /// The file without the end-of-file byte of DOS that OFAC's files end with.
  private static func content(_ bytes: [UInt8]) -> [UInt8] {
    bytes.last == 0x1A ? Array(bytes.dropLast()) : bytes
  }

  private static func readRecord(
    _ reader: CSVReader, _ comments: Overflow?, _ origins: [Field], _ cutCount: inout Int,
    into builder: inout TableBuilder
  ) {
    let line = Position(line: reader.recordLine, column: 1)
    guard reader.cells.count == cellCount else {
      builder.mistake(
        line, "the record has \(reader.cells.count) cells, SDN.CSV has \(cellCount): is this the right file?")
      return
    }
    let texts = reader.cells.map { Self.text(reader.bytes(of: $0)) }
    guard let uid = texts[0], Int(uid) != nil else {
      builder.mistake(line, "the record begins with \(quoted((texts[0] ?? "-0-").utf8)), not with the entry's number")
      return
    }
    // The end of the remarks is not trimmed: the overflow goes on exactly there.
    let remarks = String(decoding: reader.bytes(of: reader.cells[11]), as: UTF8.self) + (comments?.text[uid] ?? "")
    let found = addresses(in: remarks)
    if found.isCut { cutCount += 1 }
    for (asset, address) in found.addresses {
      var cells: [Scalar] = []
      for (index, field) in origins.enumerated() {
        let text = value(field, uid: uid, asset: asset, texts: texts)
        switch text.map({ CellParser.parse($0, as: builder.columns[index].type) }) ?? .success(.null) {
        case .success(let value): cells.append(value)
        case .failure(let failure):
          builder.mistake(line, "column `\(builder.columns[index].name)`: \(failure.message)")
          return
        }
      }
      builder.add(
        key: Array(address.utf8)[...], at: reader.cells[11].position, row: reader.recordLine, cells: cells)
    }
  }

  private static func value(_ field: Field, uid: String, asset: String, texts: [String?]) -> String? {
    switch field {
    case .entity: texts[1]
    case .type: texts[2]
    case .program: texts[3]?.split(separator: "] [").joined(separator: ", ")
    case .uid: uid
    case .asset: asset
    }
  }

  /// A cell's text, blanks at its ends removed; nil for `-0-`.
  private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
    let text = String(decoding: trimmed(bytes), as: UTF8.self)
    return text == "-0-" || text.isEmpty ? nil : text
  }

  /// The ticker and address of each `Digital Currency Address - XBT 12Qt...;`, as written. Remarks that are whole end
  /// with a full stop; of those that are cut, the last item may be half an address and is left out.
  static func addresses(in remarks: String) -> (addresses: [(asset: String, address: String)], isCut: Bool) {
    guard remarks.contains("Digital Currency") else { return ([], false) }
    let isCut = remarks.utf8.count >= remarksLimit && remarks.utf8.last != UInt8(ascii: ".")
    var addresses: [(asset: String, address: String)] = []
    var items = remarks.split(separator: ";", omittingEmptySubsequences: false)
    if isCut { items.removeLast() }
    for (index, item) in items.enumerated() {
      guard let mark = item.range(of: addressMark) else { continue }
      let words = item[mark.upperBound...].split(separator: " ")
      guard words.count >= 2 else { continue }
      var address = words[1]
      if index == items.count - 1 && address.last == "." { address.removeLast() }
      addresses.append((String(words[0]), String(address)))
    }
    return (addresses, isCut)
  }

  /// SDN_COMMENTS.CSV: an entry's number and what its remarks go on with; several records of an entry follow each other.
  private struct Overflow {
    var text: [String: String] = [:]

    init(_ bytes: [UInt8], path: String, _ builder: inout TableBuilder) {
      var reader = CSVReader(bytes, delimiter: UInt8(ascii: ","), recordLimit: builder.source.limits.lineLength)
      do throws(CSVReader.Failure) {
        while try reader.nextRecord() {
          guard reader.cells.count == 2, let uid = OFACFormat.text(reader.bytes(of: reader.cells[0])), Int(uid) != nil
          else {
            builder.mistake(
              Position(line: reader.recordLine, column: 1),
              "a record of \(path) is an entry's number and its remarks; this one is not", file: path)
            return
          }
          text[uid, default: ""] += String(decoding: reader.bytes(of: reader.cells[1]), as: UTF8.self)
        }
      } catch {
        builder.mistake(error.position, error.message, file: path)
      }
    }
  }
}

extension Substring {
  /// Where `part` stands first; nil where it does not.
  fileprivate func range(of part: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
      start = index(after: start)
    }
    return nil
  }
}
