import Detection
import Testing

@testable import Pipeline

@Suite struct PositionTests {
  @Test func metadataComesBack() {
    for position in [
      Position(offset: 0, sequence: 0, replay: nil),
      Position(offset: 99, sequence: 7, replay: ReplayPoint(offset: 12, largest: .min)),
      Position(offset: .max, sequence: .max, replay: ReplayPoint(offset: 12, largest: -5)),
      Position(offset: 5, sequence: 1, replay: ReplayPoint(offset: 5, largest: .max)),
    ] {
      #expect(Position(offset: position.offset, metadata: position.metadata) == position)
      #expect(position.metadata.utf8.count < 200)
    }
  }

  @Test(arguments: [
    "", "hello", "tocsin1", "tocsin1 sequence", "tocsin1 sequence=x", "tocsin1 sequence=-1", "tocsin2 sequence=5",
    "tocsin1 sequence=5 replay=", "tocsin1  sequence=5 =", "tocsin1 sequence=99999999999999999999",
  ])
  func foreignMetadataReadsAsNone(_ text: String) {
    let position = Position(offset: 10, metadata: text)
    #expect(position.offset == 10 && position.replay == nil)
  }

  @Test func aReplayAfterTheOffsetIsNotBelieved() {
    #expect(Position(offset: 10, metadata: "tocsin1 sequence=5 replay=11").replay == nil)
    #expect(Position(offset: 10, metadata: "tocsin1 sequence=5 replay=-1").replay == nil)
    #expect(Position(offset: 10, metadata: "tocsin1 sequence=5 replay=11").sequence == 5)
  }

  @Test func coveringIsByOffsetThenSequence() {
    let position = Position(offset: 10, sequence: 5, replay: nil)
    #expect(position.covers(Position(offset: 10, sequence: 5, replay: nil)))
    #expect(position.covers(Position(offset: 9, sequence: 50, replay: nil)))
    #expect(!position.covers(Position(offset: 10, sequence: 6, replay: nil)))
    #expect(!position.covers(Position(offset: 11, sequence: 1, replay: nil)))
  }
}

/// Which version is in force where rides beside the offset.
@Suite struct PositionVersionTests {
  private let ids = VersionLedgerTests.ids

  @Test func itComesBack() throws {
    let ledger = try #require(VersionLedger(word: "\(ids[0])@0,\(ids[1])@12"))
    let position = Position(
      offset: 99, sequence: 7, replay: ReplayPoint(offset: 12, largest: 5), active: ledger)
    #expect(position.metadata.hasSuffix(" active=\(ids[0])@0,\(ids[1])@12"))
    #expect(Position(offset: 99, metadata: position.metadata) == position)
  }

  /// The fullest ledger that there can be stays under the broker's bound of 4,096 bytes.
  @Test func itIsBounded() throws {
    var ledger = VersionLedger()
    for place in 0..<VersionLedger.limit { _ = ledger.activate(ids[place % 2], at: .max - 100 + Int64(place)) }
    let position = Position(
      offset: .max, sequence: .max, replay: ReplayPoint(offset: .max, largest: .min + 1), active: ledger)
    #expect(position.metadata.utf8.count < 2_300)
    #expect(Position(offset: .max, metadata: position.metadata) == position)
  }

  /// Words of a later version are left out; a damaged ledger is never guessed at.
  @Test func otherWords() {
    let position = Position(offset: 10, metadata: "tocsin1 sequence=5 watermark=x9 replay=3 later=a,b")
    #expect(position.sequence == 5 && position.replay?.offset == 3 && position.active.word == "")
    let damaged = Position(offset: 10, metadata: "tocsin1 sequence=5 replay=3 active=\(ids[0])@x")
    #expect(damaged == Position(offset: 10, sequence: 0, replay: nil))
  }
}
