import Events
import TestSupport

/// One event of a test stream: what is written to JSON, and what the reference model reads.
struct TestEvent {
  var offset: Int64
  var time: Int64
  var k: String?
  var j: Int64?
  var n: Int64?
  var x: Double?
  /// Hundredths.
  var m: Int128?
  var s: String?
  var w: Int64?
  var b: Bool?

  init(offset: Int64, time: Int64, k: String? = "a") {
    self.offset = offset
    self.time = time
    self.k = k
  }

  static let schema = Schema(
    fields: [
      Field(name: "ts", type: .timestamp(.nanoseconds), origin: .pointer(["ts"])),
      Field(name: "k", type: .string, origin: .pointer(["k"]), absence: .optional),
      Field(name: "j", type: .int, origin: .pointer(["j"]), absence: .optional),
      Field(name: "n", type: .int, origin: .pointer(["n"]), absence: .optional),
      Field(name: "x", type: .double, origin: .pointer(["x"]), absence: .optional),
      Field(name: "m", type: .decimal(scale: 2), origin: .pointer(["m"]), absence: .optional),
      Field(name: "s", type: .string, origin: .pointer(["s"]), absence: .optional),
      Field(name: "w", type: .timestamp(.nanoseconds), origin: .pointer(["w"]), absence: .optional),
      Field(name: "b", type: .bool, origin: .pointer(["b"]), absence: .optional),
    ], timeField: 0)

  var json: [UInt8] {
    var members = ["\"ts\":\(time)"]
    if let k { members.append("\"k\":\"\(k)\"") }
    if let j { members.append("\"j\":\(j)") }
    if let n { members.append("\"n\":\(n)") }
    if let x { members.append("\"x\":\(x)") }
    if let m { members.append("\"m\":\"\(DecimalText.text(m, scale: 2))\"") }
    if let s { members.append("\"s\":\"\(s)\"") }
    if let w { members.append("\"w\":\(w)") }
    if let b { members.append("\"b\":\(b)") }
    return Array("{\(members.joined(separator: ","))}".utf8)
  }

  /// The value of a field of the schema; nil: none.
  func scalar(_ slot: Int) -> Scalar? {
    switch slot {
    case 0: .timestamp(time)
    case 1: k.map { .string($0) }
    case 2: j.map { .int($0) }
    case 3: n.map { .int($0) }
    case 4: x.map { .double($0) }
    case 5: m.map { .decimal($0, scale: 2) }
    case 6: s.map { .string($0) }
    case 7: w.map { .timestamp($0) }
    default: b.map { .bool($0) }
    }
  }
}

/// How a random stream looks.
struct StreamShape {
  var count = 250
  var keys = 3
  /// The time of the first event, and how far apart events lie on average.
  var start: Int64 = 1_790_000_000_000_000_000
  var step: Int64 = 1_000_000_000
  var outOfOrder: Int64 = 0
}

extension TestEvent {
  /// A stream of events, some out of order, some late, some without a key, with gaps of silence now and then.
  static func stream(_ shape: StreamShape, _ random: inout SeededRandom) -> [TestEvent] {
    var now = shape.start
    var offset: Int64 = 0
    return (0..<shape.count).map { _ in
      // Offsets have gaps, as they do in Kafka.
      offset += random.once(in: 10) ? 3 : 1
      now += random.once(in: 4) ? 0 : random.int(0...(2 * shape.step))
      if random.once(in: 40) { now += random.int(0...100) * shape.step }
      var time = now
      if shape.outOfOrder > 0, random.once(in: 3) { time -= random.int(0...(shape.outOfOrder * 5 / 4)) }
      if random.once(in: 40) { time -= random.int(0...200) * shape.step }
      // Edges of pieces of time are where mistakes sit.
      if random.once(in: 6) { time -= time % shape.step }
      var event = TestEvent(offset: offset, time: time, k: nil)
      event.fill(shape.keys, &random)
      return event
    }
  }

  private mutating func fill(_ keys: Int, _ random: inout SeededRandom) {
    if !random.once(in: 15) { k = "k\(random.int(0...Int64(keys - 1)))" }
    if !random.once(in: 15) { j = random.int(0...1) }
    if !random.once(in: 6) { n = random.int(-3...9) }
    if !random.once(in: 6) { x = Double(random.int(-30...90)) / 10 }
    if !random.once(in: 6) { m = Int128(random.int(-500...3_000)) }
    if !random.once(in: 6) {
      s = random.pick(["", "a", "ab", "b", "ü", "long enough to grow", "z\(random.int(0...30))"])
    }
    if !random.once(in: 6) { w = random.int(0...99) * 1_000_000_000 }
    if !random.once(in: 6) { b = random.once(in: 2) }
  }
}
