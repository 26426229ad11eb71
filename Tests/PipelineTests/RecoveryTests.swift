import Detection
import Events
import Testing

@testable import Pipeline

/// Every way in which a partition can be found has a name and an answer.
@Suite struct RecoveryTests {
  private static let partition = PartitionID("orders", 1)

  private func marker(_ offset: Int64, topic: String = "orders", partitions: Int32 = 4) -> StoredMarker {
    StoredMarker(
      SnapshotMarker(
        offset: offset, sequence: 7, series: 3, seed: HashSeed(first: 1, second: 2), topic: topic,
        partitionCount: partitions, versions: [:], recordCount: 0, header: []), at: 99)
  }

  private func decide(
    committed: Position? = nil, _ log: ClosedRange<Int64> = 0...1_000, marker: StoredMarker? = nil,
    origin: StartOffset = .beginning
  ) throws(PipelineFailure) -> Recovery {
    try Recovery.decide(
      Recovery.Facts(
        partition: Self.partition, partitionCount: 4, committed: committed, low: log.lowerBound, high: log.upperBound,
        marker: marker, origin: origin))
  }

  private let committed = Position(offset: 500, sequence: 9, replay: ReplayPoint(offset: 200, largest: 42))

  @Test func nothingIsKnown() throws {
    #expect(try decide(10...90).start.offset == 10)
    let end = try decide(10...90, origin: .end)
    #expect(end.start.offset == 90 && end.start.committed == 90 && end.notes == [] && end.marker == nil)
    #expect(throws: PipelineFailure.self) { try self.decide(origin: .committed) }
  }

  @Test func aSnapshotIsTakenUpAtItsOffset() throws {
    let found = try decide(committed: committed, marker: marker(400))
    #expect(found.start.offset == 400 && found.start.committed == 500 && found.start.sequence == 9)
    #expect(found.start.replay == committed.replay, "the way without the state stays known")
    #expect(found.start.seed == HashSeed(first: 1, second: 2))
    #expect(found.start.partitionCount == 4 && !found.start.isTrimmed)
    #expect(found.marker == marker(400) && found.notes == [])
    #expect(try decide(committed: committed, marker: marker(500)).start.offset == 500)
  }

  @Test func aMarkerButNoCommittedOffset() throws {
    for origin in StartOffset.allCases {
      let found = try decide(marker: marker(400), origin: origin)
      #expect(found.start.offset == 400 && found.start.committed == 400 && found.start.sequence == 7)
      #expect(found.marker != nil && found.notes == [.committedOffsetLost(snapshot: 400)])
    }
  }

  /// Found by the simulator: the group came past a snapshot of its future before it had one of its own.
  @Test func aSnapshotThatWasLeftOutStaysOut() throws {
    let reset = try decide(committed: Position(offset: 300, metadata: ""), marker: marker(400))
    let series = Int64(marker(400).marker.series)
    #expect(reset.start.past == series)
    var later = Position(offset: 450, sequence: 3, replay: ReplayPoint(offset: 300, largest: .min))
    later.past = reset.start.past
    let again = try decide(committed: Position(offset: later.offset, metadata: later.metadata), marker: marker(400))
    #expect(again.marker == nil && again.start.offset == 300 && again.start.past == series)
    #expect(again.notes.first == .snapshotOfOtherHistory(snapshot: 400))
    // One of its own, also where the state topic was deleted meanwhile and counts from 0 again.
    var own = marker(440)
    own.place = 3
    own.marker.series += 1
    let found = try decide(committed: later, marker: own)
    #expect(found.marker == own && found.start.past == nil)
    #expect(try decide(committed: later).start.past == nil, "the state topic was deleted")
  }

  /// Found by the simulator: after a second start without a snapshot, half-filled windows told something.
  @Test func whatIsHeldBackIsHeldBackAfterAReplayToo() throws {
    let trimmed = Position(
      offset: 500, sequence: 9, replay: ReplayPoint(offset: 200, largest: .min, isTrimmed: true))
    let first = try decide(committed: Position(offset: 500, metadata: trimmed.metadata))
    #expect(first.start.offset == 200 && first.start.isTrimmed)
    let floor = Position(offset: 500, sequence: 9, replay: ReplayPoint(offset: 200, largest: 42, floor: 70))
    let second = try decide(committed: Position(offset: 500, metadata: floor.metadata))
    #expect(second.start.floor == 70 && second.start.largest == 42 && !second.start.isTrimmed)
  }

