import Detection
import Events
import TestSupport
import Testing

@testable import Pipeline

/// The decisions about cuts, driven at random against a store in memory.
@Suite struct SnapshotCoordinatorTests {
  static let second: Int64 = 1_000_000_000

  static func cut(_ partition: PartitionID, _ offset: Int64, _ sequence: Int64 = 0) -> SnapshotCut {
    SnapshotCut(
      partition: partition,
      marker: SnapshotMarker(
        offset: offset, sequence: sequence, series: 0, seed: HashSeed(first: 0, second: 0), topic: partition.topic,
        partitionCount: 1, versions: [:], recordCount: 0, header: []), records: [])
  }

  private func position(_ offset: Int64, _ sequence: Int64 = 0) -> Position {
    Position(offset: offset, sequence: sequence, replay: nil)
  }

  private let partition = PartitionID("t", 0)
  private var coordinator: SnapshotCoordinator {
    SnapshotCoordinator(timing: SnapshotCoordinator.Timing(every: 30 * Self.second))
  }

  @Test func aCutWaitsForTheCommitThatCoversIt() {
    var coordinator = coordinator
    coordinator.add(partition, settled: position(10, 3), now: 0)
    coordinator.take(Self.cut(partition, 20, 5), of: partition, now: 40 * Self.second)
    #expect(coordinator.next(now: 41 * Self.second) == .idle)
    coordinator.settled(partition, position(20, 4))
    #expect(coordinator.next(now: 41 * Self.second) == .idle)
    coordinator.settled(partition, position(20, 5))
    guard case .write(let write) = coordinator.next(now: 41 * Self.second) else {
      Issue.record("it is covered now")
      return
    }
    #expect(write.cut.marker.offset == 20)
    // An older answer changes nothing.
    coordinator.settled(partition, position(15, 4))
    coordinator.failed(write, now: 42 * Self.second)
    guard case .wait(let until) = coordinator.next(now: 42 * Self.second) else {
      Issue.record("a failure makes a pause")
      return
    }
    guard case .write(let again) = coordinator.next(now: until) else {
      Issue.record("the same cut is written again")
      return
    }
    #expect(again.cut == write.cut)
    coordinator.written(again)
    #expect(!coordinator.hasUnwritten() && coordinator.next(now: until) == .idle)
  }

  @Test func partitionsTakeTurns() {
    var coordinator = coordinator
    let partitions = (0..<16).map { PartitionID("t", $0) }
    for partition in partitions { coordinator.add(partition, settled: position(0), now: 0) }
    let due = (1...30).map { at in
      partitions.count { coordinator.isDue($0, now: Int64(at) * Self.second) }
    }
    #expect(due[29] == 16)
    // Never more than two in one second, and some in each third.
    #expect(zip(due, [0] + due).allSatisfy { $0 - $1 <= 2 } && due[9] > 2 && due[19] > 7, "\(due)")
  }

  @Test func aPartitionIsCutOnTheBeatAndNotWhileACutWaits() {
    var coordinator = coordinator
    coordinator.add(partition, settled: position(0), now: 0)
    var cuts: [Int64] = []
    for at in 0..<200 where coordinator.isDue(partition, now: Int64(at) * Self.second) {
      cuts.append(Int64(at))
      coordinator.take(nil, of: partition, now: Int64(at) * Self.second)
    }
    #expect(zip(cuts.dropFirst(), cuts).allSatisfy { $0 - $1 == 30 } && cuts.count >= 6, "\(cuts)")
    coordinator.take(Self.cut(partition, 5), of: partition, now: 300 * Self.second)
    #expect(!coordinator.isDue(partition, now: 900 * Self.second))
  }

  @Test func muchThatChangedIsNotWaitedFor() {
    var coordinator = coordinator
    coordinator.add(partition, settled: position(0), now: 0)
    #expect(!coordinator.isDue(partition, now: 0))
    #expect(coordinator.isDue(partition, now: 0, isLarge: true))
    coordinator.take(Self.cut(partition, 5), of: partition, now: 0)
    #expect(!coordinator.isDue(partition, now: 0, isLarge: true))
  }

  /// However many cuts come before their time, one comes when it is due.
  @Test func whatIsNotWaitedForPutsNothingOff() {
    var coordinator = coordinator
    coordinator.add(partition, settled: position(0), now: 0)
    for offset in 1...20 {
      coordinator.take(Self.cut(partition, Int64(offset)), of: partition, now: Int64(offset))
      coordinator.settled(partition, position(Int64(offset)))
      guard case .write(let write) = coordinator.next(now: Int64(offset)) else {
        Issue.record("it is settled")
        return
      }
      coordinator.written(write)
    }
    #expect(coordinator.isDue(partition, now: 30 * Self.second))
  }

