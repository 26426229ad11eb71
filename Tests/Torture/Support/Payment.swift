/// A seeded stream of payments: the one of a number is the same whenever and however often it is asked for.
package struct PaymentStream: Sendable {
  /// Partitions of the input topic.
  package static let partitions = 6
  /// Event time between two payments, in milliseconds, whatever the rate at which they are sent.
  private static let step: Int64 = 2
  /// Milliseconds since 1970 of the first payment.
  private static let origin: Int64 = 1_767_225_600_000
  /// Payments for which the busy accounts stay the same.
  private static let busySpan = 2_500
  /// Milliseconds by which the last records of all are later than the payments before them: all windows are over then.
  private static let lastStep: Int64 = 1_800_000

  let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// The payment of a number from 0.
  func payment(_ number: Int) -> Payment {
    var random = TortureRandom(seed: seed, stream: UInt64(number) << 2)
    let account = account(number, &random)
    var payment = Payment(
      number: number, account: account, merchant: random.next(below: 300), cents: 1 + random.next(below: 10_000),
      time: Self.origin + Int64(number) * Self.step - Int64(random.next(below: 1_800)), isBroken: false)
    if random.next(below: 10) == 0 { payment.merchant = number / Self.busySpan % 300 }
    if random.next(below: 200) == 0 { payment.cents += 900_000 }
    if random.next(below: 100) == 0 { payment.time -= 4_000 + Int64(random.next(below: 60_000)) }
    payment.isBroken = random.next(below: 300) == 0
    return payment
  }

  /// One in twenty comes from an account that is busy for some seconds, so that windows fill while processes die.
  private func account(_ number: Int, _ random: inout TortureRandom) -> Int {
    guard random.next(below: 20) == 0 else { return random.next(below: 2_000) }
    let slot = UInt64(number / Self.busySpan) << 6 | UInt64(random.next(below: 16)) << 2 | 1
    var busy = TortureRandom(seed: seed, stream: slot)
    return busy.next(below: 2_000)
  }

  /// The record that ends a partition after so many payments: it closes whatever is open.
  func last(_ partition: Int, after count: Int) -> Payment {
    Payment(
      number: count + partition, account: 10_000 + partition, merchant: 1_000 + partition, cents: 1,
      time: Self.origin + Int64(count) * Self.step + Self.lastStep, isBroken: false, ownPartition: partition)
  }
}

/// One payment.
struct Payment: Sendable, Hashable {
  var number: Int
  var account: Int
  var merchant: Int
  var cents: Int
  /// Milliseconds since 1970.
  var time: Int64
  /// Whether what is sent is no JSON.
  var isBroken: Bool
  var ownPartition: Int?

  var accountName: String { "a\(account)" }
  var merchantName: String { "m\(merchant)" }
  /// All payments of an account go to one partition.
  var partition: Int { ownPartition ?? account % PaymentStream.partitions }

  /// What is sent.
  var text: String {
    let whole =
      #"{"number":\#(number),"ts":\#(time),"account":"\#(accountName)","merchant":"\#(merchantName)","cents":\#(cents)}"#
    return isBroken ? String(whole.dropLast(2)) : whole
  }

  /// The number that stands in a text that was sent; nil in any other.
  static func number(in text: Substring) -> Int? {
    guard text.hasPrefix(#"{"number":"#) else { return nil }
    return Int(text.dropFirst(10).prefix { $0.isNumber })
  }
}

/// Random numbers that are the same from the same seed on every machine: SplitMix64.
struct TortureRandom: Sendable {
  private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15
  private var state: UInt64

  /// `stream` tells apart the sequences of one seed.
  init(seed: UInt64, stream: UInt64) { state = Self.mixed(seed) ^ Self.mixed(stream &+ Self.step) }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func next() -> UInt64 {
    state &+= Self.step
    return Self.mixed(state)
  }

  /// From 0 to `bound` - 1.
  mutating func next(below bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  /// From a range, its upper end left out.
  mutating func next(in range: Range<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * Double(next() >> 11) / Double(1 << 53)
  }
}
