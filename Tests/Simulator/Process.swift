import Pipeline

/// One process: the threads of a Tocsin, each an actor that does one thing at a step. What it decides with is the program's
/// own (`PartitionTask`, `CommitCoordinator`, `SnapshotCoordinator`, `Recovery`, ...); the order in which it does
/// things is that of `ControlLoop`, `TakeOver`, `PartitionWorker`, `Committer`, `KafkaSink`, `Snapshotter`, `KafkaSnapshotStore`
/// and `StateRestorer`, named beside each.
final class Process {
  /// A thread or queue.
  enum Actor: Hashable {
    case client, control, takeOver, committer, snapshotter, lead
    case worker(Int)
    case restore(Int)
  }

  /// What the control thread is in the middle of.
  enum Control {
    case running
    /// `Committer.drain` blocks it.
    case draining([PartitionID], deadline: Int64, then: Answer)
    /// `Snapshotter.drain` blocks it.
    case savingState([PartitionID], deadline: Int64, then: Answer)
    /// `Committer.stop`, then `Snapshotter.stop` block it.
    case stopping
    case ended
  }

  /// What follows when partitions are given up.
  enum Answer {
    case unassign([PartitionID])
    case stop
  }

  /// `KafkaRunner.Message`.
  enum Message {
    case places(Result<[TakeOverPlace], PipelineFailure>)
    case restored(Worker, PipelineFailure?)
  }

  /// `PartitionWorker`.
  final class Worker {
    let partition: PartitionID
    let task: PartitionTask
    let tenure: Int
    /// Where it was taken up.
    let settled: Position
    var isWoken = true
    var isStopped = false
    /// Whether its state is there and it has a log.
    var hasStarted = false
    // `PartitionWorker.Progress`.
    var lastRecord: Int64 = 0
    var isBlocked = false
    var isDrained = false
    /// When it will look again because events wait for the rest of their block.
    var alarm: Int64?
    var leadLimit = Int64.max
    /// When it is looked next whether it is to be cut though it is quiet.
    var nextLook: Int64 = 0
    var restore: RestoreState?
    /// What has been handed over and is not covered by what the group has committed.
    var handedOver: [(position: Position, bytes: Int)] = []

    init(partition: PartitionID, task: PartitionTask, tenure: Int, settled: Position) {
      self.settled = settled
      self.partition = partition
      self.task = task
      self.tenure = tenure
    }
  }

  /// A pair by its end.
  struct PairEnd: Hashable {
    var partition: PartitionID
    var position: Position
  }

  let world: World
  let name: String
  /// Rises with each start of a process.
  let number: Int
  var client = Client()
  var pausedUntil: Int64 = 0
  var isDead = false
  /// Why it ended by itself.
  var failure: PipelineFailure?
  var hasEnded = false
  // The control thread.
  var control = Control.running
  var isStopRequested = false
  /// When a drain that waits looks around again.
  var nextLook: Int64 = 0
  /// For how long a drain is waited for, and the workers that it is about.
  var patience: Int64 = 0
  var givenUp: [Worker] = []
  var held: [Worker] = []
  var pending: [PartitionID] = []
  /// The generation in which they were assigned.
  var assignedIn = 0
  var epoch = 0
  var takeOver: TakeOverState?
  var inbox: [Message] = []
  /// Whether the group has forgotten it, and taken it in as another, while it had partitions.
  var isForgotten = false
  // The committer.
  var coordinator: CommitCoordinator
  var isScheduled = false
  var isDraining = false
  var isCommitterStopped = false
  var committerFailure: PipelineFailure?
  var committerTimer: Int64?
  var toPerform: [(PartitionID, Membership)] = []
  var sink = Sink()
  // The snapshotter.
  var snapshots: SnapshotCoordinator
  var isSnapshotterScheduled = false
  var isSnapshotterStopped = false
  var hasSnapshotterFailed = false
  var snapshotterTimer: Int64?
  var store = Store()
  // `LeadWatch`.
  var gate: LeadGate
  var remote: [PartitionID: LeadGate.Standing] = [:]
  var isHoldingBack = false
  var nextLead: Int64 = 0
  var storeToPerform: [(PartitionID, Membership)] = []
  /// Which taking up each pair belongs to.
  var tenures: [PairEnd: Int] = [:]
  init(_ world: World, name: String, number: Int) {
    self.world = world
    self.name = name
    self.number = number
    gate = LeadGate(lead: world.scenario.plan.exchange.lead, patience: world.scenario.plan.source.idle)
    coordinator = CommitCoordinator(unsettledBytes: world.scenario.plan.limits.unsettledBytes)
    snapshots = SnapshotCoordinator(timing: SnapshotCoordinator.Timing(every: world.scenario.plan.snapshot.every))
    // `KafkaRunner.session`: the store and the sink take their names over before the group is joined.
    store.operation = .open(began: world.now)
  }

