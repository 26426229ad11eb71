import TestSupport

/// Random expressions that are mostly of the right types, over the columns of `SampleFrame`, with an operation for every
/// kernel and every function.
struct ExpressionMaker {
  var random: SeededRandom

  /// An expression of one of the types that columns have.
  mutating func any(_ depth: Int) -> String {
    switch Int.random(in: 0..<9, using: &random) {
    case 0: int(depth)
    case 1: uint(depth)
    case 2: double(depth)
    case 3: decimal(depth)
    case 4: string(depth)
    case 5: timestamp(depth)
    case 6: duration(depth)
    case 7: list(depth)
    default: bool(depth)
    }
  }

  mutating func bool(_ depth: Int) -> String {
    if depth <= 0 { return leaf() }
    switch Int.random(in: 0..<24, using: &random) {
    case 20: return "\(address(depth - 1)) \(pick(["==", "!="])) \(address(depth - 1))"
    case 21: return "\(address(depth - 1)) in \(pick(["wallets", "ws", "ss", "[w, ip, s]", "[s, t]", "listed"]))"
    case 0: return compare(int(depth - 1), int(depth - 1))
    case 1: return compare(uint(depth - 1), uint(depth - 1))
    case 2: return compare(double(depth - 1), double(depth - 1))
    case 3: return compare(decimal(depth - 1), decimal(depth - 1))
    case 4: return compare(string(depth - 1), string(depth - 1))
    case 5: return compare(timestamp(depth - 1), timestamp(depth - 1))
    case 6: return compare(duration(depth - 1), duration(depth - 1))
    case 7: return compare(bool(depth - 1), bool(depth - 1))
    case 8: return compare(int(depth - 1), pick(["x", "u", "m", "2.5", "1u"]))
    case 9: return "\(list(depth - 1)) \(pick(["==", "!="])) \(list(depth - 1))"
    case 10: return "\(string(depth - 1)) in \(pick(["listed", "strict", "['a', 'bb']", "params.words", "ss", "[]"]))"
    case 22: return "\(decimal(depth - 1)) in \(pick(["[1, 2.5]", "[m, 1]", "ms", "[]"]))"
    case 23: return "\(double(depth - 1)) in \(pick(["[1, 2.5]", "[x, 3]", "[0]"]))"
    case 11: return "\(int(depth - 1)) in \(pick(["[1, 2, 7]", "is", "[i, j]"]))"
    case 12: return "\(string(depth - 1)).\(pick(["contains", "startsWith", "endsWith"]))(\(string(depth - 1)))"
    case 13: return "\(string(depth - 1)).matches(\(pick(["'^a.?b'", "'^$'", "'[^a-z]'", "s", "'(a|b)+$'"])))"
    case 14: return "is.\(pick(["exists", "all", "exists_one"]))(k, k \(order()) \(int(depth - 1)))"
    case 15: return "ss.\(pick(["exists", "all"]))(k, k == s || k in listed)"
    case 16, 17: return "(\(bool(depth - 1)) && \(bool(depth - 1)))"
    case 18: return "(\(bool(depth - 1)) || \(bool(depth - 1)))"
    default: return either(bool(depth - 1), bool(depth - 1), depth)
    }
  }

  private mutating func leaf() -> String {
    pick([
      "b", "c", "!b", "true", "false", "has(event.\(pick(["s", "i", "x", "m", "is", "age"])))", "s in listed",
      "t in strict", "s in wallets", "w in wallets", "wallets[s].isOpen", "dyn(s) in listed",
      "strict[s].isOpen", "has(listed[s].rate)", "has(strict[t].grade)", "bool(s)", "math.isNaN(x)", "raw == b'\\xff'",
      "raw < b'b'", "x == x", "s == t", "ms == [m]", "dyn(i) == dyn(u)", "type(i) == int",
    ])
  }

