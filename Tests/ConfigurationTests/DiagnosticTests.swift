import TestSupport
import Testing

@testable import Configuration

@Suite struct DiagnosticTests {
  private func rendered(_ text: String, _ offset: Int, _ length: Int, hint: String? = nil) -> String {
    let source = SourceText(Array(text.utf8))
    return Diagnostic(
      file: "f.yaml", range: source.range(offset: offset, length: length), message: "wrong", hint: hint
    ).rendered(source: source)
  }

  @Test func theCaretStandsUnderTheMistake() {
    #expect(
      rendered("a: 1\nkey: value\n", 10, 5, hint: "do so")
        == "f.yaml:2:6: error: wrong\n 2 | key: value\n   |      ^~~~~\n   hint: do so")
    #expect(rendered("abc", 0, 1) == "f.yaml:1:1: error: wrong\n 1 | abc\n   | ^")
  }

  @Test func charactersOfManyBytesTakeOnePlace() {
    let text = "\u{e9}\u{20ac}\u{1f6a8}: w\u{f6}rd!"
    let start = Array("\u{e9}\u{20ac}\u{1f6a8}: ".utf8).count
    #expect(
      rendered(text, start, 5) == "f.yaml:1:6: error: wrong\n 1 | \(text)\n   |      ^~~~")
    // A character made of two scalars is one place too.
    #expect(rendered("e\u{301}: x", 5, 1) == "f.yaml:1:4: error: wrong\n 1 | e\u{301}: x\n   |    ^")
  }

  @Test func tabsAndControlCharactersTakeOnePlace() {
    #expect(rendered("\ta:\tb\r\n", 4, 1) == "f.yaml:1:5: error: wrong\n 1 |  a: b\n   |     ^")
    #expect(rendered("a\u{1}b", 2, 1) == "f.yaml:1:3: error: wrong\n 1 | a b\n   |   ^")
  }

  @Test func theUnderlineEndsWithItsLine() {
    #expect(rendered("ab\ncd\n", 1, 100) == "f.yaml:1:2: error: wrong\n 1 | ab\n   |  ^")
    #expect(rendered("ab\ncd", 4, 100) == "f.yaml:2:2: error: wrong\n 2 | cd\n   |  ^")
    #expect(rendered("ab", 2, 1) == "f.yaml:1:3: error: wrong\n 1 | ab\n   |   ^")
    #expect(rendered("", 0, 1) == "f.yaml:1:1: error: wrong\n 1 | \n   | ^")
  }

  @Test func whatIsHiddenIsShownAsAsterisks() {
    let text = "a: { b: s\u{e9}c, d: x }\nz: s\n"
    let source = SourceText(Array(text.utf8))
    let bag = DiagnosticBag(file: "f.yaml", source: source)
    bag.hide(source.range(offset: 8, length: 4))
    bag.hide(source.range(offset: 24, length: 1))
    bag.error(source.range(offset: 14, length: 1), "wrong")
    #expect(bag.rendered() == "f.yaml:1:14: error: wrong\n 1 | a: { b: ***, d: x }\n   |              ^")
    #expect(source.line(2, hiding: [source.range(offset: 24, length: 1)]) == "z: *")
    #expect(source.line(2, hiding: [source.range(offset: 8, length: 4)]) == "z: s")
  }

  @Test func lineNumbersOfAnyWidthLineUp() {
    let text = String(repeating: "\n", count: 99) + "here"
    #expect(rendered(text, 99, 4) == "f.yaml:100:1: error: wrong\n 100 | here\n     | ^~~~")
  }

  /// Of a long line, what is around the place, whatever its characters are.
  @Test(arguments: [(0, "^~~"), (50, "^~~"), (5_000, "^~~"), (9_998, "^~")], ["x", "\u{1f6a8}"])
  func ofALongLineAPartIsShown(_ place: (Int, String), _ filling: String) {
    var characters = Array(repeating: Character(filling), count: 10_000)
    characters[place.0] = "!"
    let text = String(characters)
    let start = String(characters[..<place.0]).utf8.count
    let length = String(characters[place.0..<min(place.0 + 3, 10_000)]).utf8.count
    let lines = rendered(text, start, length, hint: "do so").split(separator: "\n")
    #expect(lines.count == 4 && lines[0] == "f.yaml:1:\(place.0 + 1): error: wrong")
    let shown = Array(lines[1].dropFirst(5))
    let under = String(lines[2].dropFirst(5))
    #expect(shown.count == 160 && under.hasSuffix(place.1))
    let caret = under.prefix { $0 == " " }.count
    #expect(shown[caret] == "!")
    #expect((shown[0] == "…") == (place.0 > 53) && (shown[159] == "…") == (place.0 < 9_000))
  }

  @Test func withoutASourceThereIsNoLine() {
    let range = SourceRange(line: 7, column: 3, offset: 50, length: 2)
    let diagnostic = Diagnostic(severity: .warning, file: "f", range: range, message: "m")
    #expect(diagnostic.rendered(source: nil) == "f:7:3: warning: m")
    #expect(diagnostic.rendered(source: SourceText(Array("short".utf8))) == "f:7:3: warning: m")
  }

  /// Places by counting, against places by search.
  @Test func everyByteHasItsLineAndColumn() {
    var random = SeededRandom(5)
    for _ in 0..<50 {
      let text = (0..<40).map { _ in ["a", "\u{e9}", "\n", "\t", "\u{1f6a8}"].randomElement(using: &random) ?? "" }
        .joined()
      let source = SourceText(Array(text.utf8))
      var (line, column, offset) = (1, 1, 0)
      for character in text {
        let range = source.range(offset: offset, length: 1)
        #expect(range.line == line && range.column == column)
        offset += character.utf8.count
        column += 1
        if character == "\n" { (line, column) = (line + 1, 1) }
      }
    }
  }

  @Test func aBagIsBoundedAndOrdered() {
    let bag = DiagnosticBag(file: "f", source: nil)
    for number in 0..<(DiagnosticBag.limit + 5) {
      let range = SourceRange(line: 200 - number, column: 1, offset: 200 - number, length: 1)
      bag.warning(range, "w\(number)")
      bag.warning(range, "w\(number)")
    }
    #expect(bag.diagnostics.count == DiagnosticBag.limit && !bag.hasErrors)
    #expect(bag.diagnostics.map(\.range.line) == bag.diagnostics.map(\.range.line).sorted())
    #expect(bag.rendered().hasSuffix("and 10 more") || bag.rendered().hasSuffix("and 5 more"))
    bag.error(SourceRange(line: 1, column: 1, offset: 0, length: 1), "one more")
    #expect(bag.hasErrors)
  }
}

