/// Functions on texts, from CEL's extension library of strings. Places count code points.
enum TextFunctions {
  static func apply(_ function: Operation.TextFunction, _ values: [Value]) throws(EvaluationError) -> Value {
    if function == .join { return try join(values) }
    guard case .string(let text) = values[0] else { throw .noOverload(function.rawValue, values) }
    let scalars = Array(text.unicodeScalars)
    switch function {
    case .charAt: return .string(try charAt(scalars, values))
    case .indexOf, .lastIndexOf: return .int(try index(scalars, values, isLast: function == .lastIndexOf))
    case .lowerAscii: return .string(mapASCII(scalars, from: "A"..."Z", by: 32))
    case .upperAscii: return .string(mapASCII(scalars, from: "a"..."z", by: -32))
    case .trim: return .string(trimmed(scalars))
    case .reverse: return .string(string(scalars.reversed()))
    case .substring: return .string(try substring(scalars, values))
    case .replace: return .string(try replace(scalars, values))
    case .split: return .list(try split(scalars, values).map { .string(string($0)) })
    case .join: throw .noOverload(function.rawValue, values)
    }
  }

  private static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  private static func int(_ values: [Value], _ place: Int) throws(EvaluationError) -> Int? {
    guard place < values.count else { return nil }
    guard case .int(let number) = values[place], let number = Int(exactly: number) else {
      throw .noOverload("string", values)
    }
    return number
  }

  private static func text(_ values: [Value], _ place: Int) throws(EvaluationError) -> [Unicode.Scalar] {
    guard place < values.count, case .string(let text) = values[place] else { throw .noOverload("string", values) }
    return Array(text.unicodeScalars)
  }

  private static func charAt(_ scalars: [Unicode.Scalar], _ values: [Value]) throws(EvaluationError) -> String {
    guard let place = try int(values, 1), place >= 0, place <= scalars.count else {
      throw EvaluationError("the text has no such place")
    }
    return place == scalars.count ? "" : String(Character(scalars[place]))
  }

  private static func index(_ scalars: [Unicode.Scalar], _ values: [Value], isLast: Bool) throws(EvaluationError)
    -> Int64
  {
    let part = try text(values, 1)
    let start = try int(values, 2) ?? (isLast ? scalars.count : 0)
    guard start >= 0, start <= scalars.count else { throw EvaluationError("the text has no such place") }
    let last = scalars.count - part.count
    guard last >= 0 else { return -1 }
    let places = isLast ? Array((0...min(start, last)).reversed()) : start <= last ? Array(start...last) : []
    return Int64(places.first { scalars[$0..<($0 + part.count)].elementsEqual(part) } ?? -1)
  }

  private static func mapASCII(_ scalars: [Unicode.Scalar], from range: ClosedRange<Unicode.Scalar>, by distance: Int)
    -> String
  {
    string(
      scalars.map { scalar in
        range.contains(scalar) ? Unicode.Scalar(UInt8(Int(scalar.value) + distance)) : scalar
      })
  }

  private static func trimmed(_ scalars: [Unicode.Scalar]) -> String {
    let start = scalars.firstIndex { !$0.properties.isWhitespace } ?? scalars.endIndex
    let end = scalars.lastIndex { !$0.properties.isWhitespace }.map { $0 + 1 } ?? start
    return string(scalars[start..<end])
  }

  private static func substring(_ scalars: [Unicode.Scalar], _ values: [Value]) throws(EvaluationError) -> String {
    let start = try int(values, 1) ?? 0
    let end = try int(values, 2) ?? scalars.count
    guard start >= 0, end <= scalars.count, start <= end else { throw EvaluationError("the text has no such part") }
    return string(scalars[start..<end])
  }

  private static func replace(_ scalars: [Unicode.Scalar], _ values: [Value]) throws(EvaluationError) -> String {
    let old = try text(values, 1)
    let new = try text(values, 2)
    // Below zero: all of them.
    var left = max(try int(values, 3) ?? -1, -1)
    var result: [Unicode.Scalar] = []
    var place = 0
    while place <= scalars.count {
      guard result.count <= ValueLimit.textBytes else { throw .tooLarge }
      let isMatch = place + old.count <= scalars.count && scalars[place..<(place + old.count)].elementsEqual(old)
      if left != 0, isMatch {
        result += new
        if left > 0 { left -= 1 }
        if old.isEmpty {
          if place < scalars.count { result.append(scalars[place]) }
          place += 1
        } else {
          place += old.count
        }
      } else {
        if place < scalars.count { result.append(scalars[place]) }
        place += 1
      }
    }
    return string(result)
  }

  private static func split(_ scalars: [Unicode.Scalar], _ values: [Value]) throws(EvaluationError) -> [[Unicode
    .Scalar]]
  {
    let separator = try text(values, 1)
    let limit = try int(values, 2) ?? -1
    if limit == 0 { return [] }
    if separator.isEmpty {
      guard limit > 0, scalars.count > limit else { return scalars.map { [$0] } }
      return scalars.prefix(limit - 1).map { [$0] } + [Array(scalars.dropFirst(limit - 1))]
    }
    var parts: [[Unicode.Scalar]] = [[]]
    var place = 0
    while place < scalars.count {
      let end = place + separator.count
      if limit < 0 || parts.count < limit, end <= scalars.count, scalars[place..<end].elementsEqual(separator) {
        parts.append([])
        place = end
      } else {
        parts[parts.count - 1].append(scalars[place])
        place += 1
      }
    }
    return parts
  }

  private static func join(_ values: [Value]) throws(EvaluationError) -> Value {
    guard case .list(let elements) = values[0] else { throw .noOverload("join", values) }
    var separator = ""
    if values.count == 2 {
      guard case .string(let text) = values[1] else { throw .noOverload("join", values) }
      separator = text
    }
    var parts: [String] = []
    var size = 0
    for element in elements {
      guard case .string(let text) = element else { throw .noOverload("join", values) }
      parts.append(text)
      size += text.utf8.count + separator.utf8.count
      guard size <= ValueLimit.textBytes else { throw .tooLarge }
    }
    return .string(parts.joined(separator: separator))
  }
}
