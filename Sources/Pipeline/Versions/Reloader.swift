internal import Dispatch
internal import Locking
internal import Synchronization
internal import Tables
public import Telemetry

/// Brings a changed pipeline file and its lists into force while the pipeline runs: loads all of it anew on a queue of its
/// own, and where anything is wrong leaves in force what is, says why and counts it.
public final class Reloader: Sendable {
  private struct State {
    var running: PipelineVersion
    var watch: FileWatch
    /// The lists of a file that was refused: they may be what is wrong.
    var refusedPaths: [String] = []
  }

  private let path: String
  private let environment: [String: String]?
  private let properties: PropertyCheck?
  private let publish: @Sendable (VersionContent) throws(PipelineFailure) -> Void
  private let accept: @Sendable (PipelineVersion) -> Void
  private let registry: MetricsRegistry
  private let state: Lock<State>
  private let isLooking = Atomic<Bool>(false)
  private let queue = DispatchQueue(label: "tocsin.reload")
  private let log = Logger(module: "Pipeline")

  /// A reloader; it does nothing until it is told to.
  ///
  /// - Parameters:
  ///   - path: the pipeline file.
  ///   - running: the version that was loaded from it.
  ///   - environment: the variables that `${NAME}` stands for; without it, those of this process.
  ///   - properties: who knows librdkafka's properties.
  ///   - publish: keeps the contents where every instance finds them; called before `accept`, may block.
  ///   - accept: takes a version that is to come into force.
  public init(
    path: String, running: PipelineVersion, environment: [String: String]? = nil, properties: PropertyCheck? = nil,
    registry: MetricsRegistry,
    publish: @escaping @Sendable (VersionContent) throws(PipelineFailure) -> Void,
    accept: @escaping @Sendable (PipelineVersion) -> Void
  ) {
    self.path = path
    self.environment = environment
    self.properties = properties
    self.registry = registry
    self.publish = publish
    self.accept = accept
    let watch = FileWatch(read: FileWatch.identities(Self.paths(path, running)))
    state = Lock(State(running: running, watch: watch))
  }

  /// Takes a look at the files; call it about once a second. Returns at once.
  public func tick() {
    guard !isLooking.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.async {
      self.look(isAsked: false)
      self.isLooking.store(false, ordering: .releasing)
    }
  }

  /// Reads the files now, changed or not. Returns at once.
  public func reload() { queue.async { self.look(isAsked: true) } }

  /// Waits until what was asked for is done.
  public func wait() { queue.sync {} }

  private static func paths(_ path: String, _ version: PipelineVersion) -> [String] {
    [path] + version.plan.tables.flatMap { TableContent.paths(of: $0) }
  }

  private func look(isAsked: Bool) {
    let (running, refused) = state.withLock { ($0.running, $0.refusedPaths) }
    // Taken before the files are read: what is written while they are is seen at the next look.
    let now = FileWatch.identities(Self.paths(path, running) + refused)
    let isDue = state.withLock { $0.watch.look(now) }
    guard isDue || isAsked else { return }
    do throws(VersionLoader.Mistakes) {
      let loaded = try VersionLoader.load(
        path: path, environment: environment, previous: running, properties: properties)
      decide(loaded, running, now, isAsked: isAsked)
    } catch {
      refuse([error.report], now, paths: error.paths)
    }
  }

  private func decide(
    _ loaded: VersionLoader.Loaded, _ running: PipelineVersion, _ now: [String: FileIdentity], isAsked: Bool
  ) {
    switch ReloadDecision(running: running, loaded: loaded.version) {
    case .unchanged:
      state.withLock { $0.watch.note(read: now) }
      if isAsked { log.info("the pipeline file and its lists are as they were", ["file": path]) }
    case .refused(let settings): refuse(settings.map { "\(path): \($0)" }, now, paths: [])
    case .accepted(let survival): bringIn(loaded, survival, now)
    }
  }

  private func bringIn(_ loaded: VersionLoader.Loaded, _ survival: StateSurvival, _ now: [String: FileIdentity]) {
    if let warning = loaded.warnings { log.warning("about the new pipeline file or its lists", ["what": warning]) }
    do throws(PipelineFailure) {
      try publish(loaded.content)
    } catch {
      // The watch is not told, so that the next look tries again.
      registry.counter(PipelineMetrics.reloads, ["unpublished"]).add()
      log.error("the new version can't be kept for other instances, and is tried again", ["reason": "\(error)"])
      return
    }
    let next = loaded.version
    state.withLock { state in
      state.running = next
      state.refusedPaths = []
      // Lists that the new file names are read as they are now.
      var read = FileWatch.identities(Self.paths(path, next))
      read.merge(now.filter { read[$0.key] != nil }) { $1 }
      state.watch.note(read: read)
    }
    registry.counter(PipelineMetrics.reloads, ["accepted"]).add()
    for table in next.tables {
      registry.gauge(PipelineMetrics.tableEntries, [table.name]).set(Double(table.entryCount))
    }
    log.info(
      "a new version comes into force",
      ["file": path, "version": "\(next.id)", "rules": "\(next.plan.rules.count)"])
    for rule in survival.rules where rule.fate != .kept && rule.fate != .stateless {
      log.info("rule `\(rule.id)` \(rule.sentence)")
    }
    accept(next)
  }

  private func refuse(_ messages: [String], _ now: [String: FileIdentity], paths: [String]) {
    state.withLock { state in
      state.refusedPaths = paths
      let read = now.merging(FileWatch.identities(paths)) { old, _ in old }
      state.watch.note(read: read)
    }
    registry.counter(PipelineMetrics.reloads, ["refused"]).add()
    for message in messages {
      log.error("the changed pipeline is refused, what was in force stays in force", ["reason": message])
    }
  }
}
