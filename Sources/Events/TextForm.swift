/// The one form in which texts of a kind are held, so that equal ones are equal bytes.
public enum TextForm: Sendable, Hashable {
  /// As they came.
  case plain
  /// As `AddressNormaliser` writes an address of a crypto asset.
  case address
  /// As `InternetAddress` writes an IPv4 or IPv6 address.
  case ip

  /// The text in this form; nil where it is none of the kind. Any text is taken for an address of a crypto asset, as a
  /// decoded field takes it. Off the hot path: it allocates.
  public func normalised(_ text: String) -> String? {
    switch self {
    case .plain: return text
    case .address: return AddressNormaliser.normalise(text)
    case .ip:
      var text = text
      return text.withUTF8 { bytes in
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: InternetAddress.maximumTextCount) { target in
          guard let start = target.baseAddress, let count = InternetAddress.canonical(bytes, into: start) else {
            return nil
          }
          return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        }
      }
    }
  }
}

extension FieldType {
  /// The form of its texts; of a list, that of its elements.
  public var textForm: TextForm {
    switch self {
    case .address: .address
    case .ip: .ip
    case .list(let element): element.textForm
    case .string, .int, .double, .bool, .decimal, .timestamp: .plain
    }
  }
}
