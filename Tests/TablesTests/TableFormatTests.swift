import Events
import TestSupport
import Testing

@testable import Tables

@Suite struct TextFormatTests {
  @Test func readsAKeyALine() throws {
    let table = try load("\u{FEFF}one\r\n\n  two  # why\n# all comment\nthree#3\none", .text)
    #expect(Set(table.contents.keys) == ["one", "two", "three#3"])
    #expect(table.duplicateCount == 1)
    #expect(table.provenance(entry: 1) == EntryProvenance(entry: "row 3"))
  }

  @Test func normalisesAddresses() throws {
    let table = try load(
      "0x098B716B8Aaf21512996dC57EB0615e2383E2f96\n12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h\n", .text, key: .address)
    #expect(table.key(entry: 0) == "0x098b716b8aaf21512996dc57eb0615e2383e2f96")
    #expect(table.find(text: "0X098B716B8AAF21512996DC57EB0615E2383E2F96") == 0)
    #expect(table.find(text: "12qtD5BFwRsdNsAZY76UVE1xyCGNTojH9h") == -1)
  }

  @Test func refusesBadKeysAndTheZeroAddress() throws {
    #expect(try refusal("a\nb,c\n", .text, key: .address).hasPrefix("2:2: "))
    #expect(try refusal("a\u{7}\n", .text).hasPrefix("1:2: "))
    let zero = "0x" + String(repeating: "0", count: 40)
    #expect(try refusal("a\n \(zero)\n", .text, key: .address).contains("is the zero address"))
    #expect(try load(zero, .text, key: .address, kind: .allowlist).entryCount == 1)
  }
}

@Suite struct CSVFormatTests {
  private let columns = [
    TableSourceColumn(name: "name", at: "Name", type: .string), TableSourceColumn(name: "score", type: .int),
    TableSourceColumn(name: "limit", type: .decimal(scale: 2)),
  ]

