import Events
import TestSupport
import Testing

@testable import Detection

/// Whatever stored state says, reading it ends: with a detector that works, or with an error that names what is wrong.
@Suite struct StateFuzzTests {
  @Test(arguments: UInt64(3_000)..<3_008)
  func damagedRecords(_ seed: UInt64) throws {
    var given = StateTests.makeCase(seed)
    var random = SeededRandom(seed)
    let texts = ["count_distinct(s)", "latest(s)", "avg(m)", "min(b)", "sum(x)", "max(m)"]
    given.rules[3] = RuleSpec(
      id: "r3",
      kind: .window(
        .tumbling(1_000_000_000_000_000), lets: texts.map { text in LetSpec(text: text) { _ in nil } }, conditions: []))
    for place in given.events.indices where place < 230 {
      if random.once(in: 2) { given.events[place].k = "k0" }
      given.events[place].s = "s\(place)"
    }
    let plans = try given.rules.map { try $0.plan() }
    let hashSeed = HashSeed(first: seed, second: 3)
    let run = DetectorRun(plans, outOfOrder: given.outOfOrder, seed: hashSeed)
    _ = run.feedAll(Array(given.events[..<200])) { 20 }
    let cut = run.detector.cutState()
    let after = Array(given.events[200...])
    var refused = 0
    for round in 0..<40 {
      let again = DetectorRun(plans, outOfOrder: given.outOfOrder, seed: hashSeed)
      var cut = cut
      if round % 3 == 0 { mutate(&cut.header, &random) }
      for _ in 0..<random.int(1...4) {
        let place = Int.random(in: cut.records.indices, using: &random)
        if random.once(in: 4) {
          mutate(&cut.records[place].key, &random)
        } else if var value = cut.records[place].value {
          mutate(&value, &random)
          cut.records[place].value = value
        }
      }
      do {
        try again.detector.restore(header: cut.header, cut.records)
        _ = again.feedAll(after)
        _ = again.detector.replayPoint()
        _ = again.detector.cutState()
      } catch let error as StateError {
        refused += 1
        #expect(!error.place.isEmpty && !error.problem.isEmpty)
      }
    }
    #expect(refused > 5)
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    let place = Int.random(in: 0...bytes.count, using: &random)
    switch random.int(0...5) {
    case 0: bytes.removeLast(bytes.count - place)
    case 1: bytes.insert(UInt8(random.int(0...255)), at: place)
    case 2: bytes += (0..<random.int(1...20)).map { _ in UInt8.random(in: 0...255, using: &random) }
    case 3: if place < bytes.count { bytes[place] = random.pick([0, 1, 127, 128, 255]) }
    case 4: for index in place..<min(bytes.count, place + 8) { bytes[index] = random.pick([0, 255]) }
    default: if place < bytes.count { bytes[place] ^= 1 << UInt8(random.int(0...7)) }
    }
  }

  /// A value cut short anywhere is refused.
  @Test func shortRecords() throws {
    let given = StateTests.makeCase(5)
    let plans = try given.rules.map { try $0.plan() }
    let hashSeed = HashSeed(first: 5, second: 3)
    let run = DetectorRun(plans, seed: hashSeed)
    _ = run.feedAll(given.events)
    let cut = run.detector.cutState()
    let again = DetectorRun(plans, seed: hashSeed)
    for record in cut.records {
      let value = try #require(record.value)
      for count in value.indices {
        #expect(throws: StateError.self) {
          try again.detector.restore(
            header: cut.header, [StateRecord(key: record.key, value: Array(value[..<count]))])
        }
      }
    }
    for count in cut.header.indices {
      #expect(throws: StateError.self) { try again.detector.beginRestore(header: Array(cut.header[..<count])) }
    }
  }

  /// Registers that no set of values has.
  @Test func impossibleSketches() throws {
    for rank in UInt8(1)...54 {
      var writer = ByteWriter()
      writer.flag(true)
      writer.raw([UInt8](repeating: rank, count: 4_096))
      var set = DistinctSet()
      defer { set.removeAll() }
      let result = writer.bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        return Result { try set.read(&reader) }
      }
      #expect((try? result.get()) != nil || rank > 53)
      #expect(set.count >= 0)
    }
  }

  /// What is written is read again.
  @Test func numbersComeBack() throws {
    var random = SeededRandom(6)
    for _ in 0..<2_000 {
      let number = UInt64.random(in: 0 ... .max, using: &random) >> UInt64(random.int(0...63))
      let signed =
        Int128.random(in: .min ... .max, using: &random) >> Int128(random.int(0...127))
      let scalar = random.pick([
        Scalar.decimal(signed, scale: 4), .uint(number), .double(.init(bitPattern: number | 1)), .null,
        .list([.string("ü\(number)"), .bool(true)]), .duration(-5),
      ])
      var writer = ByteWriter()
      writer.number(number)
      writer.signed(signed)
      writer.scalar(scalar)
      try writer.bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        #expect(try reader.number() == number)
        #expect(try reader.signed(as: Int128.self) == signed)
        let found = try reader.scalar()
        #expect(found == scalar || "\(found)" == "\(scalar)")
        try reader.end()
      }
    }
  }
}