  mutating func int(_ depth: Int) -> String {
    if depth <= 0 {
      return pick([
        "i", "j", "1", "0", "-7", "-9223372036854775808", "9223372036854775807", "size(s)", "size(is)",
        "strict[t].score", "listed[s].score", "i", "j",
      ])
    }
    switch Int.random(in: 0..<12, using: &random) {
    case 0...3: return "(\(int(depth - 1)) \(pick(["+", "-", "*", "/", "%"])) \(int(depth - 1)))"
    case 4: return "(-\(int(depth - 1)))"
    case 5:
      return
        "int(\(pick([double(depth - 1), decimal(depth - 1), uint(depth - 1), string(depth - 1), timestamp(depth - 1), duration(depth - 1)])))"
    case 6: return "\(string(depth - 1)).\(pick(["indexOf", "lastIndexOf"]))(\(string(depth - 1)))"
    case 7:
      return
        "\(timestamp(depth - 1)).\(pick(["getFullYear", "getMonth", "getDate", "getDayOfWeek", "getDayOfYear", "getHours", "getMilliseconds"]))(\(pick(["", "'+05:30'", "'Europe/Berlin'", "s"])))"
    case 8: return "\(duration(depth - 1)).\(pick(["getHours", "getMinutes", "getSeconds", "getMilliseconds"]))()"
    case 9: return "math.\(pick(["abs", "sign", "bitNot"]))(\(int(depth - 1)))"
    case 10:
      return
        "math.\(pick(["bitAnd", "bitXor", "bitShiftLeft", "bitShiftRight", "greatest"]))(\(int(depth - 1)), \(int(depth - 1)))"
    default: return pick(["is[\(int(depth - 1))]", either(int(depth - 1), int(depth - 1), depth)])
    }
  }

  mutating func uint(_ depth: Int) -> String {
    if depth <= 0 { return pick(["u", "v", "1u", "18446744073709551615u"]) }
    switch Int.random(in: 0..<4, using: &random) {
    case 0, 1: return "(\(uint(depth - 1)) \(pick(["+", "-", "*", "/", "%"])) \(uint(depth - 1)))"
    case 2: return "uint(\(pick([int(depth - 1), double(depth - 1), string(depth - 1)])))"
    default: return either(uint(depth - 1), uint(depth - 1), depth)
    }
  }

  mutating func double(_ depth: Int) -> String {
    if depth <= 0 { return pick(["x", "y", "2.5", "params.limit", "listed[s].rate", "strict[t].rate", "3", "-0.0"]) }
    switch Int.random(in: 0..<8, using: &random) {
    case 0...2: return "(\(double(depth - 1)) \(pick(["+", "-", "*", "/"])) \(double(depth - 1)))"
    case 3: return "(-\(double(depth - 1)))"
    case 4, 5: return "double(\(pick([int(depth - 1), decimal(depth - 1), uint(depth - 1), string(depth - 1)])))"
    case 6: return "math.\(pick(["ceil", "floor", "round", "trunc", "abs", "sign", "sqrt"]))(\(double(depth - 1)))"
    default: return either(double(depth - 1), double(depth - 1), depth)
    }
  }

  mutating func decimal(_ depth: Int) -> String {
    if depth <= 0 {
      return pick(["m", "n", "1", "2.50", "0.0001", "m", "params.most", "listed[s].most", "strict[t].most", "1.123456"])
    }
    switch Int.random(in: 0..<6, using: &random) {
    case 0...2: return "(\(decimal(depth - 1)) \(pick(["+", "-", "*"])) \(decimal(depth - 1)))"
    case 3: return "(m * \(int(depth - 1)))"
    case 4: return "(-\(decimal(depth - 1)))"
    default: return either(decimal(depth - 1), decimal(depth - 1), depth)
    }
  }

