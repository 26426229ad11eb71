/// Crypto transfers: the usual traffic, out of order by up to 5 s and at times late, with planted cases and broken
/// records. The usual traffic by itself holds no case: a wallet pays a few payees, waits at least half a minute between two
/// transfers, and moves nothing worth 7,500 to 10,100 US dollars.
struct TransferGenerator: EventGenerator {
  /// The shortest time between two usual transfers of a wallet.
  static let restMilliseconds = 30_000
  /// Zipf's exponent over the usual senders.
  static let exponent = 0.9

  private let settings: PlantingSettings
  private let wallets: Wallets
  private let zipf = ZipfDistribution(count: Wallets.count, exponent: exponent)
  private let planted: PlantingPlan<PlantedTransfer>
  private var random: SeededRandom
  private var lastSlot: [Int]
  private var plan: PartitionPlan
  private var made = 0

  /// - Parameter listed: addresses on the sanctions list, with their assets; where there are none, none are planted.
  init(_ settings: PlantingSettings, listed: [Wallet]) {
    self.settings = settings
    wallets = Wallets(seed: settings.seed)
    planted = TransferPlan.make(settings, wallets: wallets, listed: listed)
    random = SeededRandom(seed: settings.seed)
    lastSlot = Array(repeating: Int.min / 2, count: Wallets.count)
    plan = PartitionPlan(count: settings.partitions)
  }

  mutating func next(_ event: inout GeneratedEvent) -> Bool {
    guard made < settings.events else { return false }
    event.reset()
    let entry = planted[made]
    let transfer = entry?.event ?? usual()
    let delay = entry == nil ? PlantingSettings.delay(&random) : 0
    event.key.append(text: transfer.from)
    plan.place(&event)
    write(transfer, time: settings.time(slot: made) - delay, into: &event.value)
    transfer.damage?.apply(to: &event.value)
    if let truth = entry?.truth {
      event.truth.append(
        TruthLine(
          rule: truth.rule, key: truth.key, partition: event.partition, offset: event.offset,
          span: (made, truth.events)))
    }
    made += 1
    return true
  }

  /// A transfer of the usual traffic.
  private mutating func usual() -> PlantedTransfer {
    let rest = Self.restMilliseconds / PlantingSettings.slotMilliseconds
    var sender = zipf.next(&random)
    // There are far more wallets than transfers within a rest, so one is found soon.
    while made - lastSlot[sender] < rest { sender = (sender + 1) % Wallets.count }
    lastSlot[sender] = made
    let payee = wallets.payee(of: sender, random.next(in: 0...(Wallets.circle - 1)))
    return PlantedTransfer(from: wallets.all[sender], to: payee.address, cents: usualCents())
  }

  private mutating func usualCents() -> Int {
    switch random.next(below: 100) {
    case 0..<50: random.next(in: 1_000...10_000)
    case 50..<85: random.next(in: 10_000...100_000)
    case 85..<98: random.next(in: 100_000...750_000)
    default: random.next(in: 1_010_000...5_000_000)
    }
  }

  private static let memos = ["", "rent", "invoice 2041", "thank you", "savings", "order 77-1", "dinner", "refund"]

  private mutating func write(_ transfer: PlantedTransfer, time: Int64, into json: inout [UInt8]) {
    json.append(text: "{\"id\":\"tx-")
    json.append(number: made, width: 9)
    json.append(text: "\",\"ts\":")
    json.append(number: Int(time))
    json.append(text: ",\"from\":\"")
    json.append(text: transfer.from)
    json.append(text: "\",\"to\":\"")
    json.append(text: transfer.to)
    json.append(text: "\",\"amount\":\"")
    json.append(decimal: transfer.asset.units(cents: transfer.cents), scale: transfer.asset.scale)
    json.append(text: "\",\"asset\":\"")
    json.append(text: transfer.asset.rawValue)
    json.append(text: "\",\"network\":\"")
    json.append(text: transfer.asset.network)
    json.append(text: "\",\"memo\":\"")
    json.append(text: random.pick(Self.memos))
    json.append(text: "\"}")
  }
}

/// A transfer before it has its time and its number.
struct PlantedTransfer: Sendable {
  var from: String
  var to: String
  var asset: Asset
  /// What it is worth, in US cents.
  var cents: Int
  /// What makes it unreadable; nil: nothing.
  var damage: RecordDamage?

  init(from: Wallet, to: String, cents: Int, damage: RecordDamage? = nil) {
    self.from = from.address
    self.to = to
    asset = from.asset
    self.cents = cents
    self.damage = damage
  }
}
