/// The benchmark's transactions: 100,000 accounts by Zipf's law, JSON of some 230 bytes, keyed by `from`; times out of
/// order by up to 5 s, one in a hundred late by up to two minutes more. The truth is the exact set of expected alerts.
///
/// Event time runs at 5,000 events a second, at which some thirty accounts send more than 1,000 transactions a minute.
/// Addresses are made up: they look like Ethereum's and belong to nobody.
struct BenchGenerator: EventGenerator {
  /// What is made of it.
  struct Settings: Sendable {
    var events: Int
    var seed: UInt64
    var partitions: Int
    /// The first event's time, in milliseconds since 1970.
    var startMilliseconds: Int64
    /// Whether alerts are worked out: it costs time.
    var hasTruth: Bool
  }

  static let accountCount = 100_000
  static let exponent = 1.1
  static let eventsPerMillisecond = 5
  static let outOfOrderMilliseconds = 5_000
  static let latestMilliseconds = 120_000
  /// Listed accounts: the least busy of them every so many ranks; together about one event in a thousand.
  static let watchedRanks = (0..<25).map { 2_000 + 100 * $0 }
  /// Entries of the watchlist.
  static let watchlistCount = 100_000

  private let settings: Settings
  private let zipf = ZipfDistribution(count: accountCount, exponent: exponent)
  private let addresses: [UInt8]
  private let partitionOfAccount: [Int32]
  private let isWatched: [Bool]
  private var random: SeededRandom
  private var plan: PartitionPlan
  private var oracle: BenchOracle
  private var made = 0

  init(_ settings: Settings) {
    self.settings = settings
    random = SeededRandom(seed: settings.seed)
    plan = PartitionPlan(count: settings.partitions)
    oracle = BenchOracle(partitions: settings.partitions)
    var addresses: [UInt8] = []
    var partitions: [Int32] = []
    for account in 0..<Self.accountCount {
      let address = EtherAddress.bytes(seed: settings.seed, number: account)
      partitions.append(plan.partition(of: address))
      addresses += address
    }
    self.addresses = addresses
    partitionOfAccount = partitions
    var isWatched = Array(repeating: false, count: Self.accountCount)
    for rank in Self.watchedRanks { isWatched[rank] = true }
    self.isWatched = isWatched
  }

  mutating func next(_ event: inout GeneratedEvent) -> Bool {
    guard made < settings.events else { return false }
    event.reset()
    let from = zipf.next(&random)
    let to = zipf.next(&random)
    let time = nextTime()
    append(address: from, to: &event.key)
    event.partition = partitionOfAccount[from]
    event.offset = plan.takeOffset(event.partition)
    write(from: from, to: to, time: time, into: &event.value)
    if settings.hasTruth {
      let findings = oracle.alerts(
        partition: event.partition, from: from, time: time, isWatched: isWatched[from] || isWatched[to])
      for finding in findings { event.truth.append(truth(finding, event)) }
    }
    made += 1
    return true
  }

  /// The watchlist, one address a line: a hundred thousand, of which few are accounts.
  func watchlist() -> [UInt8] {
    var lines: [UInt8] = []
    lines.reserveCapacity(Self.watchlistCount * (EtherAddress.length + 1))
    for entry in 0..<Self.watchlistCount {
      // Accounts stand apart from each other, as in a real list.
      let spacing = Self.watchlistCount / Self.watchedRanks.count
      if entry % spacing == 0, entry / spacing < Self.watchedRanks.count {
        append(address: Self.watchedRanks[entry / spacing], to: &lines)
      } else {
        lines += EtherAddress.bytes(seed: settings.seed, number: Self.accountCount + entry)
      }
      lines.append(UInt8(ascii: "\n"))
    }
    return lines
  }

  private mutating func nextTime() -> Int64 {
    let clock = settings.startMilliseconds + Int64(made / Self.eventsPerMillisecond)
    var delay = random.next(in: 0...Self.outOfOrderMilliseconds)
    if random.happens(1, outOf: 100) {
      delay = random.next(in: (Self.outOfOrderMilliseconds + 1)...Self.latestMilliseconds)
    }
    return clock - Int64(delay)
  }

  private func append(address account: Int, to bytes: inout [UInt8]) {
    let start = account * EtherAddress.length
    bytes.append(contentsOf: addresses[start..<(start + EtherAddress.length)])
  }

  private static let assets: [StaticString] = ["USDT", "USDC", "ETH", "DAI"]
  private static let memos: [StaticString] = [
    "invoice ", "order ", "salary and bonus ", "rent of the month ", "refund of ", "savings plan ",
  ]

  private mutating func write(from: Int, to: Int, time: Int64, into json: inout [UInt8]) {
    let bits = random.next()
    json.append(text: "{\"id\":\"tx-")
    json.append(number: made, width: 12)
    json.append(text: "\",\"ts\":")
    json.append(number: Int(time))
    json.append(text: ",\"from\":\"")
    append(address: from, to: &json)
    json.append(text: "\",\"to\":\"")
    append(address: to, to: &json)
    json.append(text: "\",\"amount\":\"")
    json.append(decimal: Int(bits % 1_000_000) + 1, scale: 2)
    json.append(text: "\",\"asset\":\"")
    json.append(text: Self.assets[Int(bits >> 20 & 3)])
    json.append(text: "\",\"network\":\"ethereum\",\"memo\":\"")
    json.append(text: Self.memos[Int((bits >> 22 & 0xFFFF) % UInt64(Self.memos.count))])
    json.append(number: Int(bits >> 40), width: 8)
    json.append(text: "\"}")
  }

  private func truth(_ finding: BenchOracle.Finding, _ event: GeneratedEvent) -> TruthLine {
    switch finding {
    case .watchlist: TruthLine(rule: "watchlist", key: "", partition: event.partition, offset: event.offset)
    case .velocity:
      TruthLine(
        rule: "velocity", key: String(decoding: event.key, as: UTF8.self), partition: event.partition,
        offset: event.offset)
    }
  }
}

/// Addresses that look like Ethereum's: `0x` and 40 hex digits, in lower case.
enum EtherAddress {
  /// Bytes of an address.
  static let length = 42

  /// The address of a number; no two numbers have the same but by a chance of 1 in 2^100.
  static func bytes(seed: UInt64, number: Int) -> [UInt8] {
    var random = SeededRandom(seed: seed, stream: 0x6164_6472 &+ UInt64(number) &* 2)
    var address: [UInt8] = []
    address.reserveCapacity(48)
    address.append(text: "0x")
    for _ in 0..<3 { address.append(hexadecimal: random.next()) }
    address.removeLast(address.count - length)
    return address
  }
}