  @Test func theGroupWasResetToBeforeTheMarker() throws {
    let byHand = try decide(committed: Position(offset: 300, metadata: ""), marker: marker(400))
    #expect(byHand.marker == nil && byHand.start.offset == 300 && byHand.start.isTrimmed)
    #expect(byHand.start.seed == nil, "with a seed, and so a series, of its own its records are told from the old ones")
    #expect(
      byHand.notes == [.snapshotFromFuture(snapshot: 400, committed: 300), .groupSetByHand(offset: 300)])
    let replay = Position(offset: 300, sequence: 2, replay: ReplayPoint(offset: 100, largest: 7))
    let known = try decide(committed: replay, marker: marker(400))
    #expect(known.start.offset == 100 && known.start.largest == 7 && !known.start.isTrimmed && known.marker == nil)
    #expect(known.notes == [.snapshotFromFuture(snapshot: 400, committed: 300), .replayedFromInput(from: 100)])
  }

  @Test func retentionHasPassedTheMarker() throws {
    // The place from which windows are made again is still there (a short window, an old snapshot).
    let replay = Position(offset: 500, sequence: 9, replay: ReplayPoint(offset: 450, largest: 42))
    let exact = try decide(committed: replay, 420...1_000, marker: marker(400))
    #expect(exact.marker == nil && exact.start.offset == 450 && !exact.start.isTrimmed)
    #expect(
      exact.notes == [.snapshotBeforeLog(snapshot: 400, oldest: 420), .replayedFromInput(from: 450)])
    let trimmed = try decide(committed: committed, 420...1_000, marker: marker(400))
    #expect(trimmed.start.offset == 420 && trimmed.start.isTrimmed && trimmed.start.committed == 500)
    #expect(
      trimmed.notes == [.snapshotBeforeLog(snapshot: 400, oldest: 420), .windowsHeldBack(from: 200, oldest: 420)])
    let lost = try decide(committed: committed, 600...1_000, marker: marker(400))
    #expect(lost.start.offset == 600 && lost.start.committed == 600 && lost.start.isTrimmed)
    #expect(lost.notes.contains(.recordsLost(committed: 500, oldest: 600)))
    let unknown = try decide(420...1_000, marker: marker(400))
    #expect(unknown.start.offset == 420 && unknown.notes == [.snapshotBeforeLog(snapshot: 400, oldest: 420)])
  }

  @Test func theStateTopicWasDeleted() throws {
    let kept = try decide(committed: committed)
    #expect(kept.start.offset == 200 && kept.start.largest == 42 && kept.start.committed == 500)
    #expect(kept.notes == [.replayedFromInput(from: 200)])
    let gone = try decide(committed: committed, 300...1_000)
    #expect(gone.start.offset == 300 && gone.start.isTrimmed)
    #expect(gone.notes == [.windowsHeldBack(from: 200, oldest: 300)])
  }

  @Test func anOffsetBeyondTheEnd() {
    for marker in [nil, marker(400)] {
      do throws(PipelineFailure) {
        _ = try decide(committed: committed, 0...450, marker: marker)
        Issue.record("an offset that is not there was taken")
      } catch {
        #expect(error.kind == .fatal && error.message.contains("500") && error.message.contains("450"))
      }
    }
    #expect(throws: PipelineFailure.self) { try self.decide(0...300, marker: self.marker(400)) }
  }

  @Test func anotherNumberOfPartitionsIsRefusedWithBothCounts() {
    do throws(PipelineFailure) {
      _ = try decide(committed: committed, marker: marker(400, partitions: 3))
      Issue.record("state of another number of partitions was taken")
    } catch {
      #expect(error.kind == .configuration && error.message.contains("4 partitions"))
      #expect(error.message.contains("it had 3"), "\(error)")
    }
  }

  @Test func stateOfAnotherTopicIsLeftOut() throws {
    let found = try decide(committed: committed, marker: marker(400, topic: "payments", partitions: 9))
    #expect(found.marker == nil && found.start.offset == 200)
    #expect(found.notes.first == .snapshotOfOtherTopic("payments"))
    #expect(found.notes.allSatisfy { !$0.text.isEmpty })
  }
}
