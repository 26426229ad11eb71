import Pipeline

/// One run of the whole: processes on brokers, with faults, from one number.
public final class Simulation {
  /// Steps with faults about, at most.
  private static let faultedSteps = 4_000
  /// Steps within which all has to be read and settled once the faults have stopped.
  public static let calmSteps = 30_000

  private let calmSteps: Int
  private let world: World
  private var processes: [Process] = []
  private var number = 0
  /// When a process of this name is started (again).
  private var starts: [(time: Int64, name: String)] = []
  /// When each partition's next record is written.
  private var writes: [Int64]
  /// The longest time between two writes to a partition.
  private let pace: Int64
  /// Partitions that were read anew from somewhere in their middle.
  private var anew: Set<PartitionID> = []
  private var actors: [(Process, Process.Actor)] = []

  private init(seed: UInt64, mutation: Mutation?, isTracing: Bool, calmSteps: Int) {
    self.calmSteps = calmSteps
    world = World(seed: seed, mutation: mutation, isTracing: isTracing)
    pace = world.random.pick([200, 1_000, 4_000]) * millisecond
    writes = world.scenario.sources.map { _ in 0 }
    for name in 0..<(1 + world.random.below(3)) { start("p\(name)") }
  }

  /// Runs a seed: the same seed and mutation give the same run on any machine.
  ///
  /// - Parameter calmSteps: within which all has to be read and settled once the faults have stopped.
  public static func run(
    seed: UInt64, mutation: Mutation? = nil, isTracing: Bool = false, calmSteps: Int = calmSteps
  ) -> Outcome {
    let simulation = Simulation(seed: seed, mutation: mutation, isTracing: isTracing, calmSteps: calmSteps)
    return simulation.run()
  }

  private func run() -> Outcome {
    var outcome = Outcome()
    let checker = world.checker
    if let difference = world.scenario.difference() { checker.fail(.model, difference) }
    let faulted = 500 + world.random.below(Self.faultedSteps - 500)
    while checker.violation == nil, outcome.steps < faulted, !isDone {
      step()
      outcome.steps += 1
      checker.step = outcome.steps
    }
    outcome.faultedSteps = outcome.steps
    calm()
    let bound = outcome.steps + calmSteps
    while checker.violation == nil, !isDone, outcome.steps < bound {
      step()
      outcome.steps += 1
      checker.step = outcome.steps
    }
    if checker.violation == nil { checkEnd() }
    outcome.violation = checker.violation
    outcome.faults = world.faults
    outcome.outputs = checker.outputs
    outcome.trace = world.trace
    return outcome
  }

  // MARK: Steps

  private func step() {
    if world.rates.areOn { strike() }
    actors.removeAll(keepingCapacity: true)
    for process in processes { process.ready(into: &actors) }
    for place in writes.indices where writes[place] <= world.now { write(place) }
    if !actors.isEmpty {
      let (process, actor) = actors[world.random.below(actors.count)]
      process.step(actor)
      world.pass(to: world.now + world.random.within(0...4 * millisecond))
    } else {
      var next = processes.compactMap(\.nextTime) + starts.map(\.time)
      for place in writes.indices where hasMore(place) { next.append(writes[place]) }
      if let time = world.nextTime { next.append(time) }
      world.pass(to: max(next.min() ?? world.now, world.now + 1))
    }
    for partition in world.broker.takeArrivals(world.now) {
      for process in processes { process.wake(partition) }
    }
    for place in starts.indices.reversed() where starts[place].time <= world.now {
      start(starts.remove(at: place).name)
    }
    supervise()
  }

  private func hasMore(_ place: Int) -> Bool { world.broker.hasMore(world.scenario.sources[place]) }

  private func write(_ place: Int) {
    guard hasMore(place) else { return }
    let partition = world.scenario.sources[place]
    for _ in 0..<(1 + world.random.below(6)) where hasMore(place) { world.broker.append(partition) }
    writes[place] = world.now + world.random.within(0...pace)
    for process in processes { process.wake(partition) }
  }

  private func start(_ name: String) {
    number += 1
    world.tell("\(name)#\(number) starts")
    world.started(name)
    processes.append(Process(world, name: name, number: number))
  }

  /// Starts again what has ended, but not what another process of the same name has driven out.
  private func supervise() {
    for place in processes.indices.reversed() where !processes[place].isRunning {
      let process = processes.remove(at: place)
      let isReplaced = processes.contains { $0.name == process.name } || starts.contains { $0.name == process.name }
      if !isReplaced { starts.append((world.now + world.random.within(0...15 * second), process.name)) }
    }
  }

  // MARK: Faults

