/// Card payments: the usual traffic with planted cases and broken records. The usual traffic by itself holds no case: a
/// card is used at three terminals, rests two and a half minutes between two payments, and spends less than 2,000 euros a
/// day.
struct CardGenerator: EventGenerator {
  /// The shortest time between two usual payments of a card.
  static let restMilliseconds = 150_000
  /// What a usual card spends in a day of UTC at most, in cents.
  static let dailyCents = 200_000
  static let cardCount = 5_000
  static let merchantCount = 500
  /// Zipf's exponent over the usual cards.
  static let exponent = 0.8

  private let settings: PlantingSettings
  private let zipf = ZipfDistribution(count: cardCount, exponent: exponent)
  private let planted: PlantingPlan<PlantedPayment>
  private var random: SeededRandom
  private var lastSlot: [Int]
  private var spent: [(day: Int64, cents: Int)]
  private var plan: PartitionPlan
  private var made = 0

  init(_ settings: PlantingSettings) {
    self.settings = settings
    planted = CardPlan.make(settings)
    random = SeededRandom(seed: settings.seed)
    lastSlot = Array(repeating: Int.min / 2, count: Self.cardCount)
    spent = Array(repeating: (0, 0), count: Self.cardCount)
    plan = PartitionPlan(count: settings.partitions)
  }

  mutating func next(_ event: inout GeneratedEvent) -> Bool {
    guard made < settings.events else { return false }
    event.reset()
    let entry = planted[made]
    let payment = entry?.event ?? usual()
    let delay = entry == nil ? PlantingSettings.delay(&random) : 0
    event.key.append(text: payment.card.token)
    plan.place(&event)
    write(payment, time: settings.time(slot: made) - delay, into: &event.value)
    payment.damage?.apply(to: &event.value)
    if let truth = entry?.truth {
      event.truth.append(
        TruthLine(
          rule: truth.rule, key: truth.key, partition: event.partition, offset: event.offset,
          span: (made, truth.events)))
    }
    made += 1
    return true
  }

  /// A payment of the usual traffic.
  private mutating func usual() -> PlantedPayment {
    let rest = Self.restMilliseconds / PlantingSettings.slotMilliseconds
    let day = settings.time(slot: made) / 86_400_000
    let cents = random.happens(9, outOf: 10) ? random.next(in: 150...6_000) : random.next(in: 6_000...12_000)
    var number = zipf.next(&random)
    // The limits hold for far fewer cards than there are, so one is found soon.
    while made - lastSlot[number] < rest || (spent[number].day == day && spent[number].cents + cents > Self.dailyCents)
    {
      number = (number + 1) % Self.cardCount
    }
    lastSlot[number] = made
    spent[number] = (day, (spent[number].day == day ? spent[number].cents : 0) + cents)
    let terminal = Terminal.usual(of: number, random.next(in: 0...2))
    var payment = PlantedPayment(card: Card(seed: settings.seed, number: number), terminal: terminal, cents: cents)
    payment.isApproved = !random.happens(4, outOf: 100)
    payment.isPresent = !random.happens(30, outOf: 100)
    return payment
  }

  private mutating func write(_ payment: PlantedPayment, time: Int64, into json: inout [UInt8]) {
    json.append(text: "{\"ts\":\"")
    json.append(rfc3339Milliseconds: time)
    json.append(text: "\",\"card\":{\"token\":\"")
    json.append(text: payment.card.token)
    json.append(text: "\",\"bin\":\"")
    json.append(text: payment.card.bin)
    json.append(text: "\"},\"merchant\":{\"id\":\"m-")
    json.append(number: payment.terminal.merchant, width: 5)
    json.append(text: "\",\"mcc\":\"")
    json.append(text: payment.terminal.category)
    json.append(text: "\",\"country\":\"")
    json.append(text: payment.terminal.country)
    json.append(text: "\"},\"terminal\":\"")
    payment.terminal.appendName(to: &json)
    json.append(text: "\",\"amount\":\"")
    json.append(decimal: payment.cents, scale: 2)
    json.append(text: "\",\"currency\":\"EUR\",\"status\":\"")
    json.append(text: payment.isApproved ? "approved" : "declined")
    json.append(text: payment.isPresent ? "\",\"card_present\":true}" : "\",\"card_present\":false}")
  }
}

/// A card: made up, as its bank's number (BIN) is.
struct Card: Sendable {
  var token: String
  var bin: String

  init(seed: UInt64, number: Int) {
    let bits = splitMix64(splitMix64(seed) &+ UInt64(number))
    var token: [UInt8] = []
    token.append(text: "tok_")
    token.append(hexadecimal: bits)
    self.token = String(decoding: token, as: UTF8.self)
    bin = ["99990001", "99990002", "99990003", "99990004"][Int(bits % 4)]
  }
}

/// Where a card is used.
struct Terminal: Sendable, Hashable {
  var merchant: Int
  var till: Int

  /// The merchant's category code (ISO 18245).
  var category: String { ["5411", "5812", "5541", "5912", "5311", "4111", "5732", "5999"][merchant % 8] }
  /// The merchant's country (ISO 3166).
  var country: String { ["DE", "DE", "DE", "FR", "NL", "AT", "PL", "ES"][merchant / 8 % 8] }

  /// The tills that no usual card is used at.
  static let specialTills = (decoy: 8, case: 9)

  /// The terminal's name: `t-MERCHANT-TILL`.
  func appendName(to json: inout [UInt8]) {
    json.append(text: "t-")
    json.append(number: merchant, width: 5)
    json.append(text: "-")
    json.append(number: till)
  }

  /// The terminal's name.
  var name: String {
    var name: [UInt8] = []
    appendName(to: &name)
    return String(decoding: name, as: UTF8.self)
  }

  /// One of the three terminals at which an ordinary card is used.
  static func usual(of card: Int, _ choice: Int) -> Terminal {
    let bits = splitMix64(UInt64(card * 3 + choice))
    return Terminal(merchant: Int(bits % UInt64(CardGenerator.merchantCount)), till: Int(bits >> 32 % 4) + 1)
  }
}

/// A payment before it has its time.
struct PlantedPayment: Sendable {
  var card: Card
  var terminal: Terminal
  /// Euro cents.
  var cents: Int
  var isApproved = true
  var isPresent = true
  /// What makes it unreadable; nil: nothing.
  var damage: RecordDamage?

  init(card: Card, terminal: Terminal, cents: Int) {
    self.card = card
    self.terminal = terminal
    self.cents = cents
  }
}
