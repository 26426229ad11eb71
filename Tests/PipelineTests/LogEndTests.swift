import Testing

@testable import Pipeline

/// A partition's task at the end of its log, where marks of transactions lie.
@Suite struct LogEndTests {
  /// Where records begin again after the marks.
  private static let (last, behind) = (200, 203)

  @Test func thePositionGoesPastMarks() throws {
    let tests = try PartitionTaskTests()
    let task = tests.task()
    #expect(task.pass(to: 0, now: 0) == nil)
    let before = try #require(tests.run(task, tests.records(Self.last, seed: 9), seed: 1).last).position
    #expect(before.offset == 200)
    #expect(task.pass(to: 200, now: 0) == nil)
    let pair = try #require(task.pass(to: 203, now: 0))
    #expect(pair.outputs.isEmpty && pair.position.offset == 203 && pair.position.sequence == before.sequence + 1)
    #expect(pair.position.covers(before) && task.nextOffset == 203)
    #expect(task.pass(to: 203, now: 0) == nil && task.pass(to: 201, now: 0) == nil)
  }

  /// Restarted there, it reads again what it needs, and has caught up behind the marks, with no record to tell it so.
  @Test(arguments: 0..<20) func aReplayEndsBehindMarks(seed: Int) throws {
    let tests = try PartitionTaskTests()
    let records = tests.records(500, seed: UInt64(seed))
    let undisturbed = tests.task()
    _ = tests.run(undisturbed, records, to: Self.last, seed: 2)
    let place = try #require(undisturbed.pass(to: Int64(Self.behind), now: 1)).position
    let expected = tests.run(undisturbed, records, from: Self.behind, seed: 3).flatMap(\.outputs)

    let start = PartitionTask.Start(Position(offset: place.offset, metadata: place.metadata))
    #expect(start.offset < Self.last)
    let task = tests.task(start)
    let muted = tests.run(task, records, from: Int(start.offset), to: Self.last, seed: 4)
    #expect(muted.isEmpty && task.isReplaying)
    #expect(task.pass(to: Int64(Self.behind), now: 1) == nil && !task.isReplaying)
    #expect(tests.run(task, records, from: Self.behind, seed: 5).flatMap(\.outputs) == expected)
  }
}
