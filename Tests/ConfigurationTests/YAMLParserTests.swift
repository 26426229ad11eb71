import Testing

@testable import Configuration

@Suite struct YAMLParserTests {
  @Test(arguments: [
    ("a: 1\nb: [x, 'y', {z: w}]\n", "{a: 1, b: [x, \"y\", {z: w}]}"),
    ("a:\n  - 1\n  - b: 2\n    c: 3\n", "{a: [1, {b: 2, c: 3}]}"),
    ("a: NO\nb: 0742\nc: 0x7F\nd: 1e3\ne: ~\nf:\n", "{a: NO, b: 0742, c: 0x7F, d: 1e3, e: ~, f: }"),
    ("a: 'it''s'\nb: \"q\\\"\\n\\u00e9\"\n", "{a: \"it's\", b: \"q\"\n\u{e9}\"}"),
    ("a: |\n  one\n    two\nb: >-\n  one\n  two\n", "{a: \"one\n  two\n\", b: \"one two\"}"),
    ("a: plain text # a comment\n", "{a: plain text}"), ("a: one\n  two\n", "{a: one two}"),
    ("---\na: 1\n...\n", "{a: 1}"), ("just text", "just text"), ("- 1\n- 2", "[1, 2]"),
    ("\u{feff}a: 1\n", "{a: 1}"), ("a: 1\r\nb: 2\r\n", "{a: 1, b: 2}"), ("? a\n: 1\n", "{a: 1}"),
    ("{}", "{}"), ("a: []", "{a: []}"), ("a: ''", "{a: \"\"}"),
  ])
  func scalarsStayAsTheyWereWritten(_ text: String, _ expected: String) {
    let read = Read(text)
    #expect(read.root?.outline == expected)
    #expect(read.messages.isEmpty)
  }

  @Test func keysAndValuesKnowWhereTheyStand() throws {
    let read = Read("top: 1\nList:\n  - {k: 'v w', n: 2}\n  - text\nbl\u{f6}ck: |\n  body\n")
    guard case .mapping(let root)? = read.root else { throw Missing() }
    #expect(root.entries.map(\.key.range.short) == ["1:1+3", "2:1+4", "5:1+6"])
    #expect(root.entries[0].value.range == SourceRange(line: 1, column: 6, offset: 5, length: 1))
    #expect(read.node("List", "0")?.range.short == "3:5+1")
    #expect(read.node("List", "0", "k")?.range.short == "3:9+5")
    #expect(read.node("List", "1")?.range.short == "4:5+4")
    #expect(root.entries[2].value.range.short == "5:8+1")
    #expect(root.entries[2].value.scalar?.style == .block)
    for entry in root.entries {
      let place = entry.key.range
      #expect(read.bytes[place.offset..<(place.offset + place.length)].elementsEqual(entry.key.text.utf8))
    }
  }

  /// Behind characters of one to four bytes, tabs, and every line end that YAML knows.
  @Test func placesAreExactBehindAnyCharacters() {
    let read = Read("a: ['\u{e9}\u{20ac}\u{1f6a8}', x]\nb: \"\u{2028}\"\nc: [\u{1f6a8}, \"\t\", here]\r\nd: end\n")
    #expect(read.messages.isEmpty)
    for (path, text, line) in [(["a", "1"], "x", 1), (["c", "2"], "here", 3), (["d"], "end", 4)] {
      let node = path.count == 1 ? read.node(path[0]) : read.node(path[0], path[1])
      let range = node?.range ?? SourceRange(line: 0, column: 0, offset: 0, length: 0)
      #expect(read.bytes[range.offset..<(range.offset + range.length)].elementsEqual(text.utf8), "\(path)")
      #expect(range.line == line, "\(path)")
      #expect(range == SourceText(read.bytes).range(offset: range.offset, length: range.length), "\(path)")
    }
  }

