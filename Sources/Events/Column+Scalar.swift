extension Column {
  /// The cell of a row as a value of its own; nil where the cell is absent or an error. Off the hot path: it allocates.
  public func scalar(_ row: Int) -> Scalar? {
    state(row) == .value ? Self.scalar(type, cells + row * type.stride) : nil
  }

  private static func scalar(_ type: ColumnType, _ cell: UnsafeRawPointer) -> Scalar {
    switch type {
    case .int: .int(cell.load(as: Int64.self))
    case .uint: .uint(cell.load(as: UInt64.self))
    case .double: .double(cell.load(as: Double.self))
    case .bool: .bool(cell.load(as: Bool.self))
    case .decimal(let scale): .decimal(cell.load(as: Int128.self), scale: scale)
    case .timestamp: .timestamp(cell.load(as: Int64.self))
    case .duration: .duration(cell.load(as: Int64.self))
    case .string, .bytes: .string(cell.load(as: BytesView.self).string)
    case .list(let element): .list(elements(cell.load(as: ListView.self), element))
    }
  }

  private static func elements(_ list: ListView, _ element: ColumnType) -> [Scalar] {
    guard let start = list.start else { return [] }
    return (0..<list.count).map { scalar(element, start + $0 * element.stride) }
  }
}

extension Scalar {
  /// The value as a person reads it and as an entity's id stands in a key: no quotes, times in RFC 3339.
  public var text: String {
    switch self {
    case .null: "null"
    case .string(let text): text
    case .int(let number): String(number)
    case .uint(let number): String(number)
    case .double(let number): Self.text(number)
    case .bool(let flag): flag ? "true" : "false"
    case .decimal(let number, let scale): DecimalText.text(number, scale: scale)
    case .timestamp(let time): TimestampText.text(time)
    case .duration(let duration): Self.seconds(duration)
    case .list(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    }
  }

  /// The value in a sentence: a double with at most two decimal places (below 1: four significant digits), a decimal without
  /// trailing zeros beyond the second place; all else as in `text`.
  public var readableText: String {
    switch self {
    case .double(let number) where number.isFinite && abs(number) < 1e15: Self.rounded(number)
    case .decimal(let number, let scale): Self.trimmed(DecimalText.text(number, scale: scale))
    default: text
    }
  }

  private static func rounded(_ number: Double) -> String {
    if number == number.rounded() || number == 0 { return text(number) }
    var scale = 100.0
    while abs(number) * scale < 1_000, abs(number) < 1, scale < 1e12 { scale *= 10 }
    return text((number * scale).rounded() / scale)
  }

  private static func trimmed(_ text: String) -> String {
    guard let point = text.firstIndex(of: ".") else { return text }
    var text = text
    while text.hasSuffix("0"), text.distance(from: point, to: text.endIndex) > 3 { text.removeLast() }
    return text
  }

  /// A double without the `.0` of a whole number.
  private static func text(_ number: Double) -> String {
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// A duration in seconds, as CEL writes it: `90s`, `0.25s`.
  private static func seconds(_ nanoseconds: Int64) -> String {
    var text = DecimalText.text(Int128(nanoseconds), scale: 9)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text + "s"
  }
}