  /// The last cut of a partition that is given up is made whatever waits, and goes out with it or after it.
  @Test(arguments: [0, 1, 2]) func aLastCutJoinsTheOneBefore(case number: Int) {
    var coordinator = coordinator
    func cut(_ offset: Int64, _ value: UInt8) -> SnapshotCut {
      var cut = Self.cut(partition, offset)
      cut.records = [StateRecord(key: [1], value: [value]), StateRecord(key: [value], value: nil)]
      cut.marker.recordCount = 2
      return cut
    }
    let both = cut(5, 7).records + cut(8, 8).records
    coordinator.add(partition, settled: position(9), now: 0)
    coordinator.take(cut(5, 7), of: partition, now: 0)
    var first: SnapshotCoordinator.Write?
    if number > 0, case .write(let write) = coordinator.next(now: 0) { first = write }
    #expect(coordinator.isDue(partition, now: 0, isFinal: true))
    coordinator.take(cut(8, 8), of: partition, now: 0)
    if let first { number == 1 ? coordinator.written(first) : coordinator.failed(first, now: 0) }
    guard case .write(let write) = coordinator.next(now: Self.second) else {
      Issue.record("the last cut is owed")
      return
    }
    #expect(write.cut.marker.offset == 8)
    #expect(write.cut.records == (number == 1 ? cut(8, 8).records : both))
    #expect(write.cut.marker.recordCount == Int64(write.cut.records.count))
    coordinator.written(write)
    #expect(!coordinator.hasUnwritten())
  }

  @Test func whatIsHandedOutBelongsToTheAssignment() {
    var coordinator = coordinator
    #expect(coordinator.renewFence() == 1)
    coordinator.add(partition, settled: position(9), now: 0)
    coordinator.take(Self.cut(partition, 5), of: partition, now: 0)
    guard case .write(let first) = coordinator.next(now: 0) else {
      Issue.record("it is covered")
      return
    }
    #expect(first.fence == 1)
    // The partition goes and comes back while the write is under way: its outcome means nothing to the new one.
    coordinator.drop([partition])
    #expect(coordinator.renewFence() == 2)
    coordinator.add(partition, settled: position(9), now: 0)
    coordinator.take(Self.cut(partition, 8), of: partition, now: 0)
    #expect(coordinator.next(now: 0) == .idle)
    coordinator.written(first)
    #expect(coordinator.hasUnwritten([partition]))
    guard case .write(let second) = coordinator.next(now: 0) else {
      Issue.record("the new one's turn")
      return
    }
    #expect(second.fence == 2 && second.cut.marker.offset == 8)
  }

  /// Partitions that read, commit, are cut, go and come back, with writes that fail with and without effect. What the store
  /// holds is always a cut that a commit covered, a partition's cuts come in order, and none is lost while it is held.
  @Test(arguments: 0..<300) func anyOrderOfEventsKeepsTheRules(seed: Int) {
    var random = SeededRandom(UInt64(seed))
    var coordinator = SnapshotCoordinator(timing: SnapshotCoordinator.Timing(every: 5 * Self.second))
    struct Model {
      var reached: Int64 = 0
      var settled: Int64 = 0
      var stored: Int64 = -1
      /// A cut that the detector has forgotten and that is not known to be stored.
      var owed: Int64?
      var isHeld = false
    }
    var models = (0..<5).map { _ in Model() }
    var inFlight: (write: SnapshotCoordinator.Write, epoch: Int)?
    var epochs = [0, 0, 0, 0, 0]
    var now: Int64 = 0
    var writes = 0
    for _ in 0..<600 {
      now += Int64.random(in: 0...Self.second, using: &random)
      let number = Int.random(in: 0..<5, using: &random)
      let partition = PartitionID("t", Int32(number))
      switch Int.random(in: 0..<8, using: &random) {
      case 0:
        if models[number].isHeld {
          coordinator.drop([partition])
          models[number].isHeld = false
          models[number].owed = nil
          _ = coordinator.renewFence()
        } else {
          epochs[number] += 1
          models[number].isHeld = true
          models[number].reached = models[number].settled
          coordinator.add(partition, settled: position(models[number].settled), now: now)
        }
      case 1, 2:
        if models[number].isHeld { models[number].reached += Int64.random(in: 0...3, using: &random) }
      case 3:
        if models[number].isHeld, models[number].settled < models[number].reached {
          models[number].settled = Int64.random(
            in: models[number].settled...models[number].reached, using: &random)
          coordinator.settled(partition, position(models[number].settled))
        }
      case 4, 5:
        if coordinator.isDue(partition, now: now) {
          #expect(models[number].isHeld && models[number].owed == nil)
          models[number].owed = models[number].reached
          coordinator.take(Self.cut(partition, models[number].reached), of: partition, now: now)
        }
      default:
        if let (write, epoch) = inFlight {
          let place = Int(write.cut.partition.number)
          let isCurrent = models[place].isHeld && epochs[place] == epoch
          let outcome = Int.random(in: 0..<4, using: &random)
          // Fenced: what belongs to an older assignment can't take effect.
          if outcome < 3, isCurrent { models[place].stored = write.cut.marker.offset }
          inFlight = nil
          if outcome < 2 {
            coordinator.written(write)
            if isCurrent { models[place].owed = nil }
          } else {
            coordinator.failed(write, now: now)
          }
        } else if case .write(let write) = coordinator.next(now: now) {
          writes += 1
          let place = Int(write.cut.partition.number)
          #expect(models[place].isHeld, "nothing of a partition that is given up is handed out")
          #expect(write.cut.marker.offset == models[place].owed)
          #expect(write.cut.marker.offset <= models[place].settled, "a cut before its commit")
          inFlight = (write, epochs[place])
        }
      }
      for (index, model) in models.enumerated() where model.isHeld {
        #expect(coordinator.hasUnwritten([PartitionID("t", Int32(index))]) == (model.owed != nil))
      }
    }
    #expect(writes > 0)
  }
}
