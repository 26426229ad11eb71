import Pipeline

/// One process: the threads of a Tocsin, each an actor that does one thing at a step. What it decides with is the program's
/// own (`PartitionTask`, `CommitCoordinator`, `Position`, `TakeUp`, `TransactionTrouble`); the order in which it does
/// things is that of `ControlLoop`, `TakeOver`, `PartitionWorker`, `Committer` and `KafkaSink`, named beside each.
final class Process {
  /// A thread or queue.
  enum Actor: Hashable {
    case client, control, takeOver, committer
    case worker(Int)
  }

  /// What the control thread is in the middle of.
  enum Control {
    case running
    /// `Committer.drain` blocks it.
    case draining([PartitionID], deadline: Int64, then: Answer)
    /// `Committer.stop` blocks it.
    case stoppingCommitter
    case ended
  }

  /// What follows when partitions are given up.
  enum Answer {
    case unassign([PartitionID])
    case stop
  }

  /// `PartitionWorker`.
  final class Worker {
    let partition: PartitionID
    let task: PartitionTask
    let tenure: Int
    var isWoken = true
    var isStopped = false
    /// What has been handed over and is not covered by what the group has committed.
    var handedOver: [(position: Position, bytes: Int)] = []

    init(partition: PartitionID, task: PartitionTask, tenure: Int) {
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
  var held: [Worker] = []
  var pending: [PartitionID] = []
  var epoch = 0
  var takeOver: TakeOverState?
  var inbox: [Result<[TakeOverPlace], PipelineFailure>] = []
  // The committer.
  var coordinator: CommitCoordinator
  var isScheduled = false
  var isDraining = false
  var isCommitterStopped = false
  var committerFailure: PipelineFailure?
  var committerTimer: Int64?
  var toPerform: [(PartitionID, Membership)] = []
  var sink = Sink()
  /// Which taking up each pair belongs to.
  var tenures: [PairEnd: Int] = [:]
  init(_ world: World, name: String, number: Int) {
    self.world = world
    self.name = name
    self.number = number
    coordinator = CommitCoordinator(unsettledBytes: world.scenario.plan.limits.unsettledBytes)
    // `KafkaRunner.run`: the sink takes its name over before the group is joined.
    sink.operation = .open(began: world.now)
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
    for (place, worker) in held.enumerated() where worker.isWoken && !worker.isStopped {
      actors.append((self, .worker(place)))
    }
  }

  /// When it will next be able to act without anybody's doing.
  var nextTime: Int64? {
    guard isRunning else { return nil }
    var times: [Int64?] = [takeOver?.notBefore, sink.notBefore]
    if sink.operation == nil, committerFailure == nil, !isCommitterStopped { times.append(committerTimer) }
    if sink.isOpen { times.append(client.nextTime) }
    if case .draining = control { times.append(nextLook) }
    guard let time = times.compactMap({ $0 }).min() else { return pausedUntil > world.now ? pausedUntil : nil }
    return max(time, pausedUntil)
  }

  func step(_ actor: Actor) {
    switch actor {
    case .client: client.step(world.broker, now: world.now)
    case .control: stepControl()
    case .takeOver: stepTakeOver()
    case .committer: stepCommitter()
    case .worker(let place): if held.indices.contains(place) { step(held[place]) }
    }
  }
}
