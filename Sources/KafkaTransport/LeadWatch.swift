internal import Dispatch
internal import Kafka
internal import Locking
internal import Pipeline
internal import Telemetry

/// Watches how far apart the source's partitions are, those of other processes by what they have committed, and holds back
/// who leads by too much. The asking is done off the control thread.
final class LeadWatch: Sendable {
  private struct State {
    var gate: LeadGate
    var remote: [PartitionID: LeadGate.Standing] = [:]
    var isAsking = false
    var isHoldingBack = false
  }

  /// Milliseconds for one question.
  private static let timeout: Int32 = 10_000
  /// For how long a partition has been read to its end before it is no longer waited for, in nanoseconds.
  private static let quietAfter: Int64 = 1_000_000_000

  private let consumer: KafkaConsumer
  private let partitions: [PartitionID]
  private let state: Lock<State>
  private let queue = DispatchQueue(label: "tocsin.lead")
  private let log = Logger(module: "KafkaTransport")

  init(_ consumer: KafkaConsumer, _ plan: PipelinePlan, partitionCount: Int) {
    self.consumer = consumer
    partitions = (0..<Int32(partitionCount)).map { PartitionID(plan.source.topic, $0) }
    state = Lock(State(gate: LeadGate(lead: plan.exchange.lead, patience: plan.source.idle)))
  }

  /// Whether somebody waits: then it pays to look often.
  var isHoldingBack: Bool { state.withLock { $0.isHoldingBack } }

  /// Looks at how the workers stand and tells them how far they may go. Returns at once.
  func look(_ workers: [PartitionID: PartitionWorker], now: Int64) {
    let own = workers.filter { partitions.contains($0.key) }
    let others = partitions.filter { own[$0] == nil }
    guard !own.isEmpty else { return }
    var standings: [PartitionID: LeadGate.Standing] = [:]
    for (partition, worker) in own {
      let progress = worker.state
      let isQuiet = progress.isDrained && !progress.isBlocked && now - progress.lastRecord >= Self.quietAfter
      standings[partition] = LeadGate.Standing(
        watermark: progress.watermark, offset: progress.nextOffset, isQuiet: isQuiet)
    }
    let (limit, asks, changed) = state.withLock { state -> (Int64, Bool, Bool?) in
      for partition in others {
        standings[partition] =
          state.remote[partition] ?? LeadGate.Standing(watermark: .min, offset: -1, isQuiet: false)
      }
      let limit = state.gate.limit(standings, now: now)
      let isHoldingBack = own.values.contains { $0.state.watermark > limit }
      let changed = isHoldingBack == state.isHoldingBack ? nil : isHoldingBack
      state.isHoldingBack = isHoldingBack
      let asks = !others.isEmpty && !state.isAsking
      if asks { state.isAsking = true }
      return (limit, asks, changed)
    }
    if let changed {
      log.info(changed ? "partitions that lead wait for the slowest" : "no partition waits for another any more")
    }
    for worker in own.values { worker.setLeadLimit(limit) }
    if asks { ask(others) }
  }

  private func ask(_ others: [PartitionID]) {
    queue.async {
      var found: [PartitionID: LeadGate.Standing]?
      do throws(KafkaError) {
        let asked = others.map { TopicPartition($0.topic, $0.number) }
        let committed = try self.consumer.committed(asked, timeoutMilliseconds: Self.timeout)
        found = [:]
        for (partition, offset) in committed {
          let position = Position(offset: offset.offset, metadata: offset.metadata)
          found?[PartitionID(partition.topic, partition.partition)] = LeadGate.Standing(
            watermark: position.watermark ?? .min, offset: position.offset, isQuiet: position.isIdle)
        }
      } catch {
        // What was known stays; it is asked again.
        self.log.debug("how far other partitions are was not to be had", ["error": "\(error)"])
      }
      self.state.withLock { state in
        if let found { state.remote = found }
        state.isAsking = false
      }
    }
  }
}
