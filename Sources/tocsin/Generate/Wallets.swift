/// The assets of the generated transfers, with the prices of `pipelines/lists/rates.csv`.
enum Asset: String, Sendable, CaseIterable {
  case ether = "ETH"
  case bitcoin = "BTC"
  case tether = "USDT"
  case usdCoin = "USDC"

  /// US dollars for one.
  var price: Int {
    switch self {
    case .ether: 2_500
    case .bitcoin: 60_000
    case .tether, .usdCoin: 1
    }
  }

  /// Decimal places that amounts are written with.
  var scale: Int {
    switch self {
    case .ether: 6
    case .bitcoin: 8
    case .tether, .usdCoin: 2
    }
  }

  /// The network it moves on.
  var network: String { self == .bitcoin ? "bitcoin" : "ethereum" }

  /// The amount worth so many cents, rounded down, in units of 10^-`scale`.
  func units(cents: Int) -> Int {
    var unit = 1
    for _ in 0..<scale { unit *= 10 }
    return cents * unit / (price * 100)
  }
}

/// A wallet: its address and the asset it deals in.
struct Wallet: Sendable, Hashable {
  var address: String
  var asset: Asset
}

/// The wallets of the generated transfers. Addresses are made up and have no valid checksum.
struct Wallets: Sendable {
  /// Ordinary ones, between which the usual traffic runs.
  static let count = 5_000
  /// Payees of a wallet: so few that no usual wallet ever looks like a fan-out.
  static let circle = 12

  private let seed: UInt64
  /// The ordinary wallets.
  let all: [Wallet]

  init(seed: UInt64) {
    self.seed = seed
    all = (0..<Self.count).map { Self.wallet(seed, $0) }
  }

  /// A wallet that is none of the ordinary ones.
  func special(_ number: Int, asset: Asset) -> Wallet {
    Wallet(address: Self.address(seed, Self.count + number, asset), asset: asset)
  }

  /// One of the few that a wallet pays.
  func payee(of wallet: Int, _ choice: Int) -> Wallet {
    let bits = splitMix64(seed ^ UInt64(wallet * Self.circle + choice))
    let other = Int(bits % UInt64(Self.count))
    // A bitcoin wallet pays bitcoin wallets, which are every tenth; the others pay the others.
    let tens = other / 10 * 10
    return all[wallet % 10 == 9 ? tens + 9 : tens + other % 9]
  }

  private static func wallet(_ seed: UInt64, _ number: Int) -> Wallet {
    let assets: [Asset] = [.ether, .ether, .ether, .ether, .tether, .tether, .tether, .tether, .usdCoin, .bitcoin]
    let asset = assets[number % assets.count]
    return Wallet(address: address(seed, number, asset), asset: asset)
  }

  private static func address(_ seed: UInt64, _ number: Int, _ asset: Asset) -> String {
    guard asset == .bitcoin else {
      return String(decoding: EtherAddress.bytes(seed: seed, number: number), as: UTF8.self)
    }
    let letters = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
    var random = SeededRandom(seed: seed, stream: 0x6263_3171 &+ UInt64(number) &* 2)
    return "bc1q" + String((0..<38).map { _ in random.pick(letters) })
  }
}
