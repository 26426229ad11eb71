/// What can go wrong.
public enum Fault: String, Sendable, Hashable, CaseIterable {
  /// A process dies between two actions; a supervisor starts it again after a while.
  case crash
  /// A process stands still for a while: longer than the session time-out, it wakes up as a zombie.
  case pause
  /// A process is stopped in order, and started again later.
  case stop
  /// A process joins, or one that was stopped comes back.
  case join
  /// A second process of the same name is started.
  case twin
  /// A member is put out of the group although it lives: its heartbeats did not get through, or a new coordinator does not
  /// know it. Half of those of a cooperative group are not told by their client, which takes another id and keeps what it had.
  case expulsion
  /// A request never reaches the broker.
  case lostRequest
  /// A request is carried out, its answer never comes.
  case lostResponse
  /// A broker stands still: requests hang, and are taken up late.
  case stall
  /// The broker says that the transaction must be aborted.
  case abortable
  /// The client is of no more use.
  case fatal
  /// Permission is withdrawn for a moment.
  case denied
  /// The broker forgets a transactional id.
  case expiredID
  /// The transaction coordinator ends an open transaction that is over its time.
  case timeout
  /// Records are thrown away that nobody needs any more.
  case retention
  /// A transaction that is decided stays hidden in its partitions for a while.
  case hidden
  /// The state topic is compacted.
  case compaction
  /// All processes die, and what `Loss` says is lost.
  case loss
}

/// What is lost in one run when `Fault.loss` strikes. Retention goes with what may be lost beside it.
enum Loss: CaseIterable {
  /// Nothing; the input is thrown away up to what the last snapshot needs.
  case nothing
  /// The state topic.
  case state
  /// What the group has committed.
  case offsets
  /// The group is set back by hand.
  case setBack

  var allowsRetention: Bool { self == .nothing || self == .state }
}

/// How often each fault strikes in one run: each seed draws its own, some faults not at all (what is rare beside
/// everything else is common in a run of its own).
struct FaultRates {
  /// By fault, so many of 10,000 occasions.
  private var rates: [Int]
  /// Whether anything strikes now.
  var areOn = true

  init(_ random: inout SeededRandom) {
    let isCalm = random.chance(120)
    rates = Fault.allCases.map { fault in
      if isCalm { return fault == .join || fault == .stop ? 40 : 0 }
      guard random.chance(550) else { return 0 }
      let most =
        switch fault {
        case .crash, .pause, .stop, .join, .expulsion: 60
        case .twin, .denied, .expiredID: 20
        case .lostRequest, .lostResponse: 1_500
        case .stall: 120
        case .abortable, .fatal: 500
        case .timeout: 0
        case .retention, .compaction: 60
        case .hidden: 5_000
        case .loss: 15
        }
      return random.below(most + 1)
    }
  }

  /// Whether nothing but orderly joins and stops ever strikes.
  var isCalm: Bool {
    zip(Fault.allCases, rates).allSatisfy { $0 == .join || $0 == .stop || $1 == 0 }
  }

  func strikes(_ fault: Fault, _ random: inout SeededRandom) -> Bool {
    guard areOn, let place = Fault.allCases.firstIndex(of: fault), rates[place] > 0 else { return false }
    return random.below(10_000) < rates[place]
  }
}
