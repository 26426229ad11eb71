import Events
import TestSupport
import Testing

@testable import Pipeline

/// What the state topic keeps comes back as it was, and nothing that was damaged is taken for something else.
@Suite struct SnapshotCodecTests {
  private static let partition = PartitionID("orders.state", 3)

  private func bytes(_ most: Int, _ random: inout SeededRandom) -> [UInt8] {
    (0..<Int.random(in: 0...most, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
  }

  private func marker(_ random: inout SeededRandom) -> SnapshotMarker {
    SnapshotMarker(
      offset: Int64.random(in: 0...Int64.max, using: &random), sequence: Int64.random(in: 0...99, using: &random),
      series: UInt32.random(in: 0...UInt32.max, using: &random),
      seed: HashSeed(first: random.next(), second: random.next()),
      topic: ["orders", "zahlungen-ä", ""].randomElement(
        using: &random) ?? "", partitionCount: Int32.random(in: 1...Int32.max, using: &random),
      versions: Dictionary(
        (0..<Int.random(in: 0...4, using: &random)).map { ("table t\($0)", "sha256:\(random.next())") }
      ) { first, _ in first }, recordCount: Int64.random(in: 0...1_000, using: &random), header: bytes(300, &random))
  }

  private func read(_ key: [UInt8]?, _ value: [UInt8]?) throws(SnapshotError) -> SnapshotCodec.Record {
    let outcome: Result<SnapshotCodec.Record, SnapshotError> = (key ?? []).withUnsafeBytes { keyBytes in
      (value ?? []).withUnsafeBytes { valueBytes in
        Result { () throws(SnapshotError) in
          let record = try SnapshotCodec.read(
            key: key == nil ? nil : keyBytes, value: value == nil ? nil : valueBytes, in: Self.partition, at: 7)
          if case .state(let series, let own, let value) = record {
            // Beyond the call the bytes are gone: the test compares them here.
            #expect(own.elementsEqual((key ?? []).dropFirst(5)))
            return .state(series: series, key: own, value: value)
          }
          return record
        }
      }
    }
    return try outcome.get()
  }

  @Test(arguments: 0..<50) func markersComeBack(seed: Int) throws {
    var random = SeededRandom(UInt64(seed))
    let marker = marker(&random)
    guard case .marker(let found) = try read(SnapshotCodec.markerKey, SnapshotCodec().value(of: marker)) else {
      Issue.record("a marker is a marker")
      return
    }
    #expect(found == marker)
  }

  @Test(arguments: 0..<50) func stateComesBack(seed: Int) throws {
    var random = SeededRandom(UInt64(seed))
    let codec = SnapshotCodec()
    let (own, payload) = (bytes(60, &random), bytes(2_000, &random))
    let series = UInt32.random(in: 0...UInt32.max, using: &random)
    let key = codec.key(own, series: series)
    let value = codec.seal(key, payload)
    try key.withUnsafeBytes { keyBytes in
      try value.withUnsafeBytes { valueBytes in
        guard
          case .state(let found, let foundKey, let foundValue?) = try SnapshotCodec.read(
            key: keyBytes, value: valueBytes, in: Self.partition, at: 0)
        else {
          Issue.record("a piece of state is a piece of state")
          return
        }
        #expect(found == series && foundKey.elementsEqual(own) && foundValue.elementsEqual(payload))
      }
    }
    guard case .state(series, _, nil) = try read(key, nil) else {
      Issue.record("a null value is a piece of state that is gone")
      return
    }
  }

  /// One changed byte anywhere, and the record is refused.
  @Test(arguments: 0..<20) func damageIsSeen(seed: Int) throws {
    var random = SeededRandom(UInt64(seed))
    let codec = SnapshotCodec()
    let stateKey = codec.key([1, 2, 3], series: 5)
    let records = [
      (SnapshotCodec.markerKey, codec.value(of: marker(&random))), (stateKey, codec.seal(stateKey, bytes(80, &random))),
    ]
    for (key, value) in records {
      for place in value.indices {
        var damaged = value
        damaged[place] ^= UInt8.random(in: 1...255, using: &random)
        #expect(throws: SnapshotError.self) { try self.read(key, damaged) }
      }
      for count in value.indices { #expect(throws: SnapshotError.self) { try self.read(key, Array(value[..<count])) } }
      #expect(throws: SnapshotError.self) { try self.read(key, value + [0]) }
      #expect(throws: SnapshotError.self) { try self.read(nil, value) }
      #expect(throws: SnapshotError.self) { try self.read([9], value) }
    }
    // A value under another's key.
    #expect(throws: SnapshotError.self) { try self.read(codec.key([1, 2, 4], series: 5), records[1].1) }
    #expect(throws: SnapshotError.self) { try self.read(codec.key([1, 2, 3], series: 6), records[1].1) }
  }

  @Test func anythingElseIsRefusedAndNeverTraps() {
    var random = SeededRandom(4)
    for _ in 0..<3_000 {
      let keys: [[UInt8]] = [[1], [2, 0, 0, 0, 0, 7], bytes(8, &random)]
      let key = keys.randomElement(using: &random) ?? []
      let value: [UInt8] = [1] + bytes(120, &random)
      #expect(throws: SnapshotError.self) { try self.read(key, value) }
    }
  }

  @Test func aNewerFormatIsNamedWithBothNumbers() {
    let codec = SnapshotCodec()
    let key = codec.key([1], series: 0)
    var value = codec.seal(key, [1, 2, 3])
    value[0] = UInt8(SnapshotCodec.newestFormat + 1)
    do throws(SnapshotError) {
      _ = try read(key, value)
      Issue.record("a newer format was read")
    } catch {
      #expect(error.reason == .newerFormat(found: SnapshotCodec.newestFormat + 1, newest: SnapshotCodec.newestFormat))
      #expect(error.description.contains("orders.state/3 at offset 7"))
      #expect(error.description.contains("format 2") && error.description.contains("above 1"))
    }
  }

  /// The check value of the algorithm (RFC 3720, B.4, and the usual nine digits).
  @Test func theChecksumIsCRC32C() {
    func checksum(_ bytes: [UInt8]) -> UInt32 {
      var checksum = CRC32C()
      checksum.add(bytes)
      return checksum.value
    }
    #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(checksum(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(checksum(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(checksum(Array(0..<32)) == 0x46DD_794E)
    var parts = CRC32C()
    for part in [Array(0..<5), Array(5..<6), Array(6..<32)] { parts.add(part.map { UInt8($0) }) }
    #expect(parts.value == 0x46DD_794E)
  }
}
