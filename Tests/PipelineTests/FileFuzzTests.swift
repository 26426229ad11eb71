import Configuration
import TestSupport
import Testing

@testable import Pipeline

/// Files with random damage: there is always a plan or a mistake, and never a trap.
@Suite struct FileFuzzTests {
  private static let pieces = [
    "\n", "  ", "- ", ": ", "{", "}", "[", "]", ",", "\"", "'", "!", "&a ", "*a", "#", " # ", "|\n", ">\n", "~", "null",
    "\t", "\r", "\u{85}", "\u{2028}", "é", "\u{0}", "${", "${A}", "$${", "over: 1h", "per: 1mo", "by: to", "let: {}",
    "sum(", "count()", "event.", "params.", "?:", "1e999", "9223372036854775808", "decimal(38)", "list(", "$headers/",
    "/~2", "{{", "}}", "usd", "rates[", "0", "-1", "999999999999d",
  ]

  private func damaged(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 0...bytes.count, using: &random)
      let end = min(bytes.count, place + Int.random(in: 0...12, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes.removeSubrange(place..<end)
      case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      case 2: bytes.insert(contentsOf: Array(Self.pieces.randomElement(using: &random)!.utf8), at: place)
      case 3: bytes.replaceSubrange(place..<end, with: Array(Self.pieces.randomElement(using: &random)!.utf8))
      default:
        // A piece of the file itself, elsewhere.
        let from = Int.random(in: 0..<max(1, bytes.count), using: &random)
        let part = Array(bytes[from..<min(bytes.count, from + Int.random(in: 1...60, using: &random))])
        bytes.insert(contentsOf: part, at: place)
      }
    }
    return bytes
  }

  @Test(arguments: 0..<8)
  func damagedFilesNeverTrap(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    let files = try FileShippedTests.names.map { try FileSupport.bytes("pipelines/\($0).yaml") }
    var refused = 0
    for round in 0..<250 {
      let bytes = damaged(files[round % files.count], &random)
      let (plan, diagnostics) = PipelineFile.read(bytes: bytes, path: "a/b.yaml", environment: ["A": "x"])
      #expect((plan == nil) == diagnostics.hasErrors)
      if plan == nil {
        refused += 1
        #expect(!diagnostics.rendered().isEmpty)
      }
    }
    #expect(refused > 50)
  }
}
