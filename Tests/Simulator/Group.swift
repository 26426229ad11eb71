import Pipeline

/// What a consumer knows of its place in the group, as a transaction carries it (`GroupMetadata`).
struct Membership: Hashable {
  var member: Int
  var generation: Int

  static let none = Membership(member: -1, generation: -1)
  /// True where the member had joined (`GroupMetadata.isMember`).
  var isMember: Bool { generation >= 0 }
}

/// An offset as the group holds it.
struct CommittedOffset: Hashable {
  var offset: Int64
  var metadata: String
}

/// The group coordinator, as brokers were seen to behave: members are fenced by generation and
/// not by partition; a generation below 0 is accepted; offsets of a transaction are pending by producer id until its marker.
struct Group {
  enum Phase: Equatable {
    case empty
    case preparing(deadline: Int64)
    case stable
  }

  enum Answer {
    case ok, rebalancing, unknownMember
  }

  private struct Member {
    var id: Int
    var lastHeard: Int64
    var hasJoined = true
    var hasSynced = false
    var owned: [PartitionID]
    var assignment: [PartitionID] = []
  }

  static let sessionTimeout = 6 * second
  static let rebalanceTimeout = 40 * second

  let isCooperative: Bool
  private let partitions: [PartitionID]
  private(set) var generation = 0
  private(set) var phase = Phase.empty
  private var members: [Member] = []
  private var nextID = 1
  private(set) var committed: [PartitionID: CommittedOffset] = [:]
  /// By producer id.
  private(set) var pending: [Int: [PartitionID: CommittedOffset]] = [:]

  init(partitions: [PartitionID], isCooperative: Bool) {
    self.partitions = partitions
    self.isCooperative = isCooperative
  }

  // MARK: Members

  private func index(_ member: Int) -> Int? { members.firstIndex { $0.id == member } }
  func has(_ member: Int) -> Bool { index(member) != nil }

  /// Joins, or joins again; the answer to it is `assignment`. nil: there is no such member.
  mutating func join(_ member: Int?, owned: [PartitionID], now: Int64) -> Int? {
    if let member, index(member) == nil { return nil }
    if phase == .stable || phase == .empty { prepare(now) }
    if let member, let place = index(member) {
      members[place].hasJoined = true
      members[place].lastHeard = now
      members[place].owned = owned
      return member
    }
    let id = nextID
    nextID += 1
    members.append(Member(id: id, lastHeard: now, owned: owned))
    return id
  }

  private mutating func prepare(_ now: Int64) {
    phase = .preparing(deadline: now + Self.rebalanceTimeout)
    for place in members.indices { members[place].hasJoined = false }
  }

  mutating func leave(_ member: Int, now: Int64) {
    guard let place = index(member) else { return }
    members.remove(at: place)
    if members.isEmpty { phase = .empty } else if phase == .stable { prepare(now) }
  }

  mutating func heartbeat(_ member: Int, now: Int64) -> Answer {
    guard let place = index(member) else { return .unknownMember }
    members[place].lastHeard = now
    if case .preparing = phase { return members[place].hasJoined ? .ok : .rebalancing }
    return .ok
  }

  /// What the member is assigned in which generation; nil: not decided yet, or taken already.
  mutating func assignment(_ member: Int, now: Int64) -> (generation: Int, partitions: [PartitionID])? {
    guard phase == .stable, let place = index(member), !members[place].hasSynced else { return nil }
    members[place].hasSynced = true
    members[place].lastHeard = now
    return (generation, members[place].assignment)
  }

  /// Puts out who has not been heard of, and ends a rebalance for which all have joined.
  mutating func tick(_ now: Int64) {
    let silent = members.filter { now - $0.lastHeard > Self.sessionTimeout }
    for member in silent { leave(member.id, now: now) }
    guard case .preparing(let deadline) = phase else { return }
    if now >= deadline { members.removeAll { !$0.hasJoined } }
    if members.isEmpty {
      phase = .empty
    } else if members.allSatisfy(\.hasJoined) {
      assign()
    }
  }

  var isAwaited: Bool {
    if case .preparing = phase { return members.allSatisfy(\.hasJoined) }
    return false
  }

  var nextDeadline: Int64? {
    var times = members.map { $0.lastHeard + Self.sessionTimeout + 1 }
    if case .preparing(let deadline) = phase { times.append(deadline) }
    return times.min()
  }

  /// Round robin from a member on that depends on who there is. Cooperative: what another member still owns is given only when it is given up.
  private mutating func assign() {
    generation += 1
    phase = .stable
    let first = members.reduce(0) { $0 + $1.id } % members.count
    for place in members.indices {
      members[place].assignment = []
      members[place].hasSynced = false
    }
    let owners = members.map { Set($0.owned) }
    for (number, partition) in partitions.enumerated() {
      let place = (first + number) % members.count
      if isCooperative, let owner = owners.firstIndex(where: { $0.contains(partition) }), owner != place { continue }
      members[place].assignment.append(partition)
    }
  }

  // MARK: Offsets

  /// Why offsets with this membership are refused; nil: they are taken.
  func refuses(_ membership: Membership) -> Bool {
    guard membership.isMember else { return false }
    return membership.generation != generation || index(membership.member) == nil
  }

  mutating func hold(_ offsets: [PartitionID: CommittedOffset], producer: Int) {
    pending[producer, default: [:]].merge(offsets) { $1 }
  }

  /// A transaction's marker: what its producer has pending takes effect, or is dropped.
  mutating func end(producer: Int, commits: Bool) -> [PartitionID: CommittedOffset] {
    guard let held = pending.removeValue(forKey: producer) else { return [:] }
    guard commits else { return [:] }
    committed.merge(held) { $1 }
    return held
  }

  /// Nobody is a member any more, and nothing is pending.
  mutating func clear() {
    members = []
    phase = .empty
    pending = [:]
  }

  /// What an operator does by hand; nil: nothing is committed any more.
  mutating func setCommitted(_ partition: PartitionID, _ offset: CommittedOffset?) { committed[partition] = offset }

  func isUnstable(_ asked: [PartitionID]) -> Bool {
    pending.values.contains { held in asked.contains { held[$0] != nil } }
  }
}
