import Foundation
import KafkaTestSupport

/// The pipeline's processes, each with a name of its own, and the supervisor that starts them again.
final class Fleet {
  /// One process of the pipeline, in its lives.
  final class Instance {
    let name: String
    var child: ChildProcess?
    /// An earlier process of this name that was paused and has not ended.
    var zombie: ChildProcess?
    var zombieLog = ""
    /// When a paused process goes on.
    var resumesAt: ContinuousClock.Instant?
    var zombieResumesAt: ContinuousClock.Instant?
    /// When it is started (again); nil while it runs.
    var startsAt: ContinuousClock.Instant?
    /// When it was asked to end.
    var stoppedAt: ContinuousClock.Instant?
    var lives = 0

    init(_ name: String, startsAt: ContinuousClock.Instant) {
      self.name = name
      self.startsAt = startsAt
    }

    /// Whether it runs and nothing is being done to it.
    var isUndisturbed: Bool { child != nil && zombie == nil && resumesAt == nil && stoppedAt == nil }
  }

  /// Exit codes after which docs/operations.md has a supervisor start a process again.
  private static let restartable: Set<Int32> = [0, 4, 5, 6]
  /// Seconds that an orderly stop may take.
  private static let stopPatience = 60.0
  /// What is kept of what processes of one exit code said.
  private static let mostReasons = 3

  private(set) var instances: [Instance]
  /// Exits by code, kills by the villain left out.
  private(set) var exits: [Int32: Int] = [:]
  /// What processes said that ended with another code than 0, a few of each code.
  private(set) var reasons: [Int32: [String]] = [:]
  /// What a supervisor would not live with.
  private(set) var complaints: [String] = []
  private let program: String
  private let arguments: (String) -> [String]
  private let environment: [String: String]
  private let folder: String
  private var isClosing = false

  init(
    _ count: Int, program: String, folder: String, environment: [String: String],
    arguments: @escaping (String) -> [String]
  ) throws {
    self.program = program
    self.folder = folder
    self.environment = environment
    self.arguments = arguments
    instances = (1...count).map { Instance("t\($0)", startsAt: .now) }
    try watch()
  }

  private var pidFile: String { "\(folder)/pids" }

  /// Ends the processes, paused or not, should this one die.
  private func watch() throws {
    _ = FileManager.default.createFile(atPath: pidFile, contents: nil)
    try ChildProcess.whenThisProcessHasEnded(
      """
      for process in $(cat '\(pidFile)'); do
        if [ "$(readlink /proc/$process/exe)" = '\(program)' ]; then kill -9 $process; fi
      done
      """)
  }

  // MARK: Time

  /// Starts, resumes and reaps what is due.
  func tick() throws {
    let now = ContinuousClock.now
    for instance in instances {
      if let time = instance.resumesAt, now >= time {
        instance.child?.send(SIGCONT)
        instance.resumesAt = nil
      }
      if let time = instance.zombieResumesAt, now >= time {
        instance.zombie?.send(SIGCONT)
        instance.zombieResumesAt = nil
      }
      reap(instance)
      if instance.child == nil, let time = instance.startsAt, now >= time { try start(instance) }
    }
  }

  private func start(_ instance: Instance) throws {
    instance.lives += 1
    instance.startsAt = nil
    let child = try ChildProcess(
      program, arguments(instance.name), environment: environment,
      log: logFile(instance))
    instance.child = child
    if let handle = FileHandle(forWritingAtPath: pidFile) {
      handle.seekToEndOfFile()
      handle.write(Data("\(child.processID)\n".utf8))
      try? handle.close()
    }
  }

