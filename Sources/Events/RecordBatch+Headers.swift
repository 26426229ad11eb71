/// What records have besides their keys and values.
extension RecordBatch {
  /// A header of a record; names may repeat, a value may be null.
  public struct Header: Hashable, Sendable {
    /// The header's name.
    public var name: String
    /// The header's bytes; nil: null.
    public var value: [UInt8]?

    /// A header by name and value.
    public init(name: String, value: [UInt8]?) {
      self.name = name
      self.value = value
    }
  }

  /// What a record has under a header's name.
  public enum HeaderValue {
    case missing, null
    case value(BytesView)
  }

  /// The headers of a record, decoded.
  public func headers(_ row: Int) -> [Header] {
    let record = self[row]
    return record.headersCount <= 0 ? [] : Self.decodeHeaders(arena + record.headersStart, record.headersCount)
  }

  /// The last header of that name, found without making any of them an object.
  public func header(_ row: Int, named name: [UInt8]) -> HeaderValue {
    let record = self[row]
    var found = HeaderValue.missing
    var position = record.headersStart
    let end = position + max(record.headersCount, 0)
    while position + 8 <= end {
      let nameCount = count(at: position)
      let valueCount = count(at: position + 4)
      let nameStart = position + 8
      if nameCount == name.count, UnsafeBufferPointer(start: arena + nameStart, count: nameCount).elementsEqual(name) {
        found = valueCount < 0 ? .null : .value(BytesView(start: arena + nameStart + nameCount, count: valueCount))
      }
      position = nameStart + nameCount + max(valueCount, 0)
    }
    return found
  }

  private func count(at position: Int) -> Int {
    Int(Int32(littleEndian: UnsafeRawPointer(arena + position).loadUnaligned(as: Int32.self)))
  }

  /// Headers as they lie in the arena: for each, the name's count, the value's count (-1: null), the name, the value.
  public static func encode(headers: [Header]) -> [UInt8] {
    var bytes: [UInt8] = []
    for header in headers {
      Array(header.name.utf8).withUnsafeBytes { name in
        if let value = header.value {
          value.withUnsafeBytes { appendHeader(name: name, value: $0, to: &bytes) }
        } else {
          appendHeader(name: name, value: nil, to: &bytes)
        }
      }
    }
    return bytes
  }

  /// Appends one header to a record's headers; allocates only where the array must grow.
  public static func appendHeader(
    name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?, to bytes: inout [UInt8]
  ) {
    appendCount(name.count, to: &bytes)
    appendCount(value?.count ?? -1, to: &bytes)
    bytes.append(contentsOf: name)
    if let value { bytes.append(contentsOf: value) }
  }

  private static func appendCount(_ count: Int, to bytes: inout [UInt8]) {
    let value = UInt32(bitPattern: Int32(count))
    for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
  }

  private static func decodeHeaders(_ start: UnsafePointer<UInt8>, _ count: Int) -> [Header] {
    var headers: [Header] = []
    var position = 0
    func readCount() -> Int {
      var value: UInt32 = 0
      for index in 0..<4 { value |= UInt32(start[position + index]) << UInt32(8 * index) }
      position += 4
      return Int(Int32(bitPattern: value))
    }
    func read(_ count: Int) -> [UInt8] {
      defer { position += count }
      return Array(UnsafeBufferPointer(start: start + position, count: count))
    }
    while position + 8 <= count {
      let nameCount = readCount()
      let valueCount = readCount()
      let name = String(decoding: read(nameCount), as: UTF8.self)
      headers.append(Header(name: name, value: valueCount < 0 ? nil : read(valueCount)))
    }
    return headers
  }
}
