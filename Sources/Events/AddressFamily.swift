/// The family of a crypto-asset address, told from its text alone: how sure one can be without asking a chain.
public enum AddressFamily: String, Sendable, Hashable, CaseIterable {
  /// `0x` and 40 hex digits: Ethereum and all chains with its addresses.
  case ethereum
  /// `1…`, `3…` in base58 or `bc1…`: Bitcoin.
  case bitcoin
  /// `T` and 33 further base58 digits: Tron.
  case tron
  /// `L…`, `M…` or `ltc1…`: Litecoin.
  case litecoin
  /// `4…` or `8…` with 95 or 106 base58 digits: Monero.
  case monero
  /// `r…`: the XRP ledger.
  case ripple

  /// The family of a normalised address; nil where its form does not tell.
  public init?(of address: String) {
    let count = address.utf8.count
    guard let first = address.utf8.first.map({ Character(UnicodeScalar($0)) }) else { return nil }
    switch first {
    case "0" where count == 42 && address.hasPrefix("0x"): self = .ethereum
    case "b" where address.hasPrefix("bc1"): self = .bitcoin
    case "l" where address.hasPrefix("ltc1"): self = .litecoin
    case "1" where (26...35).contains(count), "3" where (26...35).contains(count): self = .bitcoin
    case "T" where count == 34: self = .tron
    case "L" where (26...35).contains(count), "M" where (26...35).contains(count): self = .litecoin
    case "4" where [95, 106].contains(count), "8" where count == 95: self = .monero
    case "r" where (25...35).contains(count): self = .ripple
    default: return nil
    }
  }

  /// The chain's name as an alert says it.
  public var chain: String { rawValue }
}
