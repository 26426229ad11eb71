import Detection
import Pipeline

/// How a call to a broker ends when it does not end well, by what matters to the caller (`KafkaError.Class`, `isFenced`,
/// `isPermission`, `isUnwritableRecord`).
enum CallError: Error {
  case retriable, abortable, fatal, fenced, denied, unwritable
  /// The group has another generation by now.
  case generation
}

/// A record of the input.
struct InputRecord {
  var offset: Int64
  var timestamp: Int64
  var key: [UInt8]?
  var value: [UInt8]?
  /// What it says; nil: it can't be decoded.
  var event: ReferenceModel.Event?
}

/// A producer as the transaction coordinator knows it.
struct ProducerName: Hashable {
  var name: String
  var id: Int
  var epoch: Int
}

/// A record of an output topic.
struct LogEntry {
  var transaction: TransactionName
  /// Its place in the transaction: a repeat is known by it, as by a sequence number.
  var place: SinkFailure.Place
  var partition: PartitionID
  var output: Output
  /// Which taking up of the partition it comes from: a later owner has a larger number.
  var tenure: Int
}

/// One transaction of one producer.
struct TransactionName: Hashable {
  var producer: ProducerName
  var number: Int
}

/// Brokers in memory: the input's log, the group, the transaction coordinator, and the output topics as a read_committed
/// reader sees them.
final class Broker {
  /// A transactional id.
  private struct Identity {
    var id: Int
    var epoch: Int
    var ongoing: Int?
    var began: Int64 = 0
    var hasOffsets = false
  }

  static let transactionTimeout = 10 * second
  /// `ClientSettings.stateTransactionTimeout`, in the same proportion.
  static let stateTransactionTimeout = 30 * second
  private static let stateSuffix = ".state"

  /// The transactional id of a process's snapshots.
  static func stateName(_ name: String) -> String { name + stateSuffix }

  private static func timeout(_ name: String) -> Int64 {
    name.hasSuffix(stateSuffix) ? stateTransactionTimeout : transactionTimeout
  }

  private(set) var group: Group
  let checker: Checker
  let scenario: Scenario
  /// By partition, how many of its records have been written so far, and the oldest offset that is kept.
  var written: [PartitionID: Int] = [:]
  var low: [PartitionID: Int64] = [:]
  private var identities: [String: Identity] = [:]
  private var nextProducer = 1
  /// What stands in the output topics undecided.
  private var undecided: [LogEntry] = []
  /// The state of each partition.
  var states: [PartitionID: StateLog] = [:]
  /// What stands in the partitions of exchanges.
  var exchanges: [PartitionID: StateLog] = [:]
  /// When something may have come to be seen in which exchange.
  var arrivals: [(time: Int64, partition: PartitionID)] = []
  /// How long a transaction that is decided stays hidden in the partitions, when it ends next; the world sets it.
  var markDelay: () -> Int64 = { 0 }

  init(_ scenario: Scenario, checker: Checker, isCooperative: Bool) {
    self.scenario = scenario
    self.checker = checker
    group = Group(partitions: scenario.partitions, isCooperative: isCooperative)
  }

  func withGroup<Result>(_ body: (inout Group) -> Result) -> Result { body(&group) }

  // MARK: The operator

  /// All processes are dead: what they left is undone, and nobody is in the group.
  func settleAll(now: Int64) {
    for name in identities.keys.sorted() where identities[name]?.ongoing != nil { end(name, commits: false, now: now) }
    withGroup { $0.clear() }
  }

  func setCommitted(_ partition: PartitionID, _ offset: Int64?) {
    withGroup { $0.setCommitted(partition, offset.map { CommittedOffset(offset: $0, metadata: "") }) }
  }

  func deleteState() { for partition in states.keys { states[partition]?.clear() } }

  // MARK: Transactions

  /// `init_transactions`: settles what the name's last producer left, and fences it.
  func initialise(_ name: String, now: Int64) -> ProducerName {
    if var identity = identities[name] {
      if identity.ongoing != nil { end(name, commits: false, now: now) }
      identity = identities[name] ?? identity
      identity.epoch += 1
      identities[name] = identity
      return ProducerName(name: name, id: identity.id, epoch: identity.epoch)
    }
    defer { nextProducer += 1 }
    identities[name] = Identity(id: nextProducer, epoch: 0)
    return ProducerName(name: name, id: nextProducer, epoch: 0)
  }

  private func check(_ transaction: TransactionName) throws(CallError) -> Identity {
    guard let identity = identities[transaction.producer.name], identity.id == transaction.producer.id else {
      // INVALID_PRODUCER_ID_MAPPING: "abortable", and it fails again after the abort.
      throw .abortable
    }
    guard identity.epoch == transaction.producer.epoch else { throw .fenced }
    return identity
  }

  private func begin(_ transaction: TransactionName, now: Int64) throws(CallError) {
    let identity = try check(transaction)
    if let ongoing = identity.ongoing {
      // What belongs to a transaction that has ended is known by its sequence numbers.
      if ongoing != transaction.number { throw .abortable }
      return
    }
    identities[transaction.producer.name]?.ongoing = transaction.number
    identities[transaction.producer.name]?.began = now
  }

