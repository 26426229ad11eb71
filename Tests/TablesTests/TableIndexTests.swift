import Events
import TestSupport
import Testing

@testable import Tables

@Suite struct TableIndexTests {
  /// Random keys, many of them alike, with whole and with starved fingerprints, against a dictionary.
  @Test(arguments: [UInt32.max, 3, 0])
  func isADictionary(_ mask: UInt32) {
    var random = SeededRandom(UInt64(mask) + 1)
    let index = TableIndex(seed: HashSeed(first: 1, second: 2), fingerprintMask: mask)
    var reference: [[UInt8]: Int32] = [:]
    func key() -> [UInt8] {
      (0..<Int.random(in: 0...40, using: &random)).map { _ in .random(in: 0...1, using: &random) }
    }
    for _ in 0..<4000 {
      let key = key()
      let isNew = key.withUnsafeBufferPointer { index.insert($0) }
      #expect(isNew == (reference[key] == nil))
      if isNew { reference[key] = Int32(reference.count) }
    }
    for _ in 0..<4000 {
      let key = key()
      #expect(key.withUnsafeBufferPointer { index.find($0) } == reference[key] ?? -1)
    }
    #expect(index.count == reference.count)
  }

  /// A batch of rows is looked up as row after row is, whatever is selected, and rows without a value get -1.
  @Test func findsABatch() throws {
    var random = SeededRandom(9)
    let table = try load((0..<500).map { "key\($0)" }.joined(separator: "\n"), .text)
    let texts = (0..<300).map { _ in Array("key\(Int.random(in: 0..<1000, using: &random))".utf8) }
    let arena = TextArena()
    let storage = ColumnStorage(type: .string, capacity: 300)
    for (row, text) in texts.enumerated() {
      storage.column.views[row] = arena.store(String(decoding: text, as: UTF8.self))
      storage.column.states[row] = row % 7 == 0 ? CellState.absent.rawValue : CellState.value.rawValue
    }
    let selection = Selection(capacity: 300)
    for row in 0..<300 where row % 3 != 1 { selection.append(Int32(row)) }
    var entries = [Int32](repeating: -9, count: 300)
    table.find(storage.column, rows: selection, into: &entries)
    for row in 0..<300 {
      if row % 3 == 1 {
        #expect(entries[row] == -9)
      } else if row % 7 == 0 {
        #expect(entries[row] == -1)
      } else {
        #expect(entries[row] == table.find(storage.column.views[row]))
      }
    }
  }

  @Test func spreadsItsHashes() {
    let hasher = IndexHasher(seed: HashSeed(first: 3, second: 4))
    var seen: Set<KeyHash> = []
    for number in 0..<20_000 {
      let key = Array("0x\(String(number, radix: 16))".utf8)
      seen.insert(key.withUnsafeBufferPointer { hasher.hash($0) })
    }
    #expect(seen.count == 20_000)
    #expect(Set(seen.map { $0.low & 0xFFFF }).count > 15_000)
    let zeros = (0..<40).map { [UInt8](repeating: 0, count: $0).withUnsafeBufferPointer { hasher.hash($0) } }
    #expect(Set(zeros).count == 40)
  }
}

@Suite struct TableSnapshotTests {
  @Test func aHundredThousandAddressesAreSmall() throws {
    var text = "address,category,source\n"
    for number in 0..<100_000 {
      let digits = String(UInt64(number) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
      text += "0x" + String(repeating: "0", count: 40 - digits.count) + digits + ",mixer,https://example.org/list\n"
    }
    // The first number is the zero address, which an allowlist may have.
    let table = try load(text, .csv, key: .address, kind: .allowlist)
    #expect(table.entryCount == 100_000)
    #expect(table.byteCount < 20_000_000, "\(table.byteCount)")
  }

  @Test func holdsMaxShrink() throws {
    let directory = try TemporaryDirectory()
    var source = TableSource(
      name: "t", path: try directory.write("a\nb\nc\nd\n".utf8), format: .text, key: .string, maxShrink: 0.5)
    let old = try TableLoader.load(source)
    _ = try directory.write("a\nb\n".utf8)
    #expect(try TableLoader.load(source, previous: old).entryCount == 2)
    _ = try directory.write("a\n".utf8)
    #expect(throws: TableLoadError.shrank(table: "t", from: 4, to: 1, maxShrink: 0.5)) {
      try TableLoader.load(source, previous: old)
    }
    source.maxShrink = nil
    #expect(try TableLoader.load(source, previous: old).entryCount == 1)
  }

  @Test func itsVersionIsTheContents() throws {
    #expect(try load("abc", .text).version == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(try load("", .text).warnings.count == 1)
  }

  @Test func tellsWhatCannotBeRead() throws {
    let missing = TableSource(name: "t", path: "/nonexistent/list", format: .text, key: .string)
    let directory = TableSource(name: "t", path: "/tmp", format: .text, key: .string)
    for source in [missing, directory] {
      do throws(TableLoadError) {
        _ = try TableLoader.load(source)
        Issue.record("loaded \(source.path)")
      } catch {
        guard case .unreadable = error else {
          Issue.record("\(error)")
          return
        }
      }
    }
  }

  @Test func checksTheDeclarationFirst() {
    let source = TableSource(
      name: "t", path: "/nonexistent", format: .ndjson, key: .string, keyColumn: "key",
      columns: [TableSourceColumn(name: "n", type: .int), TableSourceColumn(name: "n", type: .list(.int))],
      else: ["n": "x", "m": "1"], maxShrink: 2)
    do throws(TableLoadError) {
      _ = try TableLoader.load(source)
      Issue.record("loaded")
    } catch {
      guard case .declaration(_, let messages) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(messages.count == 7, "\(messages)")
    }
  }
}
