import Events
import TestSupport
import Testing

/// Many records at a time: what a batch holds does not depend on where it was cut, nor on what the decoder saw before.
@Suite struct BatchTests {
  @Test func batchesOfAnySizeDecodeAsSingleRecordsDo() {
    var random = SeededRandom(21)
    let documents: [[UInt8]?] = (0..<600).map { _ in
      if Int.random(in: 0..<20, using: &random) == 0 { return nil }
      var bytes = Array(DocumentMaker.document(&random).utf8)
      if Bool.random(using: &random) { DocumentMaker.mutate(&bytes, &random) }
      return bytes
    }
    let decoder = EventDecoder(schema: sampleSchema, maximumRecordBytes: 1 << 20)
    let records = RecordBatch(topic: "t", partition: 3, capacity: 64, arenaCapacity: 64)
    let batch = EventBatch(schema: sampleSchema, records: records)
    var next = 0
    while next < documents.count {
      let count = min(Int.random(in: 1...64, using: &random), documents.count - next)
      records.removeAll(keeping: 1 << 10)
      batch.reset()
      for index in next..<(next + count) {
        if let document = documents[index] {
          document.withUnsafeBytes { records.append(offset: Int64(index), timestamp: 5, key: nil, value: $0) }
        } else {
          records.append(offset: Int64(index), timestamp: 5, key: nil, value: nil)
        }
      }
      decoder.decode(batch)
      for row in 0..<count { compare(batch, row, documents[next + row]) }
      #expect(batch.decoded.count + batch.failures.count == count)
      next += count
    }
  }

  private func compare(_ batch: EventBatch, _ row: Int, _ document: [UInt8]?) {
    let (alone, decoder) = decode([document])
    withExtendedLifetime(decoder) {
      let failure = batch.failures.first { $0.row == row }
      #expect(failure?.reason == alone.failures.first?.reason && failure?.detail == alone.failures.first?.detail)
      #expect(batch.decoded.indices.contains(row) == (failure == nil))
      guard failure == nil else { return }
      for (slot, field) in batch.schema.fields.enumerated() {
        #expect(batch.columns[slot].scalar(row) == alone.columns[slot].scalar(0), "\(field.name)")
      }
    }
  }

  @Test func recordsAndHeadersComeBackAsTheyWent() {
    var random = SeededRandom(22)
    func bytes(_ most: Int) -> [UInt8] {
      (0..<Int.random(in: 0...most, using: &random)).map { _ in .random(in: 0...255, using: &random) }
    }
    for _ in 0..<40 {
      let records = RecordBatch(topic: "t", partition: 0, capacity: 30, arenaCapacity: 16)
      var expected: [(key: [UInt8]?, value: [UInt8]?, headers: [RecordBatch.Header])] = []
      for row in 0..<30 {
        let key = Bool.random(using: &random) ? bytes(40) : nil
        let value = Bool.random(using: &random) ? bytes(500) : nil
        let headers = (0..<Int.random(in: 0...4, using: &random)).map { _ in
          RecordBatch.Header(
            name: ["a", "b", "", "\u{e9}"].randomElement(using: &random) ?? "",
            value: Bool.random(using: &random) ? bytes(9) : nil)
        }
        expected.append((key, value, headers))
        append(records, Int64(row), key, value, RecordBatch.encode(headers: headers))
      }
      #expect(records.isFull && records.count == 30)
      for (row, record) in expected.enumerated() {
        #expect(records.key(row).map { Array($0.buffer) } == record.key)
        #expect(records.value(row).map { Array($0.buffer) } == record.value)
        #expect(records.headers(row) == record.headers && records[row].offset == Int64(row))
        for name in ["a", "b", "", "\u{e9}", "none"] {
          let last = record.headers.last { $0.name == name }
          switch records.header(row, named: Array(name.utf8)) {
          case .missing: #expect(last == nil)
          case .null: #expect(last != nil && last?.value == nil)
          case .value(let view): #expect(last?.value == Array(view.buffer))
          }
        }
      }
    }
  }

  private func append(
    _ records: RecordBatch, _ offset: Int64, _ key: [UInt8]?, _ value: [UInt8]?, _ headers: [UInt8]
  ) {
    (key ?? []).withUnsafeBytes { keyBytes in
      (value ?? []).withUnsafeBytes { valueBytes in
        headers.withUnsafeBytes {
          records.append(
            offset: offset, timestamp: 1, key: key == nil ? nil : keyBytes, value: value == nil ? nil : valueBytes,
            headers: $0)
        }
      }
    }
  }

  @Test func selectionsAreListsOfRows() {
    var random = SeededRandom(23)
    for _ in 0..<200 {
      let selection = Selection(capacity: 40)
      var expected: [Int] = []
      for row in 0..<40 where Bool.random(using: &random) {
        selection.append(Int32(row))
        expected.append(row)
      }
      for _ in 0..<10 {
        let row = Int.random(in: 0..<45, using: &random)
        selection.remove(Int32(row))
        expected.removeAll { $0 == row }
        #expect(selection.indices == expected)
      }
    }
  }

