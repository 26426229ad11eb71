/// Decides what is done to whom, from a seed.
struct Villain {
  /// A kind of blow.
  enum Blow: String, CaseIterable {
    case kill, terminate, pause, usurp, remove, add
    case brokerKill = "broker kill"
    case brokerPause = "broker pause"
    case brokerTerminate = "broker terminate"

    /// How often it comes, against the others.
    var weight: Int {
      switch self {
      case .kill: 54
      case .terminate: 8
      case .pause: 10
      case .usurp: 4
      case .remove: 4
      case .add: 3
      case .brokerKill: 8
      case .brokerPause: 6
      case .brokerTerminate: 3
      }
    }
  }

  /// Instances beyond those of the start.
  private static let mostAdded = 2

  private(set) var counts: [Blow: Int] = [:]
  private var random: TortureRandom
  private let gap: Range<Double>
  private let mayKillBrokers: Bool
  private var nextBlow: ContinuousClock.Instant
  private var added = 0

  /// - Parameters:
  ///   - gap: seconds between two blows.
  ///   - mayKillBrokers: else they are paused only.
  init(seed: UInt64, gap: Range<Double>, mayKillBrokers: Bool) {
    random = TortureRandom(seed: seed, stream: 3)
    self.gap = gap
    self.mayKillBrokers = mayKillBrokers
    nextBlow = .now + .seconds(gap.upperBound)
  }

  var kills: Int { counts[.kill, default: 0] + counts[.brokerKill, default: 0] }

  mutating func tick(_ fleet: Fleet, _ brokers: Brokers, _ log: (String) -> Void) {
    guard ContinuousClock.now >= nextBlow else { return }
    nextBlow = .now + .seconds(random.next(in: gap))
    // A blow that can't be dealt now gives way to another.
    for _ in 0..<8 {
      let blow = pick()
      if let what = deal(blow, fleet, brokers) {
        counts[blow, default: 0] += 1
        return log("\(blow.rawValue) \(what)")
      }
    }
  }

  private mutating func pick() -> Blow {
    var rest = random.next(below: Blow.allCases.reduce(0) { $0 + $1.weight })
    for blow in Blow.allCases {
      rest -= blow.weight
      if rest < 0 { return blow }
    }
    return .kill
  }

  /// - Returns: to whom, and for how long; nil where it can't be dealt now.
  private mutating func deal(_ blow: Blow, _ fleet: Fleet, _ brokers: Brokers) -> String? {
    switch blow {
    case .brokerKill, .brokerPause, .brokerTerminate: return deal(blow, brokers)
    case .add:
      guard added < Self.mostAdded else { return nil }
      added += 1
      fleet.add("x\(added)")
      return "x\(added)"
    case .kill, .terminate, .pause, .usurp, .remove: break
    }
    let targets = fleet.instances.filter(\.isUndisturbed)
    guard !targets.isEmpty else { return nil }
    let target = targets[random.next(below: targets.count)]
    switch blow {
    case .kill: fleet.kill(target, startsAfter: random.next(in: 0..<1.5))
    case .terminate: fleet.terminate(target, startsAfter: random.next(in: 0..<1))
    case .remove: fleet.terminate(target, startsAfter: random.next(in: 8..<30))
    // Some come back before the group has missed them, some after.
    case .pause: fleet.pause(target, for: random.next(in: random.next(below: 2) == 0 ? 0.3..<4 : 11..<18))
    default: fleet.usurp(target, zombieFor: random.next(in: 1..<15))
    }
    return target.name
  }

  private mutating func deal(_ blow: Blow, _ brokers: Brokers) -> String? {
    guard brokers.isSettled(for: 8), mayKillBrokers || blow == .brokerPause else { return nil }
    let node = 1 + random.next(below: brokers.count)
    switch blow {
    case .brokerKill: brokers.kill(node, for: random.next(in: 0..<6))
    case .brokerTerminate: brokers.terminate(node, for: random.next(in: 0..<6))
    default: brokers.pause(node, for: random.next(in: 0.5..<(mayKillBrokers ? 12 : 4)))
    }
    return "\(node)"
  }
}