  private func reap(_ instance: Instance) {
    let now = ContinuousClock.now
    if let ending = instance.zombie?.ending {
      note(ending, "\(instance.name), when another of its name had come", log: instance.zombieLog)
      instance.zombie = nil
    }
    if let child = instance.child, let ending = child.ending {
      // One that was asked to stop before it had begun to listen for that is ended by the signal itself.
      if instance.stoppedAt == nil || ending != .signal(SIGTERM) {
        note(ending, "\(instance.name), life \(instance.lives)", log: logFile(instance))
      }
      instance.child = nil
      instance.resumesAt = nil
      instance.stoppedAt = nil
      if !isClosing, instance.startsAt == nil { instance.startsAt = now + .seconds(1) }
    }
    if let asked = instance.stoppedAt, now > asked + .seconds(Self.stopPatience) {
      complaints.append("\(instance.name), life \(instance.lives), did not stop in \(Int(Self.stopPatience)) s")
      keepStacks(instance)
      instance.child?.send(SIGKILL)
      instance.stoppedAt = nil
    }
  }

  /// Writes down what each thread of each process is at.
  func keepStacks() {
    for instance in instances { keepStacks(instance) }
  }

  /// Writes down, where there is a debugger, what each thread of a process that hangs is at.
  private func keepStacks(_ instance: Instance) {
    guard let child = instance.child else { return }
    let debugger = try? ChildProcess(
      "/usr/bin/env",
      ["timeout", "60", "gdb", "-p", "\(child.processID)", "-batch", "-ex", "thread apply all backtrace"],
      log: logFile(instance) + ".stacks")
    _ = debugger?.wait()
  }

  private func logFile(_ instance: Instance) -> String { "\(folder)/\(instance.name)-\(instance.lives).log" }

  private func note(_ ending: ChildProcess.Ending, _ who: String, log: String) {
    switch ending {
    case .signal(SIGKILL): break
    case .signal(let signal): complaints.append("\(who), ended by signal \(signal)")
    case .exit(let code):
      exits[code, default: 0] += 1
      if code != 0, reasons[code, default: []].count < Self.mostReasons {
        let lines = (try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n") ?? []
        reasons[code, default: []].append("\(who): \(lines.last { $0.hasPrefix("tocsin:") } ?? "nothing")")
      }
      if !Self.restartable.contains(code) { complaints.append("\(who), ended with exit code \(code)") }
    }
  }

  // MARK: Blows

  func kill(_ instance: Instance, startsAfter seconds: Double) {
    instance.startsAt = .now + .seconds(seconds)
    instance.child?.send(SIGKILL)
  }

  func terminate(_ instance: Instance, startsAfter seconds: Double) {
    instance.startsAt = .now + .seconds(seconds)
    instance.stoppedAt = .now
    instance.child?.send(SIGTERM)
  }

  func pause(_ instance: Instance, for seconds: Double) {
    instance.child?.send(SIGSTOP)
    instance.resumesAt = .now + .seconds(seconds)
  }

  /// Pauses a process and starts another of its name, as a supervisor does on another machine that takes it for dead.
  func usurp(_ instance: Instance, zombieFor seconds: Double) {
    instance.child?.send(SIGSTOP)
    instance.zombie = instance.child
    instance.zombieLog = logFile(instance)
    instance.zombieResumesAt = .now + .seconds(seconds)
    instance.child = nil
    instance.startsAt = .now
  }

  func add(_ name: String) { instances.append(Instance(name, startsAt: .now)) }

  // MARK: The end

  /// Lets everything run again, and at once.
  func calm() {
    for instance in instances {
      if instance.child != nil { instance.resumesAt = instance.resumesAt.map { _ in .now } }
      instance.zombieResumesAt = instance.zombieResumesAt.map { _ in .now }
      instance.startsAt = instance.startsAt.map { _ in .now }
    }
  }

  /// Stops everything in order; what does not stop in time is killed and complained of.
  func close() throws {
    isClosing = true
    for instance in instances {
      instance.startsAt = nil
      instance.child?.send(SIGTERM)
      instance.stoppedAt = .now
    }
    while instances.contains(where: { $0.child != nil || $0.zombie != nil }) {
      try tick()
      usleep(50_000)
      for instance in instances where instance.child == nil { instance.zombie?.send(SIGKILL) }
    }
  }

  /// Ends everything at once.
  func abandon() {
    for instance in instances {
      instance.child?.send(SIGKILL)
      instance.zombie?.send(SIGKILL)
    }
  }
}
