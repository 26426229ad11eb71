import Events

/// The cases planted in `transfers`. For each kind there are decoys that look alike and stay below the mark.
///
/// | rule | the case | the decoy |
/// |---|---|---|
/// | `sanctioned-counterparty` | one transfer to or from a listed address, of `0x…` ones some in mixed case | an address that differs in one character |
/// | `structuring` | 4 to 6 transfers of 9,000 to 9,990 US dollars within 20 hours | two such transfers |
/// | `fan-out` | one wallet pays 40 payees within 50 minutes | 15 payees |
/// | `velocity` | 40 transfers of one wallet to two payees within 4 minutes | 8 transfers |
enum TransferPlan {
  /// Decides all of it.
  static func make(
    _ settings: PlantingSettings, wallets: Wallets, listed: [Wallet]
  ) -> PlantingPlan<PlantedTransfer> {
    var maker = Maker(settings: settings, wallets: wallets, listed: listed)
    maker.plantSanctioned()
    maker.plantStructuring()
    maker.plantFanOut()
    maker.plantVelocity()
    maker.plantBroken()
    return maker.plan
  }

  private struct Maker {
    let settings: PlantingSettings
    let wallets: Wallets
    let listed: [Wallet]
    var plan: PlantingPlan<PlantedTransfer>
    var random: SeededRandom
    private var specials = 0

    init(settings: PlantingSettings, wallets: Wallets, listed: [Wallet]) {
      self.settings = settings
      self.wallets = wallets
      self.listed = listed
      plan = PlantingPlan(slotCount: settings.events)
      random = SeededRandom(seed: settings.seed, stream: 1)
    }

    /// A wallet that sends nothing but the case.
    private mutating func special() -> Wallet {
      specials += 1
      return wallets.special(specials, asset: random.pick(Asset.allCases))
    }

    /// Distinct ordinary wallets of a wallet's kind.
    private mutating func payees(_ count: Int, of wallet: Wallet) -> [String] {
      let offset = random.next(in: 0...(Wallets.count - 1))
      let kind = wallets.all.filter { ($0.asset == .bitcoin) == (wallet.asset == .bitcoin) }
      return (0..<count).map { kind[(offset + $0) % kind.count].address }
    }

    private mutating func plant(
      _ events: [PlantedTransfer], _ truth: (rule: String, key: String)?, span: Int
    ) {
      let start = settings.start(span: span, &random)
      plan.plant(events, truth: truth, from: start, span: span, &random)
    }

    mutating func plantSanctioned() {
      guard !listed.isEmpty else { return }
      for number in 0..<settings.cases(oneIn: 1_000) {
        let target = random.pick(listed)
        let lookalike = Lookalike.changed(target.address, &random)
        let written = random.happens(1, outOf: 2) ? Lookalike.mixedCase(target.address, &random) : target.address
        plantDealing(with: Wallet(address: written, asset: target.asset), number, rule: "sanctioned-counterparty")
        plantDealing(with: Wallet(address: lookalike, asset: target.asset), number, rule: nil)
      }
    }

    /// One transfer; every third goes out from the other, the rest to it.
    private mutating func plantDealing(with other: Wallet, _ number: Int, rule: String?) {
      specials += 1
      let own = wallets.special(specials, asset: other.asset)
      let cents = random.next(in: 5_000...700_000)
      let (from, to) = number % 3 == 2 ? (other, own) : (own, other)
      let key = AddressNormaliser.normalise(from.address)
      plant([PlantedTransfer(from: from, to: to.address, cents: cents)], rule.map { ($0, key) }, span: 1)
    }

    mutating func plantStructuring() {
      let span = min(PlantingSettings.slots(minutes: 20 * 60), settings.events / 2)
      for _ in 0..<settings.cases(oneIn: 10_000) {
        for isDecoy in [false, true] {
          let wallet = special()
          let payees = payees(3, of: wallet)
          let count = isDecoy ? 2 : random.next(in: 4...6)
          let events = (0..<count).map { index in
            PlantedTransfer(from: wallet, to: payees[index % 3], cents: random.next(in: 900_000...999_000))
          }
          plant(events, isDecoy ? nil : ("structuring", wallet.address), span: span)
        }
      }
    }

    mutating func plantFanOut() {
      let span = PlantingSettings.slots(minutes: 50)
      for _ in 0..<settings.cases(oneIn: 10_000) {
        for isDecoy in [false, true] {
          let wallet = special()
          let payees = payees(isDecoy ? 15 : 40, of: wallet)
          let events = payees.map {
            PlantedTransfer(from: wallet, to: $0, cents: random.next(in: 2_000...20_000))
          }
          plant(events, isDecoy ? nil : ("fan-out", wallet.address), span: span)
        }
      }
    }

    mutating func plantVelocity() {
      let span = PlantingSettings.slots(minutes: 4)
      for _ in 0..<settings.cases(oneIn: 10_000) {
        for isDecoy in [false, true] {
          let wallet = special()
          let payees = payees(2, of: wallet)
          let events = (0..<(isDecoy ? 8 : 40)).map { index in
            PlantedTransfer(from: wallet, to: payees[index % 2], cents: random.next(in: 1_000...9_000))
          }
          plant(events, isDecoy ? nil : ("velocity", wallet.address), span: span)
        }
      }
    }

    mutating func plantBroken() {
      for number in 0..<settings.cases(oneIn: 2_000) {
        let wallet = special()
        let damage = RecordDamage.allCases[number % RecordDamage.allCases.count]
        let event = PlantedTransfer(from: wallet, to: payees(1, of: wallet)[0], cents: 5_000, damage: damage)
        plant([event], (TruthLine.deadLetter, wallet.address), span: 1)
      }
    }
  }
}

/// Other spellings of an address.
enum Lookalike {
  /// Another address: one character in the middle is changed.
  static func changed(_ address: String, _ random: inout SeededRandom) -> String {
    var bytes = Array(address.utf8)
    let index = random.next(in: (bytes.count / 2)...(bytes.count - 3))
    bytes[index] = bytes[index] == UInt8(ascii: "7") ? UInt8(ascii: "8") : UInt8(ascii: "7")
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The same address where case does not count (`0x…`), its letters in capitals at random; others stay as they are.
  static func mixedCase(_ address: String, _ random: inout SeededRandom) -> String {
    guard address.hasPrefix("0x") else { return address }
    let digits = address.dropFirst(2).map { random.happens(1, outOf: 2) ? $0.uppercased() : String($0) }
    return "0x" + digits.joined()
  }
}