  var isRunning: Bool { !isDead && !hasEnded }

  /// `KafkaRunner.fail`.
  func fail(_ reason: PipelineFailure) {
    failure = failure ?? reason
    isStopRequested = true
  }

  func tell(_ line: @autoclosure () -> String) { world.tell("\(name)#\(number) \(line())") }

  // MARK: Scheduling

  /// What could act now.
  func ready(into actors: inout [(Process, Actor)]) {
    guard isRunning, world.now >= pausedUntil else { return }
    let now = world.now
    if sink.isOpen, client.isReady(world.broker.group, now: now) { actors.append((self, .client)) }
    if isControlReady { actors.append((self, .control)) }
    if let takeOver, takeOver.notBefore <= now { actors.append((self, .takeOver)) }
    if isCommitterReady { actors.append((self, .committer)) }
    if isLeadReady { actors.append((self, .lead)) }
    if isSnapshotterReady { actors.append((self, .snapshotter)) }
    for (place, worker) in held.enumerated() where !worker.isStopped {
      if worker.hasStarted {
        if worker.isWoken || isCutDue(worker) || worker.alarm.map({ $0 <= now }) ?? false {
          actors.append((self, .worker(place)))
        }
      } else if let restore = worker.restore, restore.notBefore <= now {
        actors.append((self, .restore(place)))
      }
    }
  }

  /// When it will next be able to act without anybody's doing.
  var nextTime: Int64? {
    guard isRunning else { return nil }
    var times: [Int64?] = [takeOver?.notBefore, sink.notBefore]
    if sink.operation == nil, committerFailure == nil, !isCommitterStopped { times.append(committerTimer) }
    if sink.isOpen { times.append(client.nextTime) }
    if store.operation != nil {
      times.append(store.notBefore)
    } else if !hasSnapshotterFailed, !isSnapshotterStopped {
      times.append(snapshotterTimer)
    }
    for worker in held {
      if let restore = worker.restore { times.append(restore.notBefore) }
      if worker.hasStarted { times.append(worker.alarm) }
    }
    // `ControlLoop.tick`.
    if !held.isEmpty { times.append(world.now + second) }
    if watchesLead { times.append(nextLead) }
    switch control {
    case .draining, .savingState: times.append(nextLook)
    case .running, .stopping, .ended: break
    }
    guard let time = times.compactMap({ $0 }).min() else { return pausedUntil > world.now ? pausedUntil : nil }
    return max(time, pausedUntil)
  }

  func step(_ actor: Actor) {
    switch actor {
    case .client: client.step(world.broker, now: world.now)
    case .control: stepControl()
    case .takeOver: stepTakeOver()
    case .committer: stepCommitter()
    case .snapshotter: stepSnapshotter()
    case .lead: stepLead()
    case .worker(let place): if held.indices.contains(place) { step(held[place]) }
    case .restore(let place):
      if held.indices.contains(place), let restore = held[place].restore { stepRestore(held[place], restore) }
    }
  }
}
