internal import Kafka
internal import Locking
internal import Pipeline
internal import Tables
internal import Telemetry

/// The versions of a running pipeline: the newest, those that are read of what was in force before, and the way of a new one
/// from its files into force.
final class VersionKeeper: Sendable {
  /// Versions of the past that are kept at hand.
  private static let cacheLimit = 4

  private struct State {
    var newest: PipelineVersion
    /// The first version's contents, until they are kept.
    var first: VersionContent?
    var earlier: [PipelineVersion] = []
  }

  private let path: String
  private let settings: ClientSettings
  private let isStopped: @Sendable () -> Bool
  private let store: KafkaVersionStore
  private let lease: VersionLease
  private let reloader: Reloader
  private let state: Lock<State>
  private let log = Logger(module: "KafkaTransport")

  /// - Parameter accept: takes a new version that is to come into force, on a thread of its own.
  init(
    path: String, loaded: VersionLoader.Loaded, settings: ClientSettings, registry: MetricsRegistry,
    isStopped: @escaping @Sendable () -> Bool, accept: @escaping @Sendable (PipelineVersion) -> Void
  ) {
    self.path = path
    self.settings = settings
    self.isStopped = isStopped
    let store = KafkaVersionStore(
      settings: settings, makesTopic: loaded.version.plan.internalTopics == .create, isStopped: isStopped)
    self.store = store
    let lease = VersionLease(store, VersionUse(loaded.version.plan, settings))
    self.lease = lease
    state = Lock(State(newest: loaded.version, first: loaded.content))
    reloader = Reloader(
      path: path, running: loaded.version, properties: .librdkafka, registry: registry,
      publish: { content throws(PipelineFailure) in try lease.keep(content) }, accept: accept)
  }

  /// Keeps the first version's contents: before anything is worked on with it.
  ///
  /// - Throws: also where a list has shrunk by more than it may since the version that was in force before.
  func open() throws(PipelineFailure) {
    try store.open()
    try checkShrinking()
    guard let content = state.withLock({ $0.first }) else { return }
    try lease.keep(content, isTrusting: true)
    state.withLock { $0.first = nil }
  }

  /// A restart takes no list that a reload would refuse.
  private func checkShrinking() throws(PipelineFailure) {
    let newest = newest
    guard newest.plan.tables.contains(where: { $0.maxShrink != nil }) else { return }
    var before: PipelineVersion?
    do throws(PipelineFailure) {
      before = try RunningVersion.find(newest.plan, settings, isStopped: isStopped)
    } catch {
      log.warning("lists could not be compared with those that were in force before", ["reason": "\(error)"])
    }
    guard let before else { return }
    for (source, table) in zip(newest.plan.tables, newest.tables) {
      do throws(TableLoadError) {
        let old = before.tables.first { $0.name == source.name }
        try TableLoader.checkShrinking(from: old, to: table.entryCount, source)
      } catch {
        throw PipelineFailure(.configuration, "\(error)")
      }
    }
  }

  /// The version for new records.
  var newest: PipelineVersion { state.withLock { $0.newest } }

  /// From now on this is the newest.
  func take(_ version: PipelineVersion) {
    state.withLock { state in
      Self.remember(state.newest, in: &state)
      state.newest = version
    }
  }

  private static func remember(_ version: PipelineVersion, in state: inout State) {
    state.earlier.removeAll { $0.id == version.id }
    state.earlier.append(version)
    if state.earlier.count > cacheLimit { state.earlier.removeFirst() }
  }

  /// What a task that begins at `start` may need; reads what is not at hand, and blocks.
  func versions(from start: PartitionTask.Start) throws(KafkaError) -> [VersionID: PipelineVersion] {
    try lease.renewIfDue()
    // All that is named is asked for: the offset at which a version gives way to the next is its last use.
    let named = start.offset < start.committed ? start.active.versions : Set([start.active.latest].compactMap { $0 })
    var found: [VersionID: PipelineVersion] = [:]
    state.withLock { state in
      for version in state.earlier + [state.newest] where named.contains(version.id) { found[version.id] = version }
    }
    let missing = named.subtracting(found.keys)
    guard !missing.isEmpty else { return found }
    let contents = try store.contents(of: missing)
    for id in missing.sorted() {
      do throws(VersionError) {
        guard let content = contents[id] else { throw .missing(id) }
        let version = try VersionLoader.restore(content, path: path)
        found[id] = version
        state.withLock { Self.remember(version, in: &$0) }
        log.info("a version that was in force before was read", ["version": "\(id)"])
      } catch {
        log.error(
          "a version that was in force can't be had: windows are made again with the present one, so that alerts that are open now "
            + "may differ from those of an undisturbed run", ["topic": store.topic, "reason": "\(error)"])
      }
    }
    return found
  }

  /// Takes a look at the files, and does what is due for versions that are kept; call it about once a second.
  func tick() {
    reloader.tick()
    lease.tick()
  }

  /// Reads the files now.
  func reload() { reloader.reload() }
}
