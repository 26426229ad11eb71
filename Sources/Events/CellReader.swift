internal import CSimdjson
internal import Foundation

/// Why a value that is there could not become a cell.
struct CellProblem: Error {
  var reason: DecodeFailure.Reason
  var expected: String

  static func wrongType(_ expected: String) -> CellProblem { CellProblem(reason: .wrongType, expected: expected) }
  static func outOfRange(_ expected: String) -> CellProblem { CellProblem(reason: .outOfRange, expected: expected) }
}

/// What stands at a declared place: a JSON value, or the text of a key or header.
struct RawValue {
  enum Kind { case number, string, bool, array, object, text }
  var kind: Kind
  var bytes: UnsafeBufferPointer<UInt8>
  var flag = false
  var elements: UnsafeBufferPointer<csj_slot> = UnsafeBufferPointer(start: nil, count: 0)
}

/// Turns values into cells. It says which types it takes from what (see docs/fields.md): numbers are never read from JSON
/// strings, but for money; the text of a key or header is read as any type.
struct CellReader {
  /// Memory for what does not stand in the record as it is; it lives until the next batch.
  let allocate: (Int) -> UnsafeMutablePointer<UInt8>?

  func read(_ value: RawValue, _ type: FieldType, into cell: UnsafeMutableRawPointer) throws(CellProblem) {
    switch type {
    case .string: cell.storeBytes(of: try text(value), as: BytesView.self)
    case .int: cell.storeBytes(of: try int(value), as: Int64.self)
    case .double: cell.storeBytes(of: try double(value), as: Double.self)
    case .bool: cell.storeBytes(of: try bool(value), as: Bool.self)
    case .decimal(let scale): cell.storeBytes(of: try decimal(value, scale), as: Int128.self)
    case .timestamp(let unit): cell.storeBytes(of: try timestamp(value, unit), as: Int64.self)
    case .address: cell.storeBytes(of: try address(value), as: BytesView.self)
    case .ip: cell.storeBytes(of: try ip(value), as: BytesView.self)
    case .list(let element): cell.storeBytes(of: try list(value, element), as: ListView.self)
    }
  }

  private func text(_ value: RawValue) throws(CellProblem) -> BytesView {
    guard value.kind == .string || value.kind == .text else { throw .wrongType("a string") }
    return BytesView(start: value.bytes.baseAddress, count: value.bytes.count)
  }

  private func int(_ value: RawValue) throws(CellProblem) -> Int64 {
    guard value.kind == .number || value.kind == .text else { throw .wrongType("a whole number") }
    if let quick = Self.shortInteger(value.bytes) { return quick }
    guard let number = DecimalText(value.bytes) else { throw .wrongType("a whole number") }
    guard let scaled = number.scaled(0) else { throw .outOfRange("a whole number of 64 bits") }
    guard scaled.isExact else { throw .wrongType("a whole number") }
    guard let result = Int64(exactly: scaled.value) else { throw .outOfRange("a whole number of 64 bits") }
    return result
  }

  /// Plain digits, at most 18 of them: what nearly every integer looks like.
  @inline(__always)
  private static func shortInteger(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var index = 0
    let isNegative = bytes.count > 0 && bytes[0] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    guard bytes.count > index, bytes.count - index <= 18 else { return nil }
    var value: Int64 = 0
    while index < bytes.count {
      let digit = Int64(bytes[index]) - 48
      guard digit >= 0, digit <= 9 else { return nil }
      value = value &* 10 &+ digit
      index += 1
    }
    return isNegative ? -value : value
  }

  private func double(_ value: RawValue) throws(CellProblem) -> Double {
    guard value.kind == .number || value.kind == .text else { throw .wrongType("a number") }
    if let whole = Self.shortInteger(value.bytes), abs(whole) < 1 << 53 { return Double(whole) }
    guard let number = DecimalText(value.bytes) else { throw .wrongType("a number") }
    // Both factors are exact, so the one operation rounds correctly.
    if !number.isTruncated, number.mantissa.magnitude < 1 << 53, abs(number.exponent) <= 22 {
      let power = Self.powers[abs(number.exponent)]
      let mantissa = Double(Int64(number.mantissa))
      let quick = number.exponent < 0 ? mantissa / power : mantissa * power
      return quick == 0 && value.bytes.first == UInt8(ascii: "-") ? -0.0 : quick
    }
    let result = strtod(String(decoding: value.bytes, as: UTF8.self), nil)
    guard result.isFinite else { throw .outOfRange("a number that a double can hold") }
    return result
  }

  private static let powers: [Double] = (0...22).map { strtod("1e\($0)", nil) }

  private func bool(_ value: RawValue) throws(CellProblem) -> Bool {
    if value.kind == .bool { return value.flag }
    guard value.kind == .text else { throw .wrongType("true or false") }
    if value.bytes.elementsEqual("true".utf8) { return true }
    if value.bytes.elementsEqual("false".utf8) { return false }
    throw .wrongType("true or false")
  }

