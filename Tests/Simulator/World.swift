import Pipeline

/// What all processes of a run share: the clock, chance, the brokers, and the requests that are still on their way.
final class World {
  /// Which broker a call goes to.
  enum Place: Int {
    case group, transactions
  }

  /// Calls to brokers; each may go wrong in every way.
  enum Call: String {
    case initialise, produce, sendOffsets, commit, fetchOffsets, bounds, readState

    /// Whether it is part of a transaction.
    var isOfTransaction: Bool {
      switch self {
      case .initialise, .produce, .sendOffsets, .commit: true
      case .fetchOffsets, .bounds, .readState: false
      }
    }
  }

  private struct Late {
    var time: Int64
    var carryOut: () -> Void
  }

  let scenario: Scenario
  let broker: Broker
  let checker: Checker
  let mutation: Mutation?
  var random: SeededRandom
  /// For what was added to a fault later: other runs stay as they were.
  private var aside: SeededRandom
  var rates: FaultRates
  var now: Int64 = 0
  var faults: [Fault: Int] = [:]
  private var late: [Late] = []
  /// Until when each broker stands still.
  private var standsStill: [Int64] = [0, 0]
  private var nextTenure = 0
  /// By name, how often it was started, the process that committed last, and how often that has changed.
  private var startsOfName: [String: Int] = [:]
  private var lastOfName: [String: Int] = [:]
  private var changes: [String: Int] = [:]
  /// By partition, the latest owner.
  private(set) var owners: [PartitionID: Int] = [:]
  private(set) var trace: [String] = []
  private let isTracing: Bool

  init(seed: UInt64, mutation: Mutation?, isTracing: Bool) {
    random = SeededRandom(seed: seed)
    aside = SeededRandom(seed: ~seed)
    scenario = Scenario(&random, mutation: mutation)
    checker = Checker(scenario)
    rates = FaultRates(&random)
    broker = Broker(scenario, checker: checker, isCooperative: random.chance(500))
    self.mutation = mutation
    self.isTracing = isTracing
    broker.markDelay = { [unowned self] in strikes(.hidden) ? random.within(0...3 * second) : 0 }
  }

  func lacks(_ line: Mutation) -> Bool { mutation == line }

  func tell(_ line: @autoclosure () -> String) {
    if isTracing { trace.append("\(checker.step) \(now / millisecond)ms \(line())") }
  }

  func strikes(_ fault: Fault) -> Bool {
    guard rates.strikes(fault, &random) else { return false }
    faults[fault, default: 0] += 1
    return true
  }

  /// Whether a client does not tell that the group has forgotten it.
  func isSilent() -> Bool { broker.group.isCooperative && aside.chance(500) }

  /// A partition is taken up that was assigned in this generation; a zombie may do so long after it was assigned to another.
  func takesUp(_ partition: PartitionID, in generation: Int) -> Int {
    nextTenure += 1
    let tenure = generation << 20 | nextTenure
    owners[partition] = max(owners[partition] ?? 0, tenure)
    return tenure
  }

  func started(_ name: String) { startsOfName[name, default: 0] += 1 }

  /// A process has committed. Of two with one name, the later one takes over; the earlier may take the name back where what
  /// it had under way was so old that it could not know, which drives the later one out. So each start explains two changes.
  func committed(_ name: String, _ number: Int) {
    if let last = lastOfName[name], last != number {
      changes[name, default: 0] += 1
      if changes[name] ?? 0 > 2 * (startsOfName[name] ?? 0) {
        checker.fail(.name, "two processes named \(name) take turns")
      }
    }
    lastOfName[name] = number
  }

  /// Nobody is there any more to whom a request or an answer belongs.
  func forgetRequests() {
    late = []
    lastOfName = [:]
  }

  // MARK: Requests on their way

  /// A call to a broker, with what may go wrong on the way there and back.
  ///
  /// - Parameter late: what a broker that stands still does with the request once it goes on; nil: nothing.
  func call<Result>(
    _ call: Call, at place: Place, late: (() -> Void)? = nil, _ body: () throws(CallError) -> Result
  ) throws(CallError) -> Result {
    if now < standsStill[place.rawValue] { throw .retriable }
    if strikes(.stall) {
      let length = random.within(random.pick([0...4 * second, 4 * second...15 * second, 15 * second...75 * second]))
      standsStill[place.rawValue] = now + length
      tell("\(call): the \(place) broker stands still for \(length / millisecond) ms")
      if let late { self.late.append(Late(time: now + length, carryOut: late)) }
      throw .retriable
    }
    if strikes(.lostRequest) { throw .retriable }
    if strikes(.denied) { throw .denied }
    if call.isOfTransaction {
      if strikes(.abortable) { throw .abortable }
      if strikes(.fatal) { throw .fatal }
    }
    let result = try body()
    if strikes(.lostResponse) { throw .retriable }
    return result
  }

  /// Lets time pass; what is due on the way is carried out in order.
  func pass(to time: Int64) {
    while let next = late.indices.min(by: { late[$0].time < late[$1].time }), late[next].time <= time {
      let request = late.remove(at: next)
      now = max(now, request.time)
      request.carryOut()
    }
    now = max(now, time)
    if let due = broker.nextTimeout, due <= now, broker.endOverdue(now) { faults[.timeout, default: 0] += 1 }
    let deadline = broker.group.nextDeadline
    if deadline.map({ $0 <= now }) ?? false || broker.group.isAwaited { broker.withGroup { $0.tick(now) } }
  }

  /// When the next thing happens by itself.
  var nextTime: Int64? {
    [late.map(\.time).min(), broker.arrivals.map(\.time).min(), broker.nextTimeout, broker.group.nextDeadline]
      .compactMap { $0 }.min()
  }
}
