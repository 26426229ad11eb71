import Events
import Glibc
import Testing

@testable import Tables

/// Lists as they are published, where the shared data is at hand: what is loaded is what a plain scan of the file finds.
@Suite struct PublishedListTests {
  private static let folder = OFACFixture.package + "/../shared/data/watchlists/"

  /// The file's path, or nil and a line that says so.
  private func file(_ name: String) -> String? {
    let path = Self.folder + name
    if access(path, R_OK) == 0 { return path }
    print("SKIPPED (no shared data): \(path)")
    return nil
  }

  private func lines(_ path: String) throws -> [Substring] {
    let bytes = try readFile(path, limit: 1 << 28)
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
  }

  @Test(arguments: [
    ("forta_etherscan_malicious_labels.csv", "banned_address"),
    ("forta_malicious_smart_contracts.csv", "contract_address"),
    ("forta_phishing_scams.csv", "address"), ("ofac-ethereum-addresses.csv", "address"),
  ])
  func addressListsInCSV(_ name: String, _ key: String) throws {
    guard let path = file(name) else { return }
    let table = try TableLoader.load(
      TableSource(name: "t", path: path, format: .csv, key: .address, keyColumn: key, kind: .reference))
    // The key is the first column, and no address needs quotes.
    let expected = Set(
      try lines(path).dropFirst().compactMap { $0.split(separator: ",").first.map(String.init) }
        .filter { $0.hasPrefix("0x") }.map { AddressNormaliser.normalise($0) })
    #expect(Set(table.contents.keys) == expected && expected.count > 90)
    for address in expected.prefix(50) {
      #expect(table.find(text: address.uppercased().replacing("0X", with: "0x")) >= 0)
    }
  }

  @Test func namesAndLabelsOfAList() throws {
    guard let path = file("ofac-ethereum-addresses.csv") else { return }
    let table = try TableLoader.load(
      TableSource(
        name: "t", path: path, format: .csv, key: .address,
        columns: [TableSourceColumn(name: "who", at: "name", type: .string)]))
    let entry = table.find(text: "0x098B716B8Aaf21512996dC57EB0615e2383E2f96")
    #expect(entry >= 0 && table.value(entry: entry, column: 0) == .string("LAZARUS GROUP"))
  }

  @Test func entitiesInNDJSON() throws {
    guard let path = file("ftm_zala_entities.jsonl") else { return }
    let table = try TableLoader.load(
      TableSource(
        name: "t", path: path, format: .ndjson, key: .string, keyColumn: "/id",
        columns: [
          TableSourceColumn(name: "caption", type: .string),
          TableSourceColumn(name: "kind", at: "/schema", type: .string),
          TableSourceColumn(name: "name", at: "/properties/name/0", type: .string),
        ]))
    #expect(table.entryCount == (try lines(path)).count)
    let entry = table.find(text: "NK-2Tbri3s6GgNtAwsSXh4qpL")
    #expect(entry >= 0)
    #expect(table.value(entry: entry, column: 0) == .string("Maria Aleksandrovna Osetrova"))
    #expect(table.value(entry: entry, column: 1) == .string("Person"))
    #expect(table.value(entry: entry, column: 2) == .string("OSETROVA, Maria Aleksandrovna"))
  }

  @Test(arguments: ["XBT", "ETH", "USDT", "XMR", "LTC", "ZEC", "DASH", "TRX"])
  func addressesOfOneAssetAsText(_ asset: String) throws {
    guard let path = file("ofac-digital-currency/sanctioned_addresses_\(asset).txt") else { return }
    let table = try TableLoader.load(TableSource(name: "t", path: path, format: .text, key: .address))
    let expected = Set(try lines(path).map { AddressNormaliser.normalise(String($0)) })
    #expect(Set(table.contents.keys) == expected && !expected.isEmpty)
  }

  /// Older and newer lists of OFAC: what was listed in 2020 and still is, is in both.
  @Test func publishedSDNLists() throws {
    var counts: [Int] = []
    for name in ["ofac_sdn_2020.csv.gz", "ofac_sdn_2024-05-02.csv.gz"] {
      guard let packed = file(name) else { return }
      let pipe = try #require(popen("gzip -dc '\(packed)'", "r"))
      var bytes: [UInt8] = []
      var block = [UInt8](repeating: 0, count: 1 << 16)
      while case let got = fread(&block, 1, block.count, pipe), got > 0 { bytes += block[..<got] }
      #expect(pclose(pipe) == 0)
      let directory = try TemporaryDirectory()
      let table = try TableLoader.load(
        TableSource(
          name: "sdn", path: directory.write(bytes), format: .ofacSDN, key: .address, columns: OFACFixture.columns))
      #expect(table.find(text: "149w62rY42aZBox8fGcmqNsXUzSStKeq8C") >= 0, "\(name)")
      for entry in 0..<Int32(table.entryCount) {
        #expect(table.provenance(entry: entry).source == "OFAC SDN" && table.provenance(entry: entry).entity != nil)
        #expect(table.value(entry: entry, column: 2) != .null)
      }
      counts.append(table.entryCount)
    }
    #expect(counts[0] > 20 && counts[1] > counts[0])
  }

  @Test func daysOfTimesAreExact() {
    #expect(CalendarText.date(nanoseconds: 1_738_367_999_999_999_999) == "2025-01-31")
    #expect(CalendarText.date(nanoseconds: 1_738_368_000_000_000_000) == "2025-02-01")
    #expect(CalendarText.date(nanoseconds: -1) == "1969-12-31" && CalendarText.date(nanoseconds: .min) == "1677-09-21")
    for text in ["2024-02-29", "2000-02-29", "1969-12-31", "2262-04-11"] {
      #expect(CalendarText.nanoseconds(text).map { CalendarText.date(nanoseconds: $0) } == text)
    }
    for text in ["2023-02-29", "1900-02-29", "2025-13-01", "2025-00-10", "2025-01-32", "2025-1-01", "3000-01-01"] {
      #expect(CalendarText.nanoseconds(text) == nil, "\(text)")
    }
  }
}
