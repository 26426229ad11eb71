import Events

/// Brings a list's keys into the form in which events carry theirs, or says why one cannot be a key.
enum KeyNormaliser {
  struct Failure: Error {
    /// Where in the key.
    var offset: Int
    var message: String
  }

  static func normalise(_ key: ArraySlice<UInt8>, as kind: TableKeyKind, limit: Int) throws(Failure) -> [UInt8] {
    if key.isEmpty { throw Failure(offset: 0, message: "the key is empty: give it one or remove the row") }
    if key.count > limit {
      throw Failure(offset: 0, message: "the key has \(key.count) bytes, more than the limit of \(limit)")
    }
    switch kind {
    case .string:
      return try checkedText(key)
    case .address:
      try checkAddress(key)
      var address = Array(key)
      address.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        AddressNormaliser.normalise(UnsafeBufferPointer(buffer), into: base)
      }
      return address
    }
  }

  private static func checkedText(_ key: ArraySlice<UInt8>) throws(Failure) -> [UInt8] {
    if let bad = key.firstIndex(where: { $0 < 0x20 || $0 == 0x7F }) {
      throw Failure(
        offset: bad - key.startIndex, message: "the key \(quoted(key)) contains a control character: remove it")
    }
    if text(key) == nil {
      throw Failure(offset: 0, message: "the key \(quoted(key)) is not UTF-8: save the list as UTF-8")
    }
    return Array(key)
  }

  /// A character that no address has tells of a list read in the wrong format.
  private static func checkAddress(_ key: ArraySlice<UInt8>) throws(Failure) {
    if let bad = key.firstIndex(where: { !AddressNormaliser.canHold($0) }) {
      throw Failure(
        offset: bad - key.startIndex,
        message: "\(quoted(key)) is not an address: it has a character that no address has (is the format right?)")
    }
  }
}

/// The address that no key owns: mints and burns go through it, so as an entry of a watchlist it would hit them all.
enum ZeroAddress {
  private static let ethereum = Array("0x0000000000000000000000000000000000000000".utf8)
  private static let tron = Array("T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb".utf8)

  static func isZero(_ normalised: [UInt8]) -> Bool { normalised == ethereum || normalised == tron }

  static func advice(_ normalised: [UInt8]) -> String {
    "\(quoted(normalised)) is the zero address: mints and burns go through it, and a watchlist with it would hit them "
      + "all; remove it from the list"
  }
}