  @Test(arguments: [
    ("where: !vip\n", ["1:8: `!vip` is a YAML tag here, so the text after `!` is lost"]),
    ("where: !(from in x)\n", ["1:8: `!(from` is a YAML tag here, so the text after `!` is lost"]),
    ("a: !!str 1\n", ["1:4: `tag:yaml.org,2002:str` is a YAML tag here, so the text after `!` is lost"]),
    ("a: !x [1]\n", ["1:4: `!x` is a YAML tag here, so the text after `!` is lost"]),
    ("a: !x {b: 1}\n", ["1:4: `!x` is a YAML tag here, so the text after `!` is lost"]),
    ("a: &b 1\nc: *b\n", ["1:4: `&b` is a YAML anchor here", "2:4: `*` makes this a YAML alias"]),
    ("a: &b\n  c: 1\n", ["1:4: `&b` is a YAML anchor here"]),
    ("a: &b [1]\n", ["1:4: `&b` is a YAML anchor here"]),
    ("<<: {a: 1}\nb: 2\n", ["1:1: merge keys (`<<`) are not supported"]),
    ("'<<': 1\n", []),
    ("a: 1\n---\nb: 2\n", ["2:1: a second document begins here"]),
    ("a: 1\nb: 2\na: 3\n", ["3:1: `a` stands twice; the first time on line 1"]),
    (
      "x:\n  a: 1\n  a: 2\ny: {a: 1, a: 2}\n",
      ["3:3: `a` stands twice; the first time on line 2", "4:11: `a` stands twice; the first time on line 4"]
    ),
    ("[a]: 1\n", ["1:1: a key is a word, not a list"]),
    ("{b: 1}: 1\n", ["1:1: a key is a word, not a section (keys and values)"]),
    ("", ["1:1: the file is empty"]), ("# only a comment\n", ["1:1: the file is empty"]),
    ("a: 'open\n", ["2:1: not YAML: found unexpected end of stream (while scanning a quoted scalar)"]),
    ("a: [1, 2\nb: 3\n", ["2:2: not YAML: did not find expected ',' or ']' (while parsing a flow sequence)"]),
    (
      "a: 1\n\tb: 2\n",
      ["2:1: not YAML: found a tab character that violates indentation (while scanning a plain scalar)"]
    ),
    ("ab: \u{1}\n", ["1:5: not YAML: control characters are not allowed"]),
  ])
  func whatYAMLDoesBehindTheReadersBackIsRefused(_ text: String, _ expected: [String]) {
    #expect(Read(text).messages == expected)
  }

  @Test func adviceSaysWhatToDo() {
    #expect(Read("where: !vip\n").bag.diagnostics.first?.hint == "put the whole text in quotes: \"!(...)\"")
    #expect(Read("a: 1\n\tb: 2\n").bag.diagnostics.first?.hint == "indent with spaces, not with tabs")
    #expect(
      Read("---\na: 1\n---\nb: 1").bag.diagnostics.first?.hint == "a pipeline is one document: take the `---` out")
  }

  @Test func allMistakesAreToldAtOnce() {
    let read = Read("a: !x\na: &y 1\nb: *y\n<<: 1\nb: 2\n")
    #expect(read.bag.diagnostics.count == 6)
    #expect(read.root != nil)
  }

  @Test(
    arguments: [
      ([0x61, 0x3A, 0x20, 0xFF], 1, 4), ([0xC3], 1, 1), ([0x61, 0x0A, 0xC3, 0xA9, 0xE2, 0x82], 2, 2),
      ([0xF0, 0x9F, 0x98, 0x61], 1, 1), ([0xC3, 0xA9, 0xED, 0xA0, 0x80], 1, 2), ([0xC0, 0x80], 1, 1),
      ([0x61, 0x62, 0x80, 0x63, 0xFF], 1, 3), ([0xF4, 0x90, 0x80, 0x80], 1, 1),
    ] as [([UInt8], Int, Int)])
  func invalidUTF8IsPointedAt(_ bytes: [UInt8], _ line: Int, _ column: Int) {
    let read = Read(bytes)
    #expect(read.messages == ["\(line):\(column): the file is not valid UTF-8 here"])
    #expect(read.root == nil)
  }

  @Test func depthIsBounded() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(Read(nested(YAMLParser.depthLimit)).messages.isEmpty)
    let tooDeep = Read(nested(YAMLParser.depthLimit + 1))
    #expect(tooDeep.root == nil)
    #expect(tooDeep.messages == ["1:65: more than 64 levels within each other"])
    let sections = (0..<80).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    #expect(Read(sections).bag.hasErrors)
    #expect(Read(String(repeating: "[", count: 100_000)).bag.hasErrors)
    #expect(Read(String(repeating: "- ", count: 100_000)).bag.hasErrors)
  }

  @Test func sizeIsBounded() {
    let most = "[" + String(repeating: "1,", count: YAMLParser.nodeLimit - 1) + "]"
    #expect(Read(most).messages.isEmpty)
    let tooMany = Read("[" + String(repeating: "1,", count: YAMLParser.nodeLimit) + "]")
    #expect(tooMany.root == nil && tooMany.bag.hasErrors)
    #expect(
      Read([UInt8](repeating: 0x20, count: YAMLParser.fileLimit + 1)).messages == ["1:1: the file is larger than 4 MiB"]
    )
  }

  @Test func nothingIsNull() {
    let read = Read("a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: nil\n")
    #expect(["a", "b", "c", "d", "e", "f"].map { read.node($0)?.isNull } == [true, true, true, false, false, false])
    #expect(read.node("a")?.kindName == "nothing" && read.node("f")?.kindName == "a value")
  }
}

struct Missing: Error {}
