import Pipeline

/// The consumer of one process, as librdkafka behaves: its thread heartbeats and joins by itself, tells the control thread
/// what was assigned and revoked, and waits for the answer.
struct Client {
  enum Event: Hashable {
    case assign([PartitionID])
    case revoke([PartitionID], isLost: Bool)
  }

  private enum State {
    /// Not in the group, or about to join again.
    case out
    case joining
    case steady
    /// The control thread has been told something and has not answered.
    case asked
  }

  static let heartbeatInterval = 2 * second

  private var state = State.out
  private var memberID: Int?
  private var generation = -1
  private(set) var assigned: Set<PartitionID> = []
  /// Newly assigned beside a revocation: told when that is answered (cooperative).
  private var added: [PartitionID]?
  private var mustRejoin = false
  private var isLost = false
  /// Whether the next loss of its place is not told: librdkafka joins again under another id and keeps what it had.
  private var isSilent = false
  private var nextHeartbeat: Int64 = 0
  /// What the control thread has not taken yet.
  private(set) var event: Event?

  /// `rd_kafka_consumer_group_metadata`: what is true now, also in the middle of a rebalance.
  var membership: Membership { memberID.map { Membership(member: $0, generation: generation) } ?? .none }

  mutating func takeEvent() -> Event? {
    defer { event = nil }
    return event
  }

  // MARK: librdkafka's thread

  /// Whether there is something to do now, so far as this side knows.
  func isReady(_ group: Group, now: Int64) -> Bool {
    switch state {
    case .out: true
    case .joining: group.phase == .stable || now >= nextHeartbeat
    case .steady, .asked: now >= nextHeartbeat
    }
  }

  var nextTime: Int64 { nextHeartbeat }

  mutating func step(_ broker: Broker, now: Int64) {
    nextHeartbeat = now + Self.heartbeatInterval
    let isCooperative = broker.group.isCooperative
    switch state {
    case .out:
      mustRejoin = false
      let (id, owned) = (memberID, isCooperative ? assigned.sorted() : [])
      guard let joined = broker.withGroup({ $0.join(id, owned: owned, now: now) }) else { return lose() }
      memberID = joined
      state = .joining
    case .joining:
      guard let memberID else { return lose() }
      switch broker.withGroup({ $0.heartbeat(memberID, now: now) }) {
      case .ok: break
      case .unknownMember: return lose()
      case .rebalancing:
        state = .out
        return
      }
      guard let given = broker.withGroup({ $0.assignment(memberID, now: now) }) else { return }
      generation = given.generation
      take(given.partitions, isCooperative)
    case .steady:
      guard let memberID else { return }
      switch broker.withGroup({ $0.heartbeat(memberID, now: now) }) {
      case .ok: break
      case .unknownMember: lose()
      case .rebalancing:
        if isCooperative {
          state = .out
        } else {
          tell(.revoke(assigned.sorted(), isLost: false))
          mustRejoin = true
        }
      }
    case .asked:
      guard let memberID else { return }
      if broker.withGroup({ $0.heartbeat(memberID, now: now) }) == .unknownMember {
        forget()
        isLost = true
      }
    }
  }

  private mutating func tell(_ event: Event) {
    self.event = event
    state = .asked
  }

  private mutating func forget() {
    memberID = nil
    generation = -1
  }

  /// The group has put us out: whatever was assigned may be others' already.
  private mutating func lose() {
    forget()
    if isSilent {
      isSilent = false
      state = .out
      return
    }
    if assigned.isEmpty { state = .out } else { tell(.revoke(assigned.sorted(), isLost: true)) }
    mustRejoin = true
  }

  private mutating func take(_ given: [PartitionID], _ isCooperative: Bool) {
    guard isCooperative else { return tell(.assign(given)) }
    let revoked = assigned.subtracting(given)
    let new = given.filter { !assigned.contains($0) }
    if revoked.isEmpty { return tell(.assign(new)) }
    added = new
    mustRejoin = true
    tell(.revoke(revoked.sorted(), isLost: false))
  }

  // MARK: The control thread's answers

  /// `KafkaConsumer.assign`.
  mutating func assign(_ partitions: [PartitionID], _ isCooperative: Bool) {
    if isCooperative { assigned.formUnion(partitions) } else { assigned = Set(partitions) }
    answered()
  }

  /// `KafkaConsumer.unassign`.
  mutating func unassign(_ partitions: [PartitionID], _ isCooperative: Bool) {
    if isCooperative { assigned.subtract(partitions) } else { assigned = [] }
    answered()
  }

  private mutating func answered() {
    if isLost {
      isLost = false
      added = nil
      return lose()
    }
    if let added {
      self.added = nil
      return tell(.assign(added))
    }
    state = mustRejoin ? .out : .steady
    mustRejoin = false
  }

  /// `KafkaConsumer.close`.
  mutating func close(_ broker: Broker, now: Int64) {
    if let memberID { broker.withGroup { $0.leave(memberID, now: now) } }
    forget()
  }

  /// A member that the group forgets although it lives.
  var expellable: Int? { memberID }

  /// The group has forgotten it, which its program will not be told.
  mutating func losesInSilence() { isSilent = true }
}
