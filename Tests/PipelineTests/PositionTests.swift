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