  @Test func readsTypedColumnsByHeader() throws {
    let table = try load(
      "id,score,Name,limit,category,confidence,listed_on\nA,1,\"x, \"\"y\"\"\nz\",12.5,mixer,70,2025-02-01\nB,,,,,,\nA,9,w,1,,,\n",
      .csv, columns: columns)
    #expect(table.contents["A"] == [.string("x, \"y\"\nz"), .int(1), .decimal(1250, scale: 2)])
    #expect(table.contents["B"] == [.null, .null, .null])
    #expect(table.duplicateCount == 1)
    #expect(
      table.provenance(entry: 0)
        == EntryProvenance(entry: "row 2", category: "mixer", confidence: 70, listedOn: "2025-02-01"))
    #expect(table.provenance(entry: 1) == EntryProvenance(entry: "row 4"))
    let scores = table.storage(column: 1)
    #expect(scores.state(0) == .value && scores.ints[0] == 1 && scores.state(1) == .absent)
  }

  @Test func readsAnElseRow() throws {
    let table = try load("id,score\nA,1\n", .csv, columns: [columns[1]], else: ["score": "7"])
    #expect(table.value(entry: -1, column: 0) == .int(7))
    #expect(try load("id,score\nA,1\n", .csv, columns: [columns[1]]).value(entry: -1, column: 0) == nil)
  }

  @Test func namesThePlaceOfAMistake() throws {
    #expect(try refusal("id,score\nA,1\nB,x1\n", .csv, columns: [columns[1]]).hasPrefix("3:3: column `score`"))
    #expect(try refusal("id,score\nA,1,2\n", .csv, columns: [columns[1]]).hasPrefix("2:1: the row has 3 cells"))
    #expect(try refusal("id\nA\n", .csv, columns: [columns[1]]).contains("no column `score`"))
    #expect(try refusal("id,id\nA,B\n", .csv, keyColumn: "id").contains("twice"))
    #expect(try refusal("id\n\"A\nB\n", .csv).contains("never closed"))
    #expect(try refusal("", .csv).contains("empty"))
    #expect(try refusal("id\n\"\"\n", .csv).contains("the key is empty"))
  }

  @Test func boundsEverything() throws {
    #expect(try refusal("a\nb\nc\n", .text, limits: TableLimits(entries: 2)).contains("more than 2 entries"))
    #expect(try refusal("abcdef\n", .text, limits: TableLimits(bytes: 6)).contains("limit of 6"))
    #expect(try refusal("abcdef\n", .text, limits: TableLimits(lineLength: 5)).contains("limit of 5"))
    #expect(try refusal("id\nabcdef\n", .csv, limits: TableLimits(lineLength: 5)).contains("limit of a line"))
    #expect(try refusal("abcdef\n", .text, limits: TableLimits(keyLength: 5)).contains("limit of 5"))
  }

  /// Random cells, written with every way of quoting, read back.
  @Test func readsWhatAReferenceWriterWrote() throws {
    var random = SeededRandom(11)
    let alphabet = Array("ab,\"\n é;")
    for _ in 0..<100 {
      var expected: [String: [Scalar]] = [:]
      var text = "v,k\n"
      for row in 0..<Int.random(in: 1...12, using: &random) {
        let cell = String(
          (0..<Int.random(in: 0...6, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
        let isBare = !cell.isEmpty && !cell.contains { ",\"\n".contains($0) } && Bool.random(using: &random)
        text +=
          isBare
          ? cell : "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        text += ",key\(row)" + (Bool.random(using: &random) ? "\r\n" : "\n")
        expected["key\(row)"] = [.string(cell)]
      }
      let table = try load(text, .csv, keyColumn: "k", columns: [TableSourceColumn(name: "v", type: .string)])
      #expect(table.contents == expected)
    }
  }
}

@Suite struct NDJSONFormatTests {
  private let columns = [
    TableSourceColumn(name: "label", at: "/info/la~1bel", type: .string), TableSourceColumn(name: "n", type: .double),
    TableSourceColumn(name: "since", type: .timestamp(.rfc3339)),
  ]

  @Test func readsByPointer() throws {
    let table = try load(
      """
      {"key":"A\\u00e9\\ud83d\\ude00","info":{"la/bel":"x"},"n":1.5,"since":"1970-01-02","source":"s","confidence":3}

      {"key":17,"n":null}
      """, .ndjson, columns: columns)
    #expect(table.contents["Aé😀"] == [.string("x"), .double(1.5), .timestamp(86_400_000_000_000)])
    #expect(table.contents["17"] == [.null, .null, .null])
    #expect(table.provenance(entry: 0) == EntryProvenance(entry: "row 1", confidence: 3, source: "s"))
  }

  @Test(arguments: [
    ("[1]", "1:1: each line is one JSON object"), ("{}\n", "1:1: the key at `/key`"),
    ("{\"key\":\"a\"}\n{\"key\":\"b\",\"n\":\"1\"}", "2:16: column `n`"),
    ("{\"key\":\"a\",\"key\":\"b\"}", "1:12: the name"),
    ("{\"key\":\"a\"", "1:11: not JSON"), ("{\"key\":\"a\"} x", "1:13: not JSON"),
    ("{\"key\":\"\\ud800\"}", "1:15: not JSON"),
    ("{\"key\":01}", "1:9: not JSON"), ("{\"key\":[]}", "1:8: the key"), ("{\"key\":\"a\tb\"}", "1:10: not JSON"),
  ])
  func refusesByPlace(_ text: String, _ message: String) throws {
    let refusal = try refusal(text, .ndjson, columns: columns)
    #expect(refusal.hasPrefix(message), "\(refusal)")
  }

  @Test func boundsNesting() throws {
    let deep = String(repeating: "[", count: 100_000)
    #expect(try refusal("{\"key\":\(deep)", .ndjson).contains("nested more than 64 deep"))
  }
}

@Suite struct TableFuzzTests {
  private static let lists: [(TableFormat, TableKeyKind, String)] = [
    (
      .text, .address,
      "0x098B716B8Aaf21512996dC57EB0615e2383E2f96\n# note\nbc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\n"
    ),
    (.csv, .string, "key,name,n\nA,\"x \"\"y\"\"\",1\r\nB,é,-2\n"),
    (.ndjson, .string, "{\"key\":\"A\",\"name\":\"\\u00e9\",\"n\":1}\n{\"key\":\"B\",\"n\":[1,{\"x\":null}]}\n"),
    (.ofacSDN, .address, OFACFixture.row + "\r\n\u{1A}"),
  ]

  /// Bytes changed, cut and doubled at random: a list loads or is refused with a place in it, and nothing else happens.
  @Test func survivesAnyBytes() throws {
    let directory = try TemporaryDirectory()
    var random = SeededRandom(5)
    for (format, key, text) in Self.lists {
      let hasColumns = format == .csv || format == .ndjson
      for _ in 0..<700 {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
        let source = TableSource(
          name: "t", path: try directory.write(bytes), format: format, key: key,
          columns: hasColumns ? [TableSourceColumn(name: "n", type: .int)] : [])
        do throws(TableLoadError) {
          let table = try TableLoader.load(source)
          #expect(table.contents.count == table.entryCount)
        } catch {
          guard case .malformed(_, let mistakes) = error else {
            Issue.record("\(error)")
            continue
          }
          let lines = bytes.count { $0 == 10 } + 1
          #expect(mistakes.allSatisfy { (1...lines).contains($0.line) && $0.column >= 1 && !$0.message.isEmpty })
        }
      }
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: bytes[place] = .random(in: 0...255, using: &random)
    case 1: bytes.remove(at: place)
    case 2: bytes.insert(contentsOf: bytes[place...].prefix(20), at: place)
    default: bytes[place] = Array(",\"\n\\{}[]:;#-".utf8).randomElement(using: &random) ?? 0
    }
  }
}
