internal import CYAML

/// Reads a YAML file through libyaml's events into a tree with positions. What YAML does behind the reader's back is
/// refused: tags, anchors, aliases, merge keys, several documents, keys that stand twice.
public struct YAMLParser {
  /// Bytes.
  public static let fileLimit = 4 << 20
  /// Most levels of sections and lists within each other.
  public static let depthLimit = 64
  /// Most keys, values, sections and lists of one file.
  public static let nodeLimit = 200_000

  private let bytes: [UInt8]
  private let bag: DiagnosticBag
  private var parser = yaml_parser_t()
  private let lineIndex: LineIndex
  private var nodeCount = 0
  private var isStopped = false

  /// The tree of a file, or nil where it has none; mistakes go to `bag`.
  public static func parse(_ bytes: [UInt8], bag: DiagnosticBag) -> YAMLNode? {
    guard bytes.count <= fileLimit else {
      bag.error(SourceRange(line: 1, column: 1, offset: 0, length: 1), "the file is larger than \(fileLimit >> 20) MiB")
      return nil
    }
    if let bad = firstInvalid(bytes) {
      bag.error(SourceText(bytes).range(offset: bad, length: 1), "the file is not valid UTF-8 here")
      return nil
    }
    var parser = YAMLParser(bytes: bytes, bag: bag)
    return parser.document()
  }

  private init(bytes: [UInt8], bag: DiagnosticBag) {
    self.bytes = bytes
    self.bag = bag
    lineIndex = LineIndex(bytes)
  }

  private static func firstInvalid(_ bytes: [UInt8]) -> Int? {
    guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
    var low = 0
    var high = bytes.count
    // The longest valid beginning; a character cut in the middle counts as invalid where it begins.
    while low < high {
      let middle = (low + high + 1) / 2
      let repaired = String(decoding: bytes[..<middle], as: UTF8.self).utf8.count
      let isValid = repaired == middle || (middle < bytes.count && isCut(bytes, middle))
      if isValid { low = middle } else { high = middle - 1 }
    }
    return low
  }

  private static func isCut(_ bytes: [UInt8], _ end: Int) -> Bool {
    (1...3).contains { end - $0 >= 0 && String(validating: bytes[..<(end - $0)], as: UTF8.self) != nil }
      && bytes[end] & 0xC0 == 0x80
  }

  private mutating func document() -> YAMLNode? {
    yaml_parser_initialize(&parser)
    defer { yaml_parser_delete(&parser) }
    return bytes.withUnsafeBufferPointer { buffer in
      yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
      yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
      var root: YAMLNode?
      var documents = 0
      while let event = next() {
        switch event.kind {
        case YAML_STREAM_END_EVENT: return root
        case YAML_DOCUMENT_START_EVENT:
          documents += 1
          if documents > 1 {
            bag.error(
              event.range, "a second document begins here", hint: "a pipeline is one document: take the `---` out")
            return root
          }
        case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
        default: root = node(event, depth: 0)
        }
      }
      return isStopped ? nil : root
    }
  }

  private struct Event {
    var kind: yaml_event_type_t
    var range: SourceRange
    var text = ""
    var style = YAMLNode.Scalar.Style.plain
    var tag: String?
    var anchor: String?
  }

  /// The next event; nil at the end, and after a syntax error, which is told.
  private mutating func next() -> Event? {
    guard !isStopped else { return nil }
    var raw = yaml_event_t()
    guard yaml_parser_parse(&parser, &raw) != 0 else {
      isStopped = true
      tellSyntaxError()
      return nil
    }
    defer { yaml_event_delete(&raw) }
    let start = raw.start_mark
    let isOneLine = raw.start_mark.line == raw.end_mark.line
    let length = isOneLine ? byteOffset(raw.end_mark) - byteOffset(start) : 1
    var event = Event(kind: raw.type, range: range(start, length: max(1, length)))
    switch raw.type {
    case YAML_SCALAR_EVENT:
      let scalar = raw.data.scalar
      event.text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      event.style = Self.style(scalar.style)
      event.tag = Self.string(scalar.tag)
      event.anchor = Self.string(scalar.anchor)
    case YAML_SEQUENCE_START_EVENT:
      event.tag = Self.string(raw.data.sequence_start.tag)
      event.anchor = Self.string(raw.data.sequence_start.anchor)
    case YAML_MAPPING_START_EVENT:
      event.tag = Self.string(raw.data.mapping_start.tag)
      event.anchor = Self.string(raw.data.mapping_start.anchor)
    default: break
    }
    return event
  }

  private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? { text.map { String(cString: $0) } }