  /// - Parameter isApart: whether blocks of exchanges are visible at once, whatever becomes of the transaction.
  func produce(_ entry: LogEntry, now: Int64, isApart: Bool = false) throws(CallError) {
    guard scenario.isWritable(entry.output) else { throw .unwritable }
    try begin(entry.transaction, now: now)
    if undecided.contains(where: { $0.transaction == entry.transaction && $0.place == entry.place }) { return }
    if let place = entry.output.place, let target = scenario.target(place) {
      let record = StateLog.Record(key: [], value: entry.output.value)
      exchanges[target, default: StateLog()].append(
        record, entry.transaction, place: entry.place.pair << 24 | entry.place.output)
      if isApart {
        _ = exchanges[target]?.decide(entry.transaction, commits: true, visibleAt: now)
        arrivals.append((now, target))
        checker.follow(target, exchanges[target] ?? StateLog())
      }
    }
    undecided.append(entry)
  }

  /// Writes records of state.
  func produce(
    _ records: ArraySlice<StateLog.Record>, to partition: PartitionID, _ transaction: TransactionName, now: Int64
  ) throws(CallError) {
    try begin(transaction, now: now)
    for place in records.indices {
      states[partition, default: StateLog()].append(records[place], transaction, place: place)
    }
  }

  /// AddOffsetsToTxn: the transaction's marker will go to the group too.
  func addOffsets(_ transaction: TransactionName, now: Int64) throws(CallError) {
    try begin(transaction, now: now)
    identities[transaction.producer.name]?.hasOffsets = true
  }

  /// TxnOffsetCommit. The group checks the membership, at this moment only.
  func sendOffsets(
    _ offsets: [PartitionID: CommittedOffset], _ transaction: TransactionName, _ membership: Membership
  ) throws(CallError) {
    let identity = try check(transaction)
    guard identity.ongoing == transaction.number else { throw .abortable }
    guard !group.refuses(membership) else { throw .generation }
    group.hold(offsets, producer: transaction.producer.id)
  }

  /// A TxnOffsetCommit that a broker which stood still takes up after its transaction has ended: it checks the membership,
  /// and what it holds is pending until that producer's next marker.
  func takeUpLate(_ offsets: [PartitionID: CommittedOffset], _ transaction: TransactionName, _ membership: Membership) {
    // An id is forgotten after a week, a broker stands still for a minute.
    guard identities[transaction.producer.name]?.id == transaction.producer.id, !group.refuses(membership) else {
      return
    }
    group.hold(offsets, producer: transaction.producer.id)
  }

  func commit(_ transaction: TransactionName, now: Int64) throws(CallError) {
    let identity = try check(transaction)
    guard let ongoing = identity.ongoing else { return }
    guard ongoing == transaction.number else { throw .abortable }
    end(transaction.producer.name, commits: true, now: now)
  }

  private func end(_ name: String, commits: Bool, now: Int64) {
    guard let identity = identities[name], let number = identity.ongoing else { return }
    let transaction = TransactionName(
      producer: ProducerName(name: name, id: identity.id, epoch: identity.epoch), number: number)
    let entries = undecided.filter { $0.transaction == transaction }
    undecided.removeAll { $0.transaction == transaction }
    identities[name]?.ongoing = nil
    identities[name]?.hasOffsets = false
    for target in exchanges.keys.sorted() {
      let visibleAt = now + markDelay()
      let blocks = exchanges[target]?.decide(transaction, commits: commits, visibleAt: visibleAt)
      guard let blocks, !blocks.isEmpty else { continue }
      arrivals.append((visibleAt, target))
      checker.follow(target, exchanges[target] ?? StateLog())
    }
    if name.hasSuffix(Self.stateSuffix) { decideStates(transaction, commits: commits, now: now) }
    if identity.hasOffsets {
      let before = group.committed
      let moved = group.end(producer: identity.id, commits: commits)
      checker.moved(moved, from: before)
    }
    if commits { checker.committed(entries) }
  }

  /// The transaction coordinator's look at its clock: what is over its time is aborted, and its producer fenced.
  ///
  /// - Returns: whether anything was.
  func endOverdue(_ now: Int64) -> Bool {
    var found = false
    for name in identities.keys.sorted() {
      guard let identity = identities[name], identity.ongoing != nil, now - identity.began >= Self.timeout(name)
      else { continue }
      end(name, commits: false, now: now)
      identities[name]?.epoch += 1
      found = true
    }
    return found
  }

  var nextTimeout: Int64? {
    identities.filter { $0.value.ongoing != nil }.map { $0.value.began + Self.timeout($0.key) }.min()
  }

  /// Forgets a transactional id that has nothing open or pending.
  func forget(_ name: String) -> Bool {
    guard let identity = identities[name], identity.ongoing == nil, group.pending[identity.id] == nil else {
      return false
    }
    identities[name] = nil
    return true
  }

  // MARK: Offsets

  /// What the group has committed, as an OffsetFetch tells; `isStable` waits for what is pending.
  func fetchOffsets(_ asked: [PartitionID], isStable: Bool) throws(CallError) -> [PartitionID: CommittedOffset] {
    if isStable, group.isUnstable(asked) { throw .retriable }
    return group.committed.filter { asked.contains($0.key) }
  }
}
