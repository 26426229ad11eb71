import Events
import Tables

/// The listed addresses that `transfers` plants, out of an OFAC list.
enum SanctionsList {
  /// The addresses of the list whose assets occur in the transfers, in the list's order.
  static func wallets(path: String) throws(TableLoadError) -> [Wallet] {
    let source = TableSource(
      name: "sanctions", path: path, format: .ofacSDN, key: .address,
      columns: [TableSourceColumn(name: "asset", type: .string)])
    let snapshot = try TableLoader.load(source)
    return (0..<Int32(snapshot.entryCount)).compactMap { entry in
      guard case .string(let code)? = snapshot.value(entry: entry, column: 0),
        let asset = asset(code, address: snapshot.key(entry: entry))
      else { return nil }
      return Wallet(address: snapshot.key(entry: entry), asset: asset)
    }
  }

  /// OFAC's code for an asset; on other networks than the generator's: nil.
  private static func asset(_ code: String, address: String) -> Asset? {
    switch code {
    case "XBT": .bitcoin
    case "ETH": .ether
    case "USDT" where address.hasPrefix("0x"): .tether
    case "USDC" where address.hasPrefix("0x"): .usdCoin
    default: nil
    }
  }
}