  private func strike() {
    let living = processes.filter(\.isRunning)
    guard !living.isEmpty else { return }
    let victim = living[world.random.below(living.count)]
    if world.strikes(.crash) {
      victim.isDead = true
      victim.tell("dies")
    }
    if world.strikes(.pause) {
      victim.pausedUntil = world.now + world.random.within(0...40 * second)
      victim.tell("stands still for \((victim.pausedUntil - world.now) / millisecond) ms")
    }
    if world.strikes(.stop) { victim.isStopRequested = true }
    if world.strikes(.join), processes.count < 4 {
      let names = Set(processes.map(\.name) + starts.map(\.name))
      if let name = ["p0", "p1", "p2", "p3"].first(where: { !names.contains($0) }) { start(name) }
    }
    if world.strikes(.twin), processes.count < 4 { start(victim.name) }
    if world.strikes(.expulsion), let member = victim.client.expellable {
      let isSilent = world.isSilent()
      victim.tell("is put out of the group\(isSilent ? " and will not be told" : "")")
      if isSilent { victim.client.losesInSilence() }
      world.broker.withGroup { $0.leave(member, now: world.now) }
    }
    if world.strikes(.expiredID) { _ = world.broker.forget(victim.name) }
    if world.strikes(.retention) {
      for partition in world.scenario.sources { world.broker.trim(partition, now: world.now) }
    }
    if world.strikes(.compaction) {
      for partition in world.scenario.partitions {
        let high = world.broker.state(partition).high
        world.broker.compact(partition, below: world.random.within(0...high), now: world.now)
      }
    }
    if world.scenario.loss != .nothing, world.strikes(.loss) { lose() }
  }

  /// Everything dies, something is lost, and an operator starts everything again.
  private func lose() {
    for process in processes where process.isRunning {
      process.isDead = true
      process.tell("dies with all others")
    }
    world.forgetRequests()
    world.broker.settleAll(now: world.now)
    // Longer than anything is hidden.
    world.pass(to: world.now + 10 * second)
    for partition in world.scenario.partitions { lose(partition) }
    if world.scenario.loss == .state { world.broker.deleteState() }
  }

  private func lose(_ partition: PartitionID) {
    let (broker, scenario, checker) = (world.broker, world.scenario, world.checker)
    guard let committed = broker.position(partition) else { return }
    let marker = broker.state(partition).lastMarker(of: partition, world.now)?.marker
    switch scenario.loss {
    case .nothing, .state: break
    case .offsets:
      // Where nothing is left to be read, nothing would be committed again.
      guard let last = scenario.records(partition).last, (marker?.offset ?? 0) <= last.offset else { return }
      broker.setCommitted(partition, nil)
      world.tell("the offset of \(partition) is lost")
      if let marker {
        checker.rewind(partition, to: marker.offset)
      } else {
        checker.beginAnew(partition, scenario.expected(partition, from: 0))
      }
    case .setBack:
      // Once only: which of two earlier histories a snapshot is of, nobody can tell.
      guard !anew.contains(partition) else { return }
      let offset = world.random.within(0...committed.offset)
      broker.setCommitted(partition, offset)
      world.tell("the offset of \(partition) is set back to \(offset)")
      if let marker, marker.offset <= offset {
        checker.rewind(partition, to: offset)
      } else {
        checker.beginAnew(partition, scenario.expected(partition, from: offset))
        anew.insert(partition)
      }
    }
  }

  private func calm() {
    world.tell("the faults stop")
    world.rates.areOn = false
    for process in processes { process.pausedUntil = min(process.pausedUntil, world.now) }
    if processes.isEmpty, starts.isEmpty { start("p0") }
  }

  // MARK: The end

  /// Everything is written, read and settled.
  private var isDone: Bool {
    guard writes.indices.allSatisfy({ !hasMore($0) }) else { return false }
    return world.scenario.partitions.allSatisfy { partition in
      guard let last = lastRecord(partition) else { return true }
      return world.broker.group.committed[partition].map { $0.offset > last } ?? false
    }
  }

  private func lastRecord(_ partition: PartitionID) -> Int64? {
    guard world.scenario.isSource(partition) else { return world.broker.exchanges[partition]?.lastCommitted }
    return world.scenario.records(partition).last?.offset
  }

  private func checkEnd() {
    if !isDone {
      let positions = world.scenario.partitions.map {
        "\($0) at \(world.broker.position($0)?.offset ?? 0) of \(world.broker.high($0))"
      }
      world.checker.fail(.liveness, "not settled: \(positions)")
    }
    world.checker.checkComplete()
    for partition in world.scenario.sources where !anew.contains(partition) { checkState(partition) }
    if let difference = world.scenario.crossingDifference(world.checker) { world.checker.fail(.crossing, difference) }
  }

  private func checkState(_ partition: PartitionID) {
    let state = world.broker.state(partition)
    // Whatever is hidden comes to light.
    let now = Int64.max
    guard let marker = state.lastMarker(of: partition, now) else { return }
    let goesOn = world.scenario.goesOn(partition, from: marker) { task in
      try task.beginRestore(marker.marker)
      var scan = SnapshotScan(marker.marker, in: Broker.statePlace(of: partition))
      let reading = Reading(task)
      for (offset, record) in state.records(below: marker.place, most: .max, now) {
        try scan.take(record, at: offset, into: reading)
      }
      _ = task.finishRestore(marker.marker)
    }
    if !goesOn {
      world.checker.fail(.state, "\(partition): the state at \(marker.marker.offset) is not that of an undisturbed run")
    }
  }
}

extension Broker {
  /// What the group has committed, as the program reads it.
  func position(_ partition: PartitionID) -> Position? {
    group.committed[partition].map { Position(offset: $0.offset, metadata: $0.metadata) }
  }
}
