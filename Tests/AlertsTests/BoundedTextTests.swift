import Events
import TestSupport
import Testing

@testable import Alerts

struct BoundedTextTests {
  private func encodedCount(_ text: String) -> Int {
    var json = JSONWriter()
    json.element(.string(text))
    return json.bytes.count - 2
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func whatFitsStaysAndWhatDoesNotIsCutAtACharacter(_ seed: UInt64) {
    var random = SeededRandom(seed)
    let text = RandomRecord.text(&random)
    let limit = Int.random(in: 64...200, using: &random)
    guard let cut = BoundedText.cut(text, to: limit) else {
      #expect(encodedCount(text) <= limit)
      return
    }
    #expect(encodedCount(text) > limit)
    #expect(encodedCount(cut) <= limit)
    let mark = "… [\(text.utf8.count) bytes]"
    #expect(cut.hasSuffix(mark))
    let kept = Array(cut.unicodeScalars.dropLast(mark.unicodeScalars.count))
    #expect(text.unicodeScalars.starts(with: kept))
    // Not one character could have been kept besides.
    let next = Array(text.unicodeScalars)[kept.count]
    #expect(encodedCount(cut) + JSONWriter.encodedCount(next) > limit)
  }

  @Test func attributesAreCleanBoundedAndNeverTheSameForTwoTexts() {
    #expect(BoundedText.attribute("wallet:bc1q…🏦", limit: 64) == "wallet:bc1q…🏦")
    let long = String(repeating: "x", count: 2_000)
    let texts = [long, long + "x", long + "y", "a\u{0}", "a\u{1}", "a\u{85}", "a\u{FFFE}", "a\u{FFFD}"]
    let attributes = texts.map { BoundedText.attribute($0, limit: 200) }
    #expect(Set(attributes).count == texts.count)
    for (text, attribute) in zip(texts, attributes) {
      #expect(attribute.utf8.count <= 200)
      #expect(attribute == text || attribute.hasSuffix("…sha256:" + SHA256.hex(text.utf8)))
    }
  }
}
