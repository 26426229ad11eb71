import Events
import Glibc
import Testing

@testable import Tables

enum OFACFixture {
  static let row =
    "25308,\"YAN, Xiaobing\",\"individual\",\"SDNTK] [CYBER2\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"
    + "\"DOB 25 Mar 1977; Digital Currency Address - XBT 12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h; "
    + "alt. Digital Currency Address - ETH 0x098B716B8Aaf21512996dC57EB0615e2383E2f96.\""
  static let columns = ["entity", "program", "asset", "uid", "type"].map { TableSourceColumn(name: $0, type: .string) }
  /// The package's own directory, from this file's place in it.
  static let package = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
}

@Suite struct OFACFormatTests {
  @Test func readsAddressesOutOfRemarks() throws {
    let table = try load(OFACFixture.row + "\r\n\u{1A}", .ofacSDN, key: .address, columns: OFACFixture.columns)
    #expect(table.entryCount == 2)
    #expect(
      table.contents["0x098b716b8aaf21512996dc57eb0615e2383e2f96"]
        == [
          .string("YAN, Xiaobing"), .string("SDNTK, CYBER2"), .string("ETH"), .string("25308"), .string("individual"),
        ])
    #expect(
      table.provenance(entry: 0)
        == EntryProvenance(
          entry: "25308", category: "SDNTK, CYBER2", source: "OFAC SDN", entity: "YAN, Xiaobing"))
  }

  @Test func readsOnInTheOverflow() throws {
    let directory = try TemporaryDirectory()
    let remarks =
      "Digital Currency Address - XBT 149w62rY42aZBox8fGcmqNsXUzSStKeq8C; Digital Currency Address - XBT 12Qt"
    let padded = String(repeating: "x", count: 998 - remarks.count) + "; " + remarks
    let list = "1,\"A\",-0- ,\"P\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"\(padded)\"\n"
    let source = TableSource(
      name: "sdn", path: try directory.write(list.utf8, to: "SDN.CSV"), format: .ofacSDN, key: .address,
      columns: OFACFixture.columns)
    let cut = try TableLoader.load(source)
    #expect(cut.entryCount == 1 && cut.warnings.count == 1)
    #expect(cut.value(entry: 0, column: 4) == .null)
    _ = try directory.write("1,\"D5BFwRsdNsAZY76UVE1xyCGN\"\n1,\"TojH9h; and more.\"\n".utf8, to: "SDN_COMMENTS.CSV")
    let whole = try TableLoader.load(source)
    #expect(whole.find(text: "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h") == 1 && whole.warnings.isEmpty)
    #expect(whole.version != cut.version)
  }

  @Test func refusesAnotherFile() throws {
    #expect(try refusal("a,b\n", .ofacSDN, key: .address).contains("SDN.CSV has 12"))
    #expect(try refusal(OFACFixture.row, .ofacSDN, key: .string).contains("keyed by address"))
  }

  @Test func readsTheExcerpt() throws {
    let table = try TableLoader.load(
      TableSource(
        name: "sdn", path: OFACFixture.package + "/pipelines/lists/ofac-sdn-excerpt.csv", format: .ofacSDN,
        key: .address, columns: OFACFixture.columns))
    for address in [
      "0x098B716B8Aaf21512996dC57EB0615e2383E2f96", "149w62rY42aZBox8fGcmqNsXUzSStKeq8C",
      "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h", "TFdTr9C3BqQrzKBXqSxJfAZFTh8UwBAfSg",
    ] {
      #expect(table.find(text: address) >= 0, "\(address)")
    }
    #expect(table.entryCount > 200 && table.warnings.count == 1)
  }

  /// The published list, where the shared data is at hand: every address that a scan of the raw bytes finds, no other.
  @Test func readsTheWholePublishedList() throws {
    let packed = OFACFixture.package + "/../shared/data/watchlists/ofac_sdn_2024-05-03.csv.gz"
    guard access(packed, R_OK) == 0 else {
      print("skipped: no shared data at \(packed)")
      return
    }
    let pipe = try #require(popen("gzip -dc '\(packed)'", "r"))
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while case let got = fread(&block, 1, block.count, pipe), got > 0 { bytes += block[..<got] }
    #expect(pclose(pipe) == 0)
    let directory = try TemporaryDirectory()
    let table = try TableLoader.load(
      TableSource(name: "sdn", path: directory.write(bytes), format: .ofacSDN, key: .address))
    #expect(Set(table.contents.keys) == Self.scan(bytes))
    #expect(table.entryCount + table.duplicateCount > 250)
  }

  /// The slow reference: whatever follows the mark and a ticker, up to `;`, unless the line's remarks end there uncut.
  private static func scan(_ bytes: [UInt8]) -> Set<String> {
    var found: Set<String> = []
    let mark = Array("Digital Currency Address - ".utf8)
    for line in bytes.split(separator: 10) where line.count > mark.count {
      for start in line.startIndex..<(line.endIndex - mark.count)
      where line[start] == mark[0] && line[start...].starts(with: mark) {
        let item = line[(start + mark.count)...].prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "\"") }
        let isLast = line[item.endIndex] == UInt8(ascii: "\"")
        if isLast && item.last != UInt8(ascii: ".") { continue }
        let words = (isLast ? item.dropLast() : item).split(separator: 32)
        if words.count > 1 { found.insert(AddressNormaliser.normalise(String(decoding: words[1], as: UTF8.self))) }
      }
    }
    return found
  }
}