  private func decimal(_ value: RawValue, _ scale: Int) throws(CellProblem) -> Int128 {
    guard value.kind == .number || value.kind == .string || value.kind == .text, let number = DecimalText(value.bytes)
    else { throw .wrongType("a decimal number, also as a string") }
    guard let scaled = number.scaled(scale) else { throw .outOfRange("a decimal that 128 bits hold") }
    guard scaled.isExact else { throw .outOfRange("a decimal with at most \(scale) decimal places") }
    return scaled.value
  }

  private func timestamp(_ value: RawValue, _ unit: TimestampUnit) throws(CellProblem) -> Int64 {
    let scale: Int
    switch unit {
    case .rfc3339: return try rfc3339(value)
    case .seconds: scale = 9
    case .milliseconds: scale = 6
    case .microseconds: scale = 3
    case .nanoseconds: scale = 0
    }
    guard value.kind == .number || value.kind == .text else { throw .wrongType("a number (\(unit.rawValue))") }
    if let whole = Self.shortInteger(value.bytes) {
      let (result, overflow) = whole.multipliedReportingOverflow(by: Self.nanosecondsPer[scale / 3])
      if !overflow { return result }
    }
    guard let number = DecimalText(value.bytes) else { throw .wrongType("a number (\(unit.rawValue))") }
    guard let scaled = number.scaled(scale), let result = Int64(exactly: scaled.value) else {
      throw .outOfRange("a time in the years 1677 to 2262")
    }
    return result
  }

  private static let nanosecondsPer: [Int64] = [1, 1_000, 1_000_000, 1_000_000_000]

  private func rfc3339(_ value: RawValue) throws(CellProblem) -> Int64 {
    guard value.kind == .string || value.kind == .text else { throw .wrongType("an RFC 3339 time as a string") }
    do throws(TimestampText.Problem) {
      return try TimestampText.nanoseconds(value.bytes)
    } catch {
      throw error == .outOfRange
        ? .outOfRange("a time in the years 1677 to 2262") : .wrongType("an RFC 3339 time such as 2026-11-24T10:15:30Z")
    }
  }

  private func address(_ value: RawValue) throws(CellProblem) -> BytesView {
    let view = try text(value)
    guard AddressNormaliser.needsChange(view.buffer) else { return view }
    guard let target = allocate(view.count) else { throw .outOfRange("an address that memory holds") }
    return BytesView(start: target, count: AddressNormaliser.normalise(view.buffer, into: target))
  }

  private func ip(_ value: RawValue) throws(CellProblem) -> BytesView {
    let view = try text(value)
    guard let target = allocate(InternetAddress.maximumTextCount) else { throw .outOfRange("an address") }
    guard let count = InternetAddress.canonical(view.buffer, into: target) else {
      throw .wrongType("an IPv4 or IPv6 address")
    }
    return BytesView(start: target, count: count)
  }

  private func list(_ value: RawValue, _ element: FieldType) throws(CellProblem) -> ListView {
    guard value.kind == .array else { throw .wrongType("a list") }
    let stride = element.columnType.stride
    guard let memory = allocate(max(value.elements.count, 1) * stride) else {
      throw .outOfRange("a list that memory holds")
    }
    let cells = UnsafeMutableRawPointer(memory)
    for (index, slot) in value.elements.enumerated() {
      guard let raw = RawValue(slot) else { throw .wrongType("a list without null") }
      try read(raw, element, into: cells + index * stride)
    }
    return ListView(start: cells, count: value.elements.count)
  }
}

extension RawValue {
  /// A JSON value that is neither missing nor null. An array's elements are set by whoever has them.
  init?(_ slot: csj_slot) {
    let bytes = UnsafeBufferPointer(start: slot.text, count: slot.length)
    switch csj_kind(UInt32(slot.kind)) {
    case csj_number: self.init(kind: .number, bytes: bytes)
    case csj_string: self.init(kind: .string, bytes: bytes)
    case csj_true: self.init(kind: .bool, bytes: bytes, flag: true)
    case csj_false: self.init(kind: .bool, bytes: bytes)
    case csj_array: self.init(kind: .array, bytes: bytes)
    case csj_object: self.init(kind: .object, bytes: bytes)
    default: return nil
    }
  }

  /// What was found, for a person.
  var found: String {
    switch kind {
    case .number: "the number \(excerpt)"
    case .string, .text: "\"\(excerpt)\""
    case .bool: flag ? "true" : "false"
    case .array: "a list"
    case .object: "an object"
    }
  }

  private var excerpt: String {
    let text = String(decoding: bytes.prefix(60), as: UTF8.self)
    return bytes.count > 60 ? text + "…" : text
  }
}
