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
  /// On the heap: libyaml keeps a pointer to it in it.
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private var marks: MarkIndex
  private var places: PlaceIndex
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
    let memory = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { memory.deallocate() }
    guard yaml_parser_initialize(memory) != 0 else {
      bag.error(SourceRange(line: 1, column: 1, offset: 0, length: 1), "there is not enough memory to read the file")
      return nil
    }
    defer { yaml_parser_delete(memory) }
    var parser = YAMLParser(bytes: bytes, bag: bag, parser: memory)
    return parser.document()
  }

  private init(bytes: [UInt8], bag: DiagnosticBag, parser: UnsafeMutablePointer<yaml_parser_t>) {
    self.bytes = bytes
    self.bag = bag
    self.parser = parser
    marks = MarkIndex(bytes)
    places = PlaceIndex(bytes)
  }

  /// Where the first byte stands that is no part of a UTF-8 character.
  private static func firstInvalid(_ bytes: [UInt8]) -> Int? {
    var iterator = bytes.makeIterator()
    var decoder = Unicode.UTF8.ForwardParser()
    var offset = 0
    while true {
      switch decoder.parseScalar(from: &iterator) {
      case .valid(let scalar): offset += scalar.count
      case .error: return offset
      case .emptyInput: return nil
      }
    }
  }

  private mutating func document() -> YAMLNode? {
    let bytes = bytes
    let root = bytes.withUnsafeBufferPointer { buffer -> YAMLNode? in
      guard let start = buffer.baseAddress else { return nil }
      yaml_parser_set_input_string(parser, start, buffer.count)
      yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
      return firstDocument()
    }
    if root == nil, !isStopped {
      bag.error(SourceRange(line: 1, column: 1, offset: 0, length: 1), "the file is empty")
    }
    return isStopped ? nil : root
  }

  private mutating func firstDocument() -> YAMLNode? {
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
    return root
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
    guard yaml_parser_parse(parser, &raw) != 0 else {
      isStopped = true
      tellSyntaxError()
      return nil
    }
    defer { yaml_event_delete(&raw) }
    var event = Event(kind: raw.type, range: range(raw.start_mark, raw.end_mark))
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

  /// What lies between two marks, as far as it is on the first one's line.
  private mutating func range(_ start: yaml_mark_t, _ end: yaml_mark_t) -> SourceRange {
    let offset = marks.offset(line: Int(start.line), column: Int(start.column))
    let length = start.line == end.line ? marks.offset(line: Int(end.line), column: Int(end.column)) - offset : 1
    return places.range(offset: offset, length: max(1, length))
  }

  private mutating func tellSyntaxError() {
    let problem = Self.string(parser.pointee.problem) ?? "this can't be read"
    let context = Self.string(parser.pointee.context).map { " (\($0))" } ?? ""
    let offset: Int
    if parser.pointee.error == YAML_READER_ERROR {
      // Characters that YAML does not allow: libyaml counts bytes here.
      offset = Int(parser.pointee.problem_offset)
    } else {
      let mark = parser.pointee.problem_mark
      offset = marks.offset(line: Int(mark.line), column: Int(mark.column))
    }
    let isTab = offset < bytes.count && bytes[offset] == UInt8(ascii: "\t")
    bag.error(
      places.range(offset: offset, length: 1), "not YAML: \(problem)\(context)",
      hint: Self.syntaxHint(problem, isTab: isTab))
  }

  private static func syntaxHint(_ problem: String, isTab: Bool) -> String? {
    if isTab || problem.contains("tab") { return "indent with spaces, not with tabs" }
    guard problem.contains("expected ',' or") else { return nil }
    return "within { } and [ ], put texts with brackets, braces, commas or quotes in quotes"
  }

  private static func string(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }

  private mutating func node(_ event: Event, depth: Int) -> YAMLNode? {
    nodeCount += 1
    guard depth < Self.depthLimit else { return stop(event, "more than \(Self.depthLimit) levels within each other") }
    guard nodeCount <= Self.nodeLimit else { return stop(event, "more than \(Self.nodeLimit) keys and values") }
    refuseTricks(event)
    switch event.kind {
    case YAML_SCALAR_EVENT:
      let isRefused = event.tag != nil || event.anchor != nil
      return .scalar(
        YAMLNode.Scalar(text: event.text, style: event.style, range: event.range, isRefused: isRefused))
    case YAML_SEQUENCE_START_EVENT: return sequence(event, depth)
    case YAML_MAPPING_START_EVENT: return mapping(event, depth)
    case YAML_ALIAS_EVENT:
      bag.error(event.range, "`*` makes this a YAML alias", hint: "put the text in quotes")
      return .scalar(YAMLNode.Scalar(text: "", style: .quoted, range: event.range, isRefused: true))
    default: return nil
    }
  }

  private mutating func stop(_ event: Event, _ message: String) -> YAMLNode? {
    bag.error(event.range, message)
    isStopped = true
    return nil
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
