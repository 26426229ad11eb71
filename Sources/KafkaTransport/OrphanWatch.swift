internal import Dispatch
internal import Kafka
internal import Locking
internal import Telemetry

/// Looks, after this process has joined its group, whether partitions are left that belong to nobody.
///
/// In a cooperative rebalance a member gives partitions up, joins again, and only then are they given to another. A member of
/// a name that dies or is stopped between the two, and comes back, is given its old place without a rebalance: what it had
/// given up would be nobody's until the next one, which may never come. So whoever has come back looks. The asking is done
/// off the control thread.
final class OrphanWatch: Sendable {
  private struct State {
    var isAsking = false
    var lastAsked = ContinuousClock.now
    var looksLeft = OrphanWatch.looksMax
    /// What belonged to nobody at the last look, and at how many looks before it too.
    var orphans: Set<TopicPartition> = []
    var times = 0
  }

  /// Between two looks.
  private static let pause = Duration.seconds(5)
  /// Looks after which all is taken for well: by then somebody else's rebalance is over.
  private static let looksMax = 24
  /// Looks at which partitions must have been nobody's: a member has up to twenty seconds to give them up in order.
  private static let looksNeeded = 5
  /// Milliseconds for one question.
  private static let timeout: Int32 = 5_000

  private let consumer: KafkaConsumer
  private let group: String
  private let all: Set<TopicPartition>
  private let state = Lock(State())
  private let queue = DispatchQueue(label: "tocsin.orphans")
  private let log = Logger(module: "KafkaTransport")

  /// - Parameter all: the partitions that the group reads.
  init(_ consumer: KafkaConsumer, group: String, all: Set<TopicPartition>) {
    self.consumer = consumer
    self.group = group
    self.all = all
  }

  /// Partitions that belong to nobody and stay so; empty where there are none, or it is not known yet. Returns at once.
  ///
  /// - Parameter ours: what this process has: where the group's answer lacks it, it tells nothing.
  func look(ours: Set<TopicPartition>) -> Set<TopicPartition> {
    let (isDue, found) = state.withLock { state -> (Bool, Set<TopicPartition>) in
      if state.times >= Self.looksNeeded { return (false, state.orphans) }
      guard !state.isAsking, state.looksLeft > 0, ContinuousClock.now - state.lastAsked >= Self.pause else {
        return (false, [])
      }
      state.isAsking = true
      return (true, [])
    }
    if isDue { queue.async { self.ask(ours) } }
    return found
  }

  private func ask(_ ours: Set<TopicPartition>) {
    var answer: GroupAssignment?
    do throws(KafkaError) {
      answer = try consumer.assignment(ofGroup: group, timeoutMilliseconds: Self.timeout)
    } catch {
      log.debug("what the group's members have was not to be had", ["error": "\(error)"])
    }
    state.withLock { state in
      state.isAsking = false
      state.lastAsked = .now
      state.looksLeft -= 1
      guard let answer, answer.isStable, ours.isSubset(of: answer.partitions) else { return state.times = 0 }
      let orphans = all.subtracting(answer.partitions)
      if orphans.isEmpty { state.looksLeft = 0 }
      state.times = orphans.isEmpty || orphans != state.orphans ? 0 : state.times
      state.orphans = orphans
      if !orphans.isEmpty { state.times += 1 }
    }
  }
}