  private static func style(_ style: yaml_scalar_style_t) -> YAMLNode.Scalar.Style {
    switch style {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE, YAML_DOUBLE_QUOTED_SCALAR_STYLE: .quoted
    case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
    default: .plain
    }
  }

  /// libyaml counts characters; a range counts bytes.
  private func byteOffset(_ mark: yaml_mark_t) -> Int {
    lineIndex.offset(line: Int(mark.line), column: Int(mark.column))
  }

  private func range(_ mark: yaml_mark_t, length: Int) -> SourceRange {
    SourceRange(line: Int(mark.line) + 1, column: Int(mark.column) + 1, offset: byteOffset(mark), length: length)
  }

  private mutating func tellSyntaxError() {
    let problem = Self.string(parser.problem) ?? "this can't be read"
    let context = Self.string(parser.context).map { " (\($0))" } ?? ""
    bag.error(
      range(parser.problem_mark, length: 1), "not YAML: \(problem)\(context)",
      hint: problem.contains("tab") || isTab(parser.problem_mark) ? "indent with spaces, not with tabs" : nil)
  }

  private func isTab(_ mark: yaml_mark_t) -> Bool {
    let offset = byteOffset(mark)
    return offset < bytes.count && bytes[offset] == UInt8(ascii: "\t")
  }

  private static func string(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }

  private mutating func node(_ event: Event, depth: Int) -> YAMLNode? {
    nodeCount += 1
    guard depth < Self.depthLimit, nodeCount < Self.nodeLimit else {
      bag.error(event.range, "more than \(Self.depthLimit) levels or \(Self.nodeLimit) values")
      isStopped = true
      return nil
    }
    refuseTricks(event)
    switch event.kind {
    case YAML_SCALAR_EVENT: return .scalar(YAMLNode.Scalar(text: event.text, style: event.style, range: event.range))
    case YAML_SEQUENCE_START_EVENT: return sequence(event, depth)
    case YAML_MAPPING_START_EVENT: return mapping(event, depth)
    case YAML_ALIAS_EVENT:
      bag.error(event.range, "`*` makes this a YAML alias", hint: "put the text in quotes")
      return .scalar(YAMLNode.Scalar(text: "", style: .quoted, range: event.range))
    default: return nil
    }
  }

  private func refuseTricks(_ event: Event) {
    if let tag = event.tag {
      bag.error(
        event.range, "`\(tag)` is a YAML tag here, so the text after `!` is lost",
        hint: "put the whole text in quotes: \"!(...)\"")
    }
    if let anchor = event.anchor {
      bag.error(event.range, "`&\(anchor)` is a YAML anchor here", hint: "put the text in quotes")
    }
  }

  private mutating func sequence(_ start: Event, _ depth: Int) -> YAMLNode? {
    var elements: [YAMLNode] = []
    while let event = next(), event.kind != YAML_SEQUENCE_END_EVENT {
      guard let element = node(event, depth: depth + 1) else { break }
      elements.append(element)
    }
    return isStopped ? nil : .sequence(YAMLNode.Sequence(elements: elements, range: start.range))
  }

  private mutating func mapping(_ start: Event, _ depth: Int) -> YAMLNode? {
    var entries: [(key: YAMLNode.Scalar, value: YAMLNode)] = []
    var seen: [String: Int] = [:]
    while let event = next(), event.kind != YAML_MAPPING_END_EVENT {
      guard let keyNode = node(event, depth: depth + 1), let valueEvent = next(),
        let value = node(valueEvent, depth: depth + 1)
      else { break }
      guard case .scalar(let key) = keyNode else {
        bag.error(keyNode.range, "a key is a word, not \(keyNode.kindName)")
        continue
      }
      if key.text == "<<", key.style == .plain {
        bag.error(key.range, "merge keys (`<<`) are not supported", hint: "write the keys out")
      } else if let line = seen[key.text] {
        bag.error(key.range, "`\(key.text)` stands twice; the first time on line \(line)")
      } else {
        seen[key.text] = key.range.line
        entries.append((key, value))
      }
    }
    return isStopped ? nil : .mapping(YAMLNode.Mapping(entries: entries, range: start.range))
  }
}

/// Where the lines of a text begin, to find bytes by line and character.
struct LineIndex {
  private let bytes: [UInt8]
  private let starts: [Int]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var starts = [0]
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(index + 1) }
    self.starts = starts
  }

  /// - Parameters: both from 0; the column in characters.
  func offset(line: Int, column: Int) -> Int {
    var index = line < starts.count ? starts[line] : bytes.count
    var characters = 0
    while characters < column, index < bytes.count {
      index += 1
      while index < bytes.count, bytes[index] & 0xC0 == 0x80 { index += 1 }
      characters += 1
    }
    return index
  }
}
