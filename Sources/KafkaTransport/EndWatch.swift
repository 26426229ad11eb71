internal import Dispatch
internal import Kafka
internal import Locking
internal import Telemetry

/// For `--stop-at-end`: where some topics ended when it was first asked, and whether the group, all its instances together, has
/// come there. The asking is done off the control thread.
final class EndWatch: Sendable {
  private struct State {
    var bounds: [TopicPartition: WatermarkOffsets]?
    /// Partitions that the group has come to the end of; it never goes back.
    var reached: Set<TopicPartition> = []
    /// What was committed at the last look: who moves is not looked at more closely.
    var committed: [TopicPartition: Int64] = [:]
    var isAsking = false
    var lastAsked: ContinuousClock.Instant?
    var hasTold = false
  }

  /// Between two looks.
  private static let pause = Duration.milliseconds(500)
  /// Milliseconds for one question.
  private static let timeout: Int32 = 5_000
  /// Milliseconds for one record.
  private static let readTimeout: Int32 = 2_000

  private let consumer: KafkaConsumer
  private let partitions: [TopicPartition]
  private let reader: KafkaConfiguration
  private let countsHidden: Bool
  private let skipsUnread: Bool
  private let state = Lock(State())
  private let queue = DispatchQueue(label: "tocsin.ends")
  private let log = Logger(module: "KafkaTransport")

  /// Asks where the partitions end, at once.
  ///
  /// - Parameters:
  ///   - countsHidden: whether records count whose transaction is not decided yet, or not marked as such in the log.
  ///   - skipsUnread: whether a partition of which the group has committed nothing counts as read: it is begun at its end.
  init(
    _ consumer: KafkaConsumer, _ settings: ClientSettings, _ partitions: [TopicPartition], countsHidden: Bool,
    skipsUnread: Bool
  ) {
    self.consumer = consumer
    self.partitions = partitions
    self.countsHidden = countsHidden
    self.skipsUnread = skipsUnread
    let group: Set<String> = ["group.id", "group.instance.id", "partition.assignment.strategy"]
    reader = KafkaConfiguration(settings.consumer.properties.filter { !group.contains($0.key) })
    ask([])
  }

  /// Where a partition ended; nil: it is not known yet.
  func end(of partition: TopicPartition) -> Int64? { state.withLock { $0.bounds?[partition]?.high } }

  /// Whether the group has come to the end of all partitions. Returns at once; what is not known is asked for.
  ///
  /// - Parameter ours: those of which the caller knows that they are read to the end.
  func isReached(ours: Set<TopicPartition>) -> Bool {
    let missing = state.withLock { state in partitions.filter { !ours.contains($0) && !state.reached.contains($0) } }
    if missing.isEmpty { return state.withLock { $0.bounds != nil } || partitions.allSatisfy { ours.contains($0) } }
    tell(missing)
    ask(missing)
    return false
  }

  private func tell(_ missing: [TopicPartition]) {
    let isFirst = state.withLock { state in
      // Only once it is known that somebody else reads them.
      guard !state.hasTold, state.bounds != nil, !state.committed.isEmpty else { return false }
      state.hasTold = true
      return true
    }
    guard isFirst else { return }
    log.info(
      "all that is ours is read; waiting for what other instances read",
      ["partitions": missing.map(\.description).joined(separator: ", ")])
  }

  // MARK: Asking

  private func ask(_ missing: [TopicPartition]) {
    let isDue = state.withLock { state in
      guard !state.isAsking else { return false }
      if let last = state.lastAsked, ContinuousClock.now - last < Self.pause { return false }
      state.isAsking = true
      return true
    }
    guard isDue else { return }
    queue.async {
      do throws(KafkaError) {
        try self.look(missing)
      } catch {
        self.log.debug("whether topics are read to their end was not to be had", ["error": "\(error)"])
      }
      self.state.withLock { state in
        state.isAsking = false
        state.lastAsked = .now
      }
    }
  }

  private func look(_ missing: [TopicPartition]) throws(KafkaError) {
    let bounds = if let known = state.withLock({ $0.bounds }) { known } else { try askBounds() }
    guard !missing.isEmpty else { return }
    let committed = try consumer.committed(missing, timeoutMilliseconds: Self.timeout).mapValues(\.offset)
    let before = state.withLock { $0.committed }
    var reached: Set<TopicPartition> = []
    for partition in missing {
      guard let bound = bounds[partition] else { continue }
      let next = committed[partition] ?? bound.low
      let isUnread = committed[partition] == nil && skipsUnread
      if next >= bound.high || isUnread {
        reached.insert(partition)
      } else if before[partition] == next, try !hasRecord(partition, from: next, before: bound.high) {
        reached.insert(partition)
      }
    }
    let (news, places) = (reached, Dictionary(missing.map { ($0, committed[$0] ?? bounds[$0]?.low ?? 0) }) { $1 })
    state.withLock { state in
      state.reached.formUnion(news)
      state.committed = places
    }
  }

  private func askBounds() throws(KafkaError) -> [TopicPartition: WatermarkOffsets] {
    let isolation = countsHidden ? "read_uncommitted" : "read_committed"
    let reader = try KafkaReader(reader.merging(["isolation.level": isolation]))
    var found: [TopicPartition: WatermarkOffsets] = [:]
    for partition in partitions {
      found[partition] = try reader.watermarkOffsets(partition, timeoutMilliseconds: Self.timeout)
    }
    let bounds = found
    state.withLock { $0.bounds = bounds }
    return found
  }

  /// Whether a record is left: marks of transactions, and what was never committed, are passed by nobody.
  private func hasRecord(
    _ partition: TopicPartition, from offset: Int64, before end: Int64
  ) throws(KafkaError) -> Bool {
    let reader = try KafkaReader(reader)
    let now = try reader.watermarkOffsets(partition, timeoutMilliseconds: Self.timeout)
    // What is hidden still may be decided.
    if now.high < end { return true }
    let first = max(offset, now.low)
    if first >= end { return false }
    switch try reader.next(partition, from: first, timeoutMilliseconds: Self.readTimeout) {
    case .record(let record): return record.offset < end
    case .notAvailable(.notWritten): return false
    case .notAvailable: return true
    }
  }
}
