import Events
import TestSupport
import Testing

/// Random and broken documents: the decoder agrees with the reference about what is JSON and what a field holds.
@Suite struct EventDecoderFuzzTests {
  @Test func randomDocumentsDecodeAsTheReferenceSays() throws {
    var random = SeededRandom(2)
    for _ in 0..<3_000 {
      let text = DocumentMaker.document(&random)
      try compare(Array(text.utf8))
    }
  }

  @Test func mutatedBytesNeverCrashAndAgreeAboutWhatIsJSON() throws {
    var random = SeededRandom(2)
    for _ in 0..<6_000 {
      var bytes = Array(DocumentMaker.document(&random).utf8)
      for _ in 0...Int.random(in: 0..<3, using: &random) { DocumentMaker.mutate(&bytes, &random) }
      try compare(bytes)
    }
  }

  private func compare(_ bytes: [UInt8]) throws {
    let (batch, decoder) = decode([bytes])
    try withExtendedLifetime(decoder) {
      let text = String(decoding: bytes, as: UTF8.self)
      guard let reference = try? ReferenceJSON.parse(bytes), case .object = reference else {
        #expect(batch.failures.count == 1, "accepted: \(text)")
        return
      }
      let paths = [["ts"], ["id"], ["n"], ["tags"], ["pay", "amount"]]
      if batch.failures.first?.reason == .duplicateKey {
        #expect(
          batch.schema.fields.contains { field in
            if case .pointer(let path) = field.origin { return reference.isRepeated(path) }
            return false
          }, "no duplicate: \(text)")
        return
      }
      guard batch.failures.isEmpty else {
        let reason = try #require(batch.failures.first?.reason)
        #expect([.missing, .null, .wrongType, .outOfRange].contains(reason), "\(reason) for \(text)")
        return
      }
      for path in paths {
        let slot = try #require(batch.schema.fields.firstIndex { $0.origin == .pointer(path) })
        #expect(matches(batch.columns[slot].scalar(0), reference.at(path)), "\(path) of \(text)")
      }
    }
  }

  private func matches(_ scalar: Scalar?, _ value: ReferenceJSON?) -> Bool {
    switch (scalar, value) {
    case (nil, nil), (nil, .null): true
    case (.string(let left), .string(let right)): Array(left.utf8) == Array(right.utf8)
    case (.int(let left), .number(let right)): Double(left) == Double(right)
    case (.timestamp(let left), .number(let right)):
      Double(right).map { abs($0 * 1e6 - Double(left)) <= abs(Double(left)) * 1e-9 + 1 } ?? false
    case (.decimal(let left, _), .number(let right)), (.decimal(let left, _), .string(let right)):
      Double(right).map { abs($0 * 100 - Double(left)) <= abs(Double(left)) * 1e-9 + 1e-6 } ?? false
    case (.list(let left), .array(let right)):
      left.count == right.count && zip(left, right).allSatisfy { matches($0, $1) }
    default: false
    }
  }
}

/// Documents that look like the ones operators send, and some that do not.
enum DocumentMaker {
  static func document(_ random: inout SeededRandom) -> String {
    var members = [#""ts":\#(Int.random(in: 0...1_800_000_000_000, using: &random))"#, #""id":\#(string(&random))"#]
    let optional: [(inout SeededRandom) -> String] = [
      { #""n":\#(number(&$0))"# }, { #""x":\#(number(&$0))"# },
      { #""pay":{"amount":\#(money(&$0)),"q":\#(value(&$0, 0))}"# },
      { #""tags":[\#(string(&$0)), \#(string(&$0))]"# }, { #""other":\#(value(&$0, 0))"# }, { _ in #""ok":true"# },
      { #""n\u0061me":\#(value(&$0, 1))"# }, { _ in #""\u0069d2":1"# },
    ]
    for make in optional where Bool.random(using: &random) { members.append(make(&random)) }
    members.shuffle(using: &random)
    return "{" + members.joined(separator: [",", " , ", ",\n\t"].randomElement(using: &random) ?? ",") + "}"
  }

  static func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 1: bytes.remove(at: place)
    case 2: bytes.insert(Array("{}[]\",:\\0e.-+ntf\u{1}".utf8).randomElement(using: &random) ?? 0, at: place)
    case 3: bytes.removeSubrange(place...)
    default:
      let end = min(bytes.count, place + Int.random(in: 1...12, using: &random))
      bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
    }
  }

  private static func string(_ random: inout SeededRandom) -> String {
    let parts = [
      "a", "é", "\\n", "\\u00e9", "\\ud83d\\ude00", "😀", "\\\"", "\\\\", " ", "/", "\\/", "zz top", "\u{7f}",
    ]
    return "\""
      + (0..<Int.random(in: 0...5, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
      .joined() + "\""
  }

  private static func number(_ random: inout SeededRandom) -> String {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: "\(Int64.random(in: .min ... .max, using: &random))"
    case 1: "\(Int.random(in: -1_000...1_000, using: &random))"
    case 2: "\(Int.random(in: -9...9, using: &random)).\(Int.random(in: 0...999, using: &random))"
    case 3: "\(Int.random(in: 1...9, using: &random))e\(Int.random(in: -3...12, using: &random))"
    case 4: "92233720368547758\(Int.random(in: 0...99, using: &random))"
    default: "-0"
    }
  }

  private static func money(_ random: inout SeededRandom) -> String {
    let text = "\(Int.random(in: -500...100_000, using: &random)).\(Int.random(in: 0...9, using: &random))"
    return Bool.random(using: &random) ? "\"\(text)\"" : text
  }

  private static func value(_ random: inout SeededRandom, _ depth: Int) -> String {
    switch Int.random(in: 0..<(depth > 3 ? 4 : 6), using: &random) {
    case 0: "null"
    case 1: "false"
    case 2: number(&random)
    case 3: string(&random)
    case 4: "[" + value(&random, depth + 1) + "," + value(&random, depth + 1) + "]"
    default: "{" + string(&random) + ":" + value(&random, depth + 1) + "}"
    }
  }
}