  mutating func string(_ depth: Int) -> String {
    if depth <= 0 { return pick(["s", "t", "'ab'", "''", "listed[s].grade", "strict[t].grade", "s", "'e\\u0301'"]) }
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return "(\(string(depth - 1)) + \(string(depth - 1)))"
    case 1:
      return
        "string(\(pick([int(depth - 1), double(depth - 1), decimal(depth - 1), bool(depth - 1), timestamp(depth - 1), duration(depth - 1), "raw"])))"
    case 2: return "\(string(depth - 1)).\(pick(["lowerAscii", "upperAscii", "trim", "reverse"]))()"
    case 3: return "\(string(depth - 1)).substring(\(int(depth - 1)))"
    case 4: return "\(string(depth - 1)).substring(\(int(0)), \(int(0)))"
    case 5: return "\(string(depth - 1)).charAt(\(int(depth - 1)))"
    case 6: return "\(string(depth - 1)).replace(\(string(0)), \(string(0)), \(int(0)))"
    case 7: return "\(string(depth - 1)).replace(\(string(depth - 1)), \(string(depth - 1)))"
    case 8: return pick(["ss.join(s)", "ss.join()", "ss[\(int(0))]"])
    default: return either(string(depth - 1), string(depth - 1), depth)
    }
  }

  /// Fields that hold addresses, and texts that may be the same.
  private mutating func address(_ depth: Int) -> String {
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1: "w"
    case 2: "ip"
    case 3: "s"
    case 4: pick(["ws[0]", "ss[0]", "'0x7F367cC41522cE07553e823bf3be79A889DEbe1B'", "'2001:DB8::1'"])
    case 5: pick(["dyn(s)", "dyn(w)", "'a'", "w + ''"])
    case 6: "(b ? \(pick(["w", "ip", "s"])) : \(pick(["w", "ip", "s", "'a'"])))"
    default: string(depth)
    }
  }

  mutating func timestamp(_ depth: Int) -> String {
    if depth <= 0 {
      return pick([
        "ts", "at", "timestamp('2001-09-09T01:46:40Z')", "timestamp('0001-01-01T00:00:00Z')",
        "timestamp('9999-12-31T23:59:59.999999999Z')", "timestamp('1570-01-01T00:00:00Z')", "listed[s].since",
        "strict[t].since",
      ])
    }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return "(\(timestamp(depth - 1)) \(pick(["+", "-"])) \(duration(depth - 1)))"
    case 1: return "timestamp(\(pick([int(depth - 1), string(depth - 1)])))"
    case 2: return "timestamp(string(\(timestamp(depth - 1))))"
    default: return either(timestamp(depth - 1), timestamp(depth - 1), depth)
    }
  }

  mutating func duration(_ depth: Int) -> String {
    if depth <= 0 { return pick(["age", "gap", "duration('30d')", "duration('-1.5h')", "duration('87600000h')"]) }
    switch Int.random(in: 0..<5, using: &random) {
    case 0: return "(\(duration(depth - 1)) \(pick(["+", "-"])) \(duration(depth - 1)))"
    case 1: return "(\(timestamp(depth - 1)) - \(timestamp(depth - 1)))"
    case 2: return "(-\(duration(depth - 1)))"
    case 3: return "duration(\(pick(["string(\(duration(depth - 1)))", string(depth - 1)])))"
    default: return either(duration(depth - 1), duration(depth - 1), depth)
    }
  }

  mutating func list(_ depth: Int) -> String {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: "is"
    case 1: "[\(int(depth - 1)), \(int(depth - 1))]"
    case 2: "(is + [\(int(depth - 1))])"
    case 3: "is.map(k, k + \(int(depth - 1)))"
    case 4: "is.filter(k, k \(order()) \(int(depth - 1)))"
    case 5: "ss"
    case 6: "\(string(depth - 1)).split(\(string(0)), \(int(0)))"
    default: "[\(decimal(depth - 1)), \(decimal(depth - 1))]"
    }
  }

  private mutating func compare(_ left: String, _ right: String) -> String { "\(left) \(order()) \(right)" }

  private mutating func either(_ yes: String, _ no: String, _ depth: Int) -> String {
    "(\(bool(depth - 2)) ? \(yes) : \(no))"
  }

  private mutating func order() -> String { pick(["==", "!=", "<", "<=", ">", ">="]) }
  private mutating func pick(_ words: [String]) -> String { random.pick(words) }
}
