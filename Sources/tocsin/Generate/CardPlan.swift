/// The cases planted in `cards`. For each kind there are decoys that look alike and stay below the mark.
///
/// | rule | the case | the decoy |
/// |---|---|---|
/// | `velocity` | 12 payments at one terminal within 8 minutes | 5 payments |
/// | `many-terminals` | 5 terminals within 8 minutes | 3 terminals |
/// | `spend-over-limit` | 6 payments of 1,000 to 1,400 euros, some hours of one day of UTC | 3 such payments |
/// | `card-testing` | 10 cards declined at one terminal within 8 minutes | 4 cards |
enum CardPlan {
  /// Decides all of it.
  static func make(_ settings: PlantingSettings) -> PlantingPlan<PlantedPayment> {
    var maker = Maker(settings: settings)
    maker.plantVelocity()
    maker.plantManyTerminals()
    maker.plantDailySpend()
    maker.plantCardTesting()
    maker.plantBroken()
    return maker.plan
  }

  private struct Maker {
    let settings: PlantingSettings
    var plan: PlantingPlan<PlantedPayment>
    var random: SeededRandom
    private var specials = 0

    init(settings: PlantingSettings) {
      self.settings = settings
      plan = PlantingPlan(slotCount: settings.events)
      random = SeededRandom(seed: settings.seed, stream: 1)
    }

    /// A card that is used for nothing but the case.
    private mutating func special() -> Card {
      specials += 1
      return Card(seed: settings.seed, number: CardGenerator.cardCount + specials)
    }

    private mutating func terminals(_ count: Int) -> [Terminal] {
      let first = random.next(in: 0...(CardGenerator.merchantCount - 1))
      return (0..<count).map { Terminal(merchant: (first + $0) % CardGenerator.merchantCount, till: 1) }
    }

    /// - Parameter key: whom the alert is about; nil: the card.
    private mutating func plant(
      _ events: [PlantedPayment], rule: String?, key: String? = nil, start: Int, span: Int
    ) {
      let truth = rule.map { (rule: $0, key: key ?? events[0].card.token) }
      plan.plant(events, truth: truth, from: start, span: span, &random)
    }

    mutating func plantVelocity() {
      let span = PlantingSettings.slots(minutes: 8)
      for _ in 0..<settings.cases(oneIn: 10_000) {
        for isDecoy in [false, true] {
          let card = special()
          let terminal = terminals(1)[0]
          let events = (0..<(isDecoy ? 5 : 12)).map { _ in
            PlantedPayment(card: card, terminal: terminal, cents: random.next(in: 100...2_000))
          }
          plant(events, rule: isDecoy ? nil : "velocity", start: settings.start(span: span, &random), span: span)
        }
      }
    }

    mutating func plantManyTerminals() {
      let span = PlantingSettings.slots(minutes: 8)
      for _ in 0..<settings.cases(oneIn: 10_000) {
        for isDecoy in [false, true] {
          let card = special()
          let events = terminals(isDecoy ? 3 : 5).map {
            PlantedPayment(card: card, terminal: $0, cents: random.next(in: 1_000...9_000))
          }
          plant(events, rule: isDecoy ? nil : "many-terminals", start: settings.start(span: span, &random), span: span)
        }
      }
    }

    mutating func plantDailySpend() {
      // At least 15 minutes, so that it is no velocity; at most 6 hours.
      let span = min(
        PlantingSettings.slots(minutes: 6 * 60), max(PlantingSettings.slots(minutes: 15), settings.events / 4))
      for _ in 0..<settings.cases(oneIn: 10_000) {
        for isDecoy in [false, true] {
          let card = special()
          let terminals = terminals(2)
          let events = (0..<(isDecoy ? 3 : 6)).map {
            PlantedPayment(card: card, terminal: terminals[$0 % 2], cents: random.next(in: 100_000...140_000))
          }
          plant(events, rule: isDecoy ? nil : "spend-over-limit", start: startWithinDay(span: span), span: span)
        }
      }
    }

    /// A slot from which `span` slots lie in one day, also of a zone one or two hours east of UTC; -1: none was found.
    private mutating func startWithinDay(span: Int) -> Int {
      for _ in 0..<20 {
        let start = settings.start(span: span, &random)
        guard start >= 0 else { return -1 }
        let ofDay = settings.time(slot: start) % 86_400_000
        let end = ofDay + Int64(span * PlantingSettings.slotMilliseconds)
        if end <= 22 * 3_600_000 { return start }
      }
      return -1
    }

    mutating func plantCardTesting() {
      let span = PlantingSettings.slots(minutes: 8)
      for number in 0..<settings.cases(oneIn: 10_000) {
        for isDecoy in [false, true] {
          let till = isDecoy ? Terminal.specialTills.decoy : Terminal.specialTills.case
          let terminal = Terminal(merchant: number % CardGenerator.merchantCount, till: till)
          let events = (0..<(isDecoy ? 4 : 10)).map { _ in
            var payment = PlantedPayment(card: special(), terminal: terminal, cents: random.next(in: 100...300))
            payment.isApproved = false
            payment.isPresent = false
            return payment
          }
          plant(
            events, rule: isDecoy ? nil : "card-testing", key: terminal.name,
            start: settings.start(span: span, &random), span: span)
        }
      }
    }

    mutating func plantBroken() {
      for number in 0..<settings.cases(oneIn: 2_000) {
        var event = PlantedPayment(card: special(), terminal: terminals(1)[0], cents: 1_000)
        event.damage = RecordDamage.allCases[number % RecordDamage.allCases.count]
        plant([event], rule: TruthLine.deadLetter, start: settings.start(span: 1, &random), span: 1)
      }
    }
  }
}
