import Foundation
import TestSupport
import Testing

@testable import Configuration

/// Random edits of whole pipelines: the parser never traps, and says why where it gives no tree.
@Suite struct YAMLFuzzTests {
  private static let samples = [
    "tocsin: 1\npipeline: p\nsources:\n  s:\n    topic: t\n    fields:\n      a: {at: /a/b, type: decimal(2)}\n",
    "rules:\n  - id: r\n    where: [\"a > 1 && b == 'x'\", '!(c in t)']\n    message: >-\n      {n} of\n      {m}\n",
    "a: |\n  text\n   more\n\n  end\nb: \"\\u00e9\\x41\\n\"\nc: ['it''s', ~, {d: }]\n",
    "\u{e9}: \u{20ac}\n\u{1f6a8}: [\u{2028}, '\u{85}']\nlist:\n- - 1\n  - 2\n-\n  x: y # c\n",
    "a: &x 1\nb: *x\nc: !t 2\n<<: 3\n---\nd: 4\n",
  ]

  /// The examples that stand beside the repository, where they do.
  private static func examples() -> [String] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.deletingLastPathComponent().appendingPathComponent("shared/examples")
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    if files.isEmpty { print("SKIPPED (no ../shared/examples): mutations of whole pipelines") }
    return files.filter { $0.pathExtension == "yaml" }.compactMap { try? String(contentsOf: $0, encoding: .utf8) }
  }

  @Test func examplesAreRead() {
    for example in Self.examples() { #expect(Read(example).messages.isEmpty) }
  }

  @Test func randomEditsNeverTrap() {
    var random = SeededRandom(20)
    let small = Self.samples.map { Array($0.utf8) }
    let large = Self.examples().map { Array($0.utf8) }
    for round in 0..<6_000 {
      let isLarge = round.isMultiple(of: 30) && !large.isEmpty
      var bytes = (isLarge ? large : small).randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, &random) }
      let read = Read(bytes)
      #expect(read.root != nil || read.bag.hasErrors, "round \(round)")
      for diagnostic in read.bag.diagnostics {
        #expect(diagnostic.range.offset >= 0 && diagnostic.range.offset <= bytes.count, "round \(round)")
        #expect(!diagnostic.rendered(source: read.bag.source).isEmpty)
      }
      if let root = read.root { Self.check(root, bytes, round) }
    }
  }

  private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    guard !bytes.isEmpty else { return bytes.append(UInt8.random(in: 0...255, using: &random)) }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    let marks = Array("!&*:-?|>[]{},#'\"%@`~\n\r\t <\\.\u{85}\u{2028}".utf8)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 1: bytes[place] = marks.randomElement(using: &random) ?? 0
    case 2: bytes.insert(marks.randomElement(using: &random) ?? 0, at: place)
    case 3: bytes.remove(at: place)
    case 4: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &random)))
    default:
      let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
      bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
    }
  }

  /// Every node stands in the file, where a line and column say.
  private static func check(_ node: YAMLNode, _ bytes: [UInt8], _ round: Int) {
    let range = node.range
    #expect(range.offset >= 0 && range.offset <= bytes.count && range.length >= 1, "round \(round)")
    let place = SourceText(bytes).range(offset: range.offset, length: range.length)
    #expect(place.line == range.line, "round \(round)")
    switch node {
    case .scalar: break
    case .sequence(let sequence): for element in sequence.elements { check(element, bytes, round) }
    case .mapping(let mapping):
      for entry in mapping.entries { check(entry.value, bytes, round) }
      #expect(Set(mapping.entries.map(\.key.text)).count == mapping.entries.count, "round \(round)")
    }
  }
}
