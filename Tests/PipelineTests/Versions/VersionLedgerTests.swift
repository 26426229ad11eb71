import TestSupport
import Testing

@testable import Pipeline

/// What is in force where.
@Suite struct VersionLedgerTests {
  static let ids = (0..<6).map { VersionID(manifest: [UInt8($0)]) }

  /// A list of (offset, version), walked through from the start.
  private struct Model {
    var entries: [(offset: Int64, version: VersionID)] = []

    func version(at offset: Int64) -> VersionID? {
      var found: VersionID?
      for entry in entries where entry.offset <= offset { found = entry.version }
      return found ?? entries.first?.version
    }

    func next(after offset: Int64) -> Int64? {
      for entry in entries where entry.offset > offset { return entry.offset }
      return nil
    }
  }

  @Test func oneAfterTheOther() {
    var ledger = VersionLedger()
    let (a, b) = (Self.ids[0], Self.ids[1])
    #expect(ledger.version(at: 5) == nil && ledger.latest == nil && ledger.word == "")
    let isTaken1 = ledger.activate(a, at: 10)
    #expect(isTaken1)
    let isTaken2 = ledger.activate(a, at: 20)
    #expect(isTaken2)
    let isTaken3 = ledger.activate(b, at: 30)
    #expect(isTaken3)
    #expect(ledger.word == "\(a)@10,\(b)@30")
    #expect(ledger.version(at: 9) == a && ledger.version(at: 29) == a && ledger.version(at: 30) == b)
    #expect(ledger.next(after: 9) == 10 && ledger.next(after: 10) == 30 && ledger.next(after: 30) == nil)
    #expect(ledger.versions == [a, b])
    ledger.forget(before: 29)
    #expect(ledger.word == "\(a)@10,\(b)@30")
    ledger.forget(before: 30)
    #expect(ledger.word == "\(b)@30")
  }

  /// A version that never had a record gives way.
  @Test func atOneOffset() {
    var ledger = VersionLedger()
    _ = ledger.activate(Self.ids[0], at: 0)
    let isTaken4 = ledger.activate(Self.ids[1], at: 7)
    #expect(isTaken4)
    let isTaken5 = ledger.activate(Self.ids[2], at: 7)
    #expect(isTaken5)
    #expect(ledger.word == "\(Self.ids[0])@0,\(Self.ids[2])@7")
    let isTaken6 = ledger.activate(Self.ids[0], at: 7)
    #expect(isTaken6)
    #expect(ledger.word == "\(Self.ids[0])@0")
  }

  @Test func bound() {
    var ledger = VersionLedger()
    for place in 0..<VersionLedger.limit {
      let isTaken7 = ledger.activate(Self.ids[place % 2], at: .max - 1_000 + Int64(place))
      #expect(isTaken7)
    }
    #expect(ledger.isFull)
    let isTaken8 = ledger.activate(Self.ids[2], at: .max - 1)
    #expect(!isTaken8)
    let isTaken9 = ledger.activate(ledger.latest ?? Self.ids[0], at: .max - 1)
    #expect(isTaken9)
    #expect(ledger.word.utf8.count < 2_048)
    #expect(VersionLedger(word: ledger.word) == ledger)
    ledger.forget(before: .max - 990)
    let isTaken10 = ledger.activate(Self.ids[2], at: .max - 1)
    #expect(isTaken10)
  }

  @Test(arguments: 0..<40 as Range<UInt64>) func againstTheModel(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    var ledger = VersionLedger()
    var model = Model()
    var offset: Int64 = 0
    for _ in 0..<100 {
      offset += Int64.random(in: 1...9, using: &random)
      let version = Self.ids[Int.random(in: 0..<Self.ids.count, using: &random)]
      if ledger.activate(version, at: offset), model.entries.last?.version != version {
        model.entries.append((offset, version))
      }
      if Int.random(in: 0..<3, using: &random) == 0 {
        let from = offset - Int64.random(in: 0...40, using: &random)
        ledger.forget(before: from)
        while model.entries.count > 1, model.entries[1].offset <= from { model.entries.removeFirst() }
        for place in from...offset { #expect(ledger.version(at: place) == model.version(at: place)) }
      }
      let place = offset - Int64.random(in: 0...30, using: &random)
      #expect(ledger.version(at: place) == model.version(at: place))
      #expect(ledger.next(after: place) == model.next(after: place))
      #expect(VersionLedger(word: ledger.word) == ledger)
    }
  }

  @Test(arguments: [
    "x", "@", "1@2", "\(ids[0])", "\(ids[0])@", "\(ids[0])@-1", "\(ids[0])@+1", "\(ids[0])@01", "\(ids[0])@1,",
    "\(ids[0])@1,\(ids[1])@1", "\(ids[0])@2,\(ids[1])@1", "\(ids[0])@1,\(ids[0])@2",
    "\(ids[0])@9223372036854775808", "\(ids[0])@1 ",
  ]) func malformed(_ word: String) {
    #expect(VersionLedger(word: word) == nil)
  }

  @Test func mutated() throws {
    var random = SeededRandom(3)
    var ledger = VersionLedger()
    for place in 0..<5 { _ = ledger.activate(Self.ids[place], at: Int64(place * 1_000)) }
    for _ in 0..<3_000 {
      var bytes = Array(ledger.word.utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: place)
        }
      }
      let word = String(decoding: bytes, as: UTF8.self)
      // What is read is written in the same way: nothing is guessed at.
      if let read = VersionLedger(word: word) { #expect(read.word == word) }
    }
  }
}