@Suite struct LocatedTextTests {
  /// Each byte of a value leads back to where it was written.
  @Test(arguments: [
    "where: usd > 10 && from in list", "where: 'usd > 10 && x == ''a'''", "where: \"a \\\"b\\\" \\\\ c\"",
    "where: |\n    usd > 10\n      && b\n    && c\n", "where: >-\n  usd > 10\n  && b\n\nnext: 1",
    "where: a &&\n  b &&\n  c",
    "where: 'a\n  b'", "where: \u{e9} == '\u{1f6a8}'", "where:   |-\n  \u{20ac}\n  x",
  ])
  func everyByteLeadsBack(_ document: String) throws {
    let read = Read(document)
    let scalar = try #require(read.node("where")?.scalar)
    let located = LocatedText(text: scalar.text, range: scalar.range)
    let bytes = Array(scalar.text.utf8)
    for (place, byte) in bytes.enumerated() where byte > 0x20 {
      let found = located.range(ofByte: place, length: 1, in: read.bytes)
      #expect(found.offset > scalar.range.offset - 1 && found.offset < read.bytes.count)
      let written = read.bytes[found.offset]
      #expect(written == byte || written == UInt8(ascii: "\\"), "byte \(place) of \(scalar.text)")
    }
    // In order, and each at a place of its own.
    let places = bytes.indices.filter { bytes[$0] > 0x20 }
      .map { located.range(ofByte: $0, length: 1, in: read.bytes).offset }
    #expect(places == places.sorted() && Set(places).count == places.count)
  }

  @Test func theSecondOfTwoEqualWordsIsTheSecond() throws {
    let read = Read("where: >-\n  n > 1 &&\n  n > 2\n")
    let scalar = try #require(read.node("where")?.scalar)
    let place = try #require(scalar.text.utf8.count - 5 as Int?)
    let range = LocatedText(text: scalar.text, range: scalar.range).range(ofByte: place, length: 1, in: read.bytes)
    #expect(range.short == "3:3+1")
  }

  @Test func beyondTheEndIsTheEnd() throws {
    let read = Read("where: a >")
    let scalar = try #require(read.node("where")?.scalar)
    let range = LocatedText(text: scalar.text, range: scalar.range).range(ofByte: 3, length: 1, in: read.bytes)
    #expect(range.short == "1:11+1")
  }

  @Test func whatCannotBeMatchedPointsAtItsBeginning() throws {
    let read = Read("where: \"\\u0041 > 1\"\nother: A > 1\n")
    let scalar = try #require(read.node("where")?.scalar)
    let range = LocatedText(text: scalar.text, range: scalar.range).range(ofByte: 2, length: 1, in: read.bytes)
    #expect(range == scalar.range)
  }
}

@Suite struct NearestNameTests {
  /// Optimal string alignment by plain recursion.
  private static func slow(_ left: ArraySlice<Character>, _ right: ArraySlice<Character>) -> Int {
    guard let a = left.last else { return right.count }
    guard let b = right.last else { return left.count }
    var best = min(
      slow(left.dropLast(), right) + 1, slow(left, right.dropLast()) + 1,
      slow(left.dropLast(), right.dropLast()) + (a == b ? 0 : 1))
    if left.count > 1, right.count > 1, a == right.dropLast().last, b == left.dropLast().last {
      best = min(best, slow(left.dropLast(2), right.dropLast(2)) + 1)
    }
    return best
  }

  @Test func distancesAreThoseOfTheDefinition() {
    var random = SeededRandom(6)
    func word() -> [Character] {
      (0..<Int.random(in: 0...5, using: &random)).map { _ in "abc".randomElement(using: &random)! }
    }
    for _ in 0..<300 {
      let (left, right) = (word(), word())
      #expect(NearestName.distance(left, right) == Self.slow(left[...], right[...]), "\(left) \(right)")
    }
  }

  @Test(
    arguments: [
      ("tpoic", "topic"), ("topc", "topic"), ("Topic", "topic"), ("topics", "topic"),
      ("keepfiringfor", "keep_firing_for"),
      ("keep", "keep_firing_for"), ("b", "by"), ("zzzzz", nil), ("", nil), ("x", nil), ("wher", "where"),
    ] as [(String, String?)])
  func theNearestIsFound(_ word: String, _ expected: String?) {
    #expect(NearestName.find(word, among: ["topic", "where", "by", "keep_firing_for"]) == expected)
  }

  @Test func amongNothingNothingIsNear() { #expect(NearestName.find("a", among: []) == nil) }
}
