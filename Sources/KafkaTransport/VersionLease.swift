internal import Dispatch
internal import Kafka
internal import Locking
internal import Pipeline
internal import Synchronization
internal import Telemetry

/// Keeps the contents of a process's own version, and says from time to time that it is in use, so that nobody removes them;
/// where it writes a version that was not there, it removes those that nobody needs any more.
final class VersionLease: Sendable {
  private struct State {
    /// What the process's own version is made of, and when that was said last; nil: it is not kept yet.
    var manifest: VersionManifest?
    var renewed = ContinuousClock.now
    /// Contents that are kept once more, and when: another process may have removed some of what was found of them.
    var atRisk: (content: VersionContent, due: ContinuousClock.Instant)?

    var isRenewalDue: Bool {
      manifest != nil && ContinuousClock.now - renewed > .milliseconds(VersionCleaning.renewal)
    }
  }

  private let store: KafkaVersionStore
  private let use: VersionUse
  private let state = Lock(State())
  private let isBusy = Atomic<Bool>(false)
  private let queue = DispatchQueue(label: "tocsin.versions")
  private let log = Logger(module: "KafkaTransport")

  init(_ store: KafkaVersionStore, _ use: VersionUse) {
    self.store = store
    self.use = use
  }

  /// Keeps the contents of the version that is to come into force; blocks.
  ///
  /// - Parameter isTrusting: whether one that was written lately is taken to be there.
  func keep(_ content: VersionContent, isTrusting: Bool = false) throws(PipelineFailure) {
    let publication = try store.publish(content, isTrusting: isTrusting)
    state.withLock { state in
      state.manifest = content.manifest
      state.renewed = .now
      state.atRisk =
        publication.isAtRisk ? (content, .now + .milliseconds(KafkaVersionStore.settledAfter)) : nil
    }
    if publication.isNew { queue.async { self.clean() } }
  }

  private func clean() {
    do throws(KafkaError) {
      try store.clean(named: { () throws(KafkaError) in try use.named() })
    } catch {
      log.warning(
        "versions that nobody needs any more could not be removed; whoever writes the next one tries again",
        ["topic": store.topic, "error": "\(error)"])
    }
  }

  /// Says that the version is in use, where that was said long ago: before anything is worked on with it by a process that may
  /// have been away. Blocks.
  func renewIfDue() throws(KafkaError) {
    guard let manifest = state.withLock({ $0.isRenewalDue ? $0.manifest : nil }) else { return }
    if try !store.renew(manifest) {
      log.error(
        "the version in force is not in its topic any more", ["topic": store.topic, "version": "\(manifest.id)"])
    }
    state.withLock { $0.renewed = .now }
  }

  private func keepAgainIfDue() throws(PipelineFailure) {
    let due = state.withLock { state in state.atRisk.flatMap { $0.due <= .now ? $0.content : nil } }
    guard let content = due else { return }
    _ = try store.publish(content)
    state.withLock { $0.atRisk = nil }
  }

  /// Does what is due; call it about once a second. Returns at once.
  func tick() {
    let isDue = state.withLock { $0.isRenewalDue || $0.atRisk.map { $0.due <= .now } ?? false }
    guard isDue, !isBusy.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.async {
      do {
        try self.renewIfDue()
        try self.keepAgainIfDue()
      } catch {
        self.log.warning(
          "keeping a version failed and is tried again", ["topic": self.store.topic, "error": "\(error)"])
      }
      self.isBusy.store(false, ordering: .releasing)
    }
  }
}