/// Which version a batch is worked on with.
@Suite struct VersionScheduleTests {
  private let ids = VersionLedgerTests.ids

  @Test func aFreshPartition() {
    var schedule = VersionSchedule(ledger: VersionLedger(), committed: 5, newest: ids[0])
    #expect(schedule.end(ofBatchFrom: 5) == nil)
    let version11 = schedule.version(ofBatchFrom: 5)
    #expect(version11 == ids[0])
    #expect(schedule.ledger.word == "\(ids[0])@5")
    schedule.offer(ids[1])
    let version12 = schedule.version(ofBatchFrom: 9)
    #expect(version12 == ids[1])
    #expect(schedule.ledger.word == "\(ids[0])@5,\(ids[1])@9")
  }

  @Test func aReplayWithAnotherFileInPlace() throws {
    let ledger = try #require(VersionLedger(word: "\(ids[0])@10,\(ids[1])@20"))
    var schedule = VersionSchedule(ledger: ledger, committed: 30, newest: ids[2])
    let version13 = schedule.version(ofBatchFrom: 12)
    #expect(version13 == ids[0])
    #expect(schedule.end(ofBatchFrom: 12) == 20)
    let version14 = schedule.version(ofBatchFrom: 20)
    #expect(version14 == ids[1])
    #expect(schedule.end(ofBatchFrom: 20) == 30)
    // An offer in mid-replay changes nothing that was.
    schedule.offer(ids[3])
    let version15 = schedule.version(ofBatchFrom: 25)
    #expect(version15 == ids[1])
    let version16 = schedule.version(ofBatchFrom: 30)
    #expect(version16 == ids[3])
    #expect(schedule.end(ofBatchFrom: 30) == nil)
    #expect(schedule.ledger.word == "\(ids[0])@10,\(ids[1])@20,\(ids[3])@30")
  }

  @Test func aReplayWithTheSameFile() throws {
    let ledger = try #require(VersionLedger(word: "\(ids[0])@10"))
    var schedule = VersionSchedule(ledger: ledger, committed: 30, newest: ids[0])
    #expect(schedule.end(ofBatchFrom: 12) == nil)
    let version17 = schedule.version(ofBatchFrom: 12)
    #expect(version17 == ids[0])
    let version18 = schedule.version(ofBatchFrom: 30)
    #expect(version18 == ids[0])
    #expect(schedule.ledger == ledger)
  }

  @Test func aFullLedgerKeepsTheOldOne() {
    var schedule = VersionSchedule(ledger: VersionLedger(), committed: 0, newest: ids[0])
    for place in 0..<Int64(VersionLedger.limit) {
      schedule.offer(ids[Int(place) % 2])
      _ = schedule.version(ofBatchFrom: place)
    }
    schedule.offer(ids[2])
    let version19 = schedule.version(ofBatchFrom: 100)
    #expect(version19 == ids[1])
    schedule.forget(before: 50)
    let version20 = schedule.version(ofBatchFrom: 101)
    #expect(version20 == ids[2])
  }

  /// Runs over a partition with restarts and offers at random: each record is worked on by the same version whenever it is read.
  @Test(arguments: 0..<60 as Range<UInt64>) func restarts(_ seed: UInt64) throws {
    var random = SeededRandom(seed)
    var versions: [Int64: VersionID] = [:]
    var (committed, word, replay) = (Int64(0), "", Int64(0))
    var newest = ids[0]
    for _ in 0..<12 {
      let ledger = try #require(VersionLedger(word: word))
      var schedule = VersionSchedule(ledger: ledger, committed: committed, newest: newest)
      var offset = replay
      while offset < committed + 20 {
        if Int.random(in: 0..<4, using: &random) == 0 {
          newest = ids[Int.random(in: 0..<ids.count, using: &random)]
          schedule.offer(newest)
        }
        var end = offset + Int64.random(in: 1...8, using: &random)
        end = min(end, schedule.end(ofBatchFrom: offset) ?? .max)
        let version = schedule.version(ofBatchFrom: offset)
        for place in offset..<end {
          // What was not committed may be worked on anew by another version: nothing of it was told.
          if place < committed { #expect(versions[place] == version, "offset \(place)") }
          versions[place] = version
        }
        offset = end
        if offset > committed, Int.random(in: 0..<5, using: &random) == 0 {
          replay = max(replay, offset - Int64.random(in: 0...15, using: &random))
          schedule.forget(before: replay)
          (committed, word) = (offset, schedule.ledger.word)
          break
        }
      }
      if Bool.random(using: &random) { newest = ids[Int.random(in: 0..<ids.count, using: &random)] }
    }
    #expect(committed > 0)
  }
}
