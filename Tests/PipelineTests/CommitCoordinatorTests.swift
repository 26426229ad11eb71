import Events
import TestSupport
import Testing

@testable import Pipeline

@Suite struct CommitCoordinatorTests {
  private static let millisecond: Int64 = 1_000_000
  private let first = PartitionID("t", 0)
  private let second = PartitionID("t", 1)

  private func pair(
    _ partition: PartitionID, _ offset: Int64, _ outputs: [Output.Destination] = [], bytes: Int = 10
  ) -> Pair {
    Pair(
      partition: partition, position: Position(offset: offset, sequence: offset, replay: nil),
      outputs: outputs.map {
        Output($0, key: nil, value: Array(repeating: 7, count: bytes), headers: [], cause: offset - 1)
      })
  }

  private func transaction(_ action: CommitCoordinator.Action) -> Transaction? {
    if case .commit(let transaction) = action { transaction } else { nil }
  }

  @Test func theFirstCommitIsAtOnce() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    #expect(coordinator.next(now: 0) == .idle)
    coordinator.add(pair(first, 5))
    #expect(transaction(coordinator.next(now: 0))?.pairs == [pair(first, 5)])
    #expect(coordinator.next(now: 0) == .idle)
    #expect(coordinator.committed(now: 1) == [first])
  }

  @Test func alertsWaitForTheGapAndPositionsForTheInterval() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    coordinator.add(pair(first, 1))
    _ = coordinator.next(now: 0)
    _ = coordinator.committed(now: 5 * Self.millisecond)
    coordinator.add(pair(first, 2))
    #expect(coordinator.next(now: 6 * Self.millisecond) == .wait(until: 1_005 * Self.millisecond))
    coordinator.add(pair(first, 3, [.late]))
    #expect(coordinator.next(now: 6 * Self.millisecond) == .wait(until: 1_005 * Self.millisecond))
    coordinator.add(pair(second, 9, [.alerts]))
    #expect(coordinator.next(now: 6 * Self.millisecond) == .wait(until: 25 * Self.millisecond))
    let sent = transaction(coordinator.next(now: 25 * Self.millisecond))
    #expect(sent?.pairs.map(\.partition) == [first, second])
    #expect(sent?.pairs.map(\.position.offset) == [3, 9])
  }

  @Test func aSlowTransactionWidensTheGap() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    coordinator.add(pair(first, 1, [.alerts]))
    _ = coordinator.next(now: 0)
    _ = coordinator.committed(now: 90 * Self.millisecond)
    coordinator.add(pair(first, 2, [.alerts]))
    #expect(coordinator.next(now: 91 * Self.millisecond) == .wait(until: 180 * Self.millisecond))
  }

  @Test func aMegabyteIsDueWithoutAnAlert() {
    var coordinator = CommitCoordinator(unsettledBytes: 10 << 20)
    coordinator.add(pair(first, 1))
    _ = coordinator.next(now: 0)
    _ = coordinator.committed(now: 0)
    coordinator.add(pair(first, 2, [.deadLetter], bytes: 1 << 20))
    #expect(coordinator.next(now: 0) == .wait(until: 20 * Self.millisecond))
  }

  @Test func drainingMakesEverythingDue() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    coordinator.add(pair(first, 1))
    _ = coordinator.next(now: 0)
    _ = coordinator.committed(now: 0)
    coordinator.add(pair(first, 2))
    #expect(transaction(coordinator.next(now: 1, isDraining: true)) != nil)
  }

  @Test func aPartitionIsBlockedUntilItsPairsAreSettled() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    coordinator.add(pair(first, 1, [.alerts], bytes: 2_000))
    coordinator.add(pair(second, 1))
    #expect(coordinator.isBlocked(first) && !coordinator.isBlocked(second))
    _ = coordinator.next(now: 0)
    #expect(coordinator.isBlocked(first))
    _ = coordinator.committed(now: 1)
    #expect(!coordinator.isBlocked(first) && !coordinator.hasUnsettled())
  }

  @Test func aLostTransactionIsSettledByWhatTheGroupHasCommitted() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    coordinator.add(pair(first, 5, [.alerts]))
    coordinator.add(pair(second, 7, [.alerts]))
    _ = coordinator.next(now: 0)
    coordinator.add(pair(first, 6, [.late]))
    coordinator.lost(now: 10)
    #expect(coordinator.next(now: 10) == .recover([first, second]))
    // The transaction had gone through for both, or for none; here it had.
    let settled = coordinator.recovered(
      [first: pair(first, 5).position, second: pair(second, 7).position], now: 20)
    #expect(settled == [first, second])
    let rest = transaction(coordinator.next(now: 2_000 * Self.millisecond))
    #expect(rest?.pairs == [pair(first, 6, [.late])])
  }

  @Test func whatIsNotCoveredIsSentAgainInOrder() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    coordinator.add(pair(first, 5, [.alerts]))
    _ = coordinator.next(now: 0)
    coordinator.add(pair(first, 6, [.late]))
    coordinator.lost(now: 10)
    _ = coordinator.next(now: 10)
    #expect(coordinator.recovered([first: pair(first, 4).position], now: 20) == [])
    let again = transaction(coordinator.next(now: 2_000 * Self.millisecond))
    #expect(again?.pairs.first?.outputs.map(\.destination) == [.alerts, .late])
    #expect(again?.pairs.first?.position.offset == 6)
  }

  @Test func recoveriesThatFailBackOff() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    coordinator.add(pair(first, 5))
    _ = coordinator.next(now: 0)
    coordinator.lost(now: 0)
    var now: Int64 = 0
    var waits: [Int64] = []
    for _ in 0..<8 {
      #expect(coordinator.next(now: now) == .recover([first]))
      coordinator.lost(now: now)
      guard case .wait(let until) = coordinator.next(now: now) else {
        Issue.record("no wait")
        return
      }
      waits.append((until - now) / Self.millisecond)
      now = until
    }
    #expect(waits == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  }

  @Test func anUnwritableOutputGivesWayAlone() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    var huge = pair(first, 5, [.alerts, .deadLetter, .late])
    huge.outputs[1].substitute = Output.Substitute(value: [1], headers: [])
    coordinator.add(huge)
    guard let sent = transaction(coordinator.next(now: 0)) else {
      Issue.record("no commit")
      return
    }
    coordinator.replace(
      [SinkFailure.Place(pair: 0, output: 1), SinkFailure.Place(pair: 0, output: 2)], of: sent)
    coordinator.lost(now: 1)
    _ = coordinator.next(now: 1)
    _ = coordinator.recovered([:], now: 2)
    let again = transaction(coordinator.next(now: 2_000 * Self.millisecond))
    #expect(again?.pairs.first?.outputs.map(\.value) == [Array(repeating: 7, count: 10), [1]])
    #expect(coordinator.substituted == 1 && coordinator.givenUp == 1)
  }

  /// What is written besides stands where the output stood, also where another one gives way before it.
  @Test func aSubstituteOfSeveral() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    var huge = pair(first, 5, [.exchange, .alerts, .exchange, .late])
    let letter = Output(.deadLetter, key: nil, value: [3], headers: [], cause: 4)
    huge.outputs[0].substitute = Output.Substitute(value: [1], headers: [])
    huge.outputs[2].substitute = Output.Substitute(value: [2], headers: [], also: [letter])
    coordinator.add(huge)
    guard let sent = transaction(coordinator.next(now: 0)) else {
      Issue.record("no commit")
      return
    }
    coordinator.replace(
      [SinkFailure.Place(pair: 0, output: 0), SinkFailure.Place(pair: 0, output: 2)], of: sent)
    coordinator.lost(now: 1)
    _ = coordinator.next(now: 1)
    _ = coordinator.recovered([:], now: 2)
    let again = transaction(coordinator.next(now: 2_000 * Self.millisecond))
    let plain: [UInt8] = Array(repeating: 7, count: 10)
    #expect(again?.pairs.first?.outputs.map(\.value) == [[1], plain, [2], [3], plain])
    #expect(again?.pairs.first?.outputs.map(\.destination) == [.exchange, .alerts, .exchange, .deadLetter, .late])
    #expect(coordinator.substituted == 2)
  }

  @Test func aDroppedPartitionIsForgotten() {
    var coordinator = CommitCoordinator(unsettledBytes: 1_000)
    coordinator.add(pair(first, 5))
    coordinator.add(pair(second, 5))
    _ = coordinator.next(now: 0)
    coordinator.drop([first])
    coordinator.lost(now: 0)
    #expect(coordinator.next(now: 0) == .recover([second]))
  }

  /// A log of what was committed, with commits that fail before or after they took effect: whatever happens, each output
  /// stands in it once and in order.
  @Test(arguments: 0..<200) func everyOutputIsWrittenOnce(seed: Int) {
    var random = SeededRandom(UInt64(seed))
    var coordinator = CommitCoordinator(unsettledBytes: 1_000_000)
    let partitions = [first, second, PartitionID("t", 2)]
    var written: [PartitionID: [Int64]] = [:]
    var committed: [PartitionID: Position] = [:]
    var produced: [PartitionID: Int64] = [:]
    var now: Int64 = 0
    for step in 0..<400 {
      now += Int64.random(in: 0...(50 * Self.millisecond), using: &random)
      let partition = partitions.randomElement(using: &random) ?? first
      if step < 300, Bool.random(using: &random) {
        let offset = (produced[partition] ?? 0) + 1
        produced[partition] = offset
        coordinator.add(
          pair(partition, offset, [[.alerts, .late, .deadLetter].randomElement(using: &random) ?? .late]))
      }
      switch coordinator.next(now: now, isDraining: step >= 300) {
      case .commit(let transaction):
        let goesThrough = Int.random(in: 0..<4, using: &random) > 0
        if goesThrough {
          for pair in transaction.pairs {
            written[pair.partition, default: []] += pair.outputs.map(\.cause)
            committed[pair.partition] = pair.position
          }
        }
        if goesThrough, Bool.random(using: &random) {
          _ = coordinator.committed(now: now)
        } else {
          coordinator.lost(now: now)
        }
      case .recover(let asked):
        if Bool.random(using: &random) {
          _ = coordinator.recovered(committed.filter { asked.contains($0.key) }, now: now)
        } else {
          coordinator.lost(now: now)
        }
      case .wait(let until): if step >= 300 { now = until }
      case .idle: break
      }
    }
    while coordinator.hasUnsettled() {
      switch coordinator.next(now: now, isDraining: true) {
      case .commit(let transaction):
        for pair in transaction.pairs {
          written[pair.partition, default: []] += pair.outputs.map(\.cause)
          committed[pair.partition] = pair.position
        }
        _ = coordinator.committed(now: now)
      case .recover: _ = coordinator.recovered(committed, now: now)
      case .wait(let until): now = until
      case .idle: break
      }
    }
    for partition in partitions {
      #expect(written[partition] ?? [] == Array(0..<(produced[partition] ?? 0)))
    }
  }
}
