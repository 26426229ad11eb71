import Events
import Foundation
import TestSupport
import Testing

@testable import Alerts

struct JSONWriterTests {
  private func json(_ value: Scalar) -> String {
    var writer = JSONWriter()
    writer.element(value)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func valuesStandAsStated() {
    #expect(json(.null) == "null")
    #expect(json(.bool(true)) == "true")
    #expect(json(.int(.min)) == "-9223372036854775808")
    #expect(json(.uint(.max)) == "18446744073709551615")
    #expect(json(.double(27_300)) == "27300.0")
    #expect(json(.double(0.1)) == "0.1")
    #expect(json(.double(.nan)) == "\"NaN\"")
    #expect(json(.double(.infinity)) == "\"Infinity\"")
    #expect(json(.double(-.infinity)) == "\"-Infinity\"")
    #expect(json(.decimal(1_250, scale: 2)) == "\"12.50\"")
    #expect(json(.timestamp(1_795_425_600_000_000_001)) == "\"2026-11-23T09:20:00.000000001Z\"")
    #expect(json(.duration(90_000_000_000)) == "\"90s\"")
    #expect(json(.list([.int(1), .list([]), .string("a")])) == "[1,[],\"a\"]")
    #expect(json(.string("\u{0}\u{1F}\"\\\n🏦/")) == "\"\\u0000\\u001f\\\"\\\\\\n🏦/\"")
  }

  @Test func membersKeepTheirOrderAndWhatHasNoValueIsLeftOut() {
    var writer = JSONWriter()
    writer.object { json in
      json.member("z", 1)
      json.member("gone", Optional<String>.none)
      json.member("null", Optional<Scalar>.some(.null))
      json.list("none", [])
      json.object("a") { _ in }
      json.list("list", ["x", "y"])
      json.member("last", false)
    }
    #expect(
      String(decoding: writer.bytes, as: UTF8.self) == #"{"z":1,"a":{},"list":["x","y"],"last":false}"#)
  }

  /// Foundation reads back what was written: every character, every double.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func anotherReaderFindsTheSame(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    let text = RandomRecord.text(&random)
    let number = Double(bitPattern: random.next())
    #expect(try JSONValue(Array("[\(json(.string(text)))]".utf8)) == .array([.string(text)]))
    if number.isFinite { #expect(Double(json(.double(number))) == number, "\(number)") }
    let scalar = RandomRecord.scalar(&random, depth: 3)
    #expect(throws: Never.self) {
      try JSONSerialization.jsonObject(with: Data(json(scalar).utf8), options: .fragmentsAllowed)
    }
  }
}