  @Test func failuresAreInOrderAndTheFirstOfARowCounts() {
    var random = SeededRandom(24)
    let (batch, _) = decode((0..<20).map { _ in Array(#"{"ts":1,"id":"a"}"#.utf8) })
    var expected: [Int: String] = [:]
    for step in 0..<60 {
      let row = Int.random(in: 0..<20, using: &random)
      batch.fail(row: row, reason: .derivedFailed, detail: "\(step)")
      if expected[row] == nil { expected[row] = "\(step)" }
      #expect(batch.failures.map(\.row) == expected.keys.sorted())
      #expect(batch.failures.allSatisfy { $0.detail == expected[$0.row] })
      #expect(batch.decoded.indices == (0..<20).filter { expected[$0] == nil })
    }
  }

  @Test func keysOfABatchHashAsKeysOfARow() {
    var random = SeededRandom(25)
    let rows = 30
    let (batch, decoder) = decode(
      (0..<rows).map { _ in
        let count = Int.random(in: 0...40, using: &random)
        return Array(#"{"ts":1,"id":"\#(String(repeating: "x", count: count))","n":\#(count)}"#.utf8)
      })
    withExtendedLifetime(decoder) {
      let hasher = KeyHasher(seed: HashSeed(first: 5, second: 6))
      let all = Selection(capacity: rows)
      all.selectAll(rows)
      for columns in [
        [batch.columns[1]], [batch.columns[1], batch.columns[2]], [batch.columns[2]], [batch.columns[5]],
      ] {
        var hashes = [KeyHash](repeating: KeyHash(low: 0, high: 0), count: rows)
        hasher.hash(columns, rows: all, into: &hashes)
        for row in 0..<rows { #expect(hashes[row] == hasher.hash(columns, row: row)) }
      }
    }
  }
}

/// Texts that strangers wrote.
@Suite struct TextFuzzTests {
  private func mutated(_ samples: [String], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = Array((samples.randomElement(using: &random) ?? "").utf8)
    for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] = .random(in: 0...255, using: &random)
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(contentsOf: bytes[place...].prefix(5), at: place)
      default: bytes[place] = Array("0123456789.:-+TZeE%xf".utf8).randomElement(using: &random) ?? 0
      }
    }
    return bytes
  }

  @Test func timesNeverTrapAndReadBack() throws {
    var random = SeededRandom(31)
    let samples = [
      "2026-11-24T10:15:30.123456789+01:00", "1677-09-21T00:12:44Z", "2262-04-11T23:47:16Z", "0000-01-01t00:00:60z",
    ]
    for _ in 0..<5_000 {
      let bytes = mutated(samples, &random)
      guard let time = bytes.withUnsafeBufferPointer({ try? TimestampText.nanoseconds($0) }) else { continue }
      var text = TimestampText.text(time)
      #expect(try text.withUTF8 { try TimestampText.nanoseconds($0) } == time)
    }
  }

  @Test func addressesOfTheInternetHaveOneForm() {
    var random = SeededRandom(32)
    func canonical(_ bytes: [UInt8]) -> [UInt8]? {
      var target = [UInt8](repeating: 0, count: InternetAddress.maximumTextCount)
      let count = bytes.withUnsafeBufferPointer { InternetAddress.canonical($0, into: &target) }
      return count.map { Array(target.prefix($0)) }
    }
    let samples = [
      "10.0.0.1", "2001:DB8:0:0:0:0:0:1", "::ffff:1.2.3.4", "fe80::1%eth0", "255.255.255.255", "::", "1::8",
    ]
    for _ in 0..<5_000 {
      guard let form = canonical(mutated(samples, &random)) else { continue }
      #expect(canonical(form) == form)
    }
    for (text, form) in [
      ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::FFFF:1.2.3.4", "::ffff:1.2.3.4"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
    ] {
      #expect(canonical(Array(text.utf8)) == Array(form.utf8))
    }
    for text in ["fe80::1%eth0", "1.2.3", "1.2.3.4.5", "01.2.3.4", "", ":", "1.2.3.4 ", "12345::"] {
      #expect(canonical(Array(text.utf8)) == nil, "\(text)")
    }
  }

  /// Decimals against their digits: what is exact is exact, what is cut says so.
  @Test func decimalsAreTheirDigits() {
    var random = SeededRandom(33)
    for _ in 0..<4_000 {
      let whole = String(Int.random(in: 0...999_999, using: &random))
      let fraction = String(
        (0..<Int.random(in: 0...6, using: &random)).map { _ in "0123456789".randomElement(using: &random) ?? "0" })
      let power = Int.random(in: -8...8, using: &random)
      let sign = Bool.random(using: &random) ? "-" : ""
      var text = sign + whole + (fraction.isEmpty ? "" : "." + fraction) + "e\(power)"
      let scale = Int.random(in: 0...8, using: &random)
      // The digits, moved by the point, the power and the scale.
      let digits = Int128(whole + fraction) ?? 0
      let shift = power - fraction.utf8.count + scale
      var expected = digits
      var isExact = true
      for _ in 0..<max(0, shift) { expected *= 10 }
      for _ in 0..<max(0, -shift) {
        if expected % 10 != 0 { isExact = false }
        expected /= 10
      }
      let scaled = text.withUTF8 { DecimalText($0) }?.scaled(scale)
      #expect(scaled?.value == (sign.isEmpty ? expected : -expected), "\(text)")
      #expect(scaled?.isExact == isExact, "\(text)")
    }
  }

  @Test func mutatedNumbersNeverTrap() {
    var random = SeededRandom(34)
    let samples = [
      "170141183460469231731687303715884105727", "-1.5e-9", "1e999999999999", String(repeating: "9", count: 60),
      "0.000001",
    ]
    for _ in 0..<5_000 {
      let bytes = mutated(samples, &random)
      guard let number = bytes.withUnsafeBufferPointer({ DecimalText($0) }) else { continue }
      for scale in [0, 2, 38] {
        guard let scaled = number.scaled(scale), scaled.isExact else { continue }
        var text = DecimalText.text(scaled.value, scale: scale)
        #expect(text.withUTF8 { DecimalText($0) }?.scaled(scale)?.value == scaled.value)
      }
    }
  }
}
