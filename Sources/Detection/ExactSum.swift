internal import Events

/// An exact sum of whole numbers, as a cell keeps it: that of no values is all zeros, and it needs no alignment beyond eight
/// bytes.
protocol SumCell: BitwiseCopyable {
  init()
  mutating func add(_ value: Int128)
  mutating func add(_ other: Self)
  /// The sum; nil where 128 bits do not hold it.
  var value: Int128? { get }
  /// The nearest double.
  var double: Double { get }
  func write(to writer: inout ByteWriter)
  init(_ reader: inout ByteReader) throws(DamagedBytes)
}

extension SumCell {
  /// Bytes of a cell.
  static var size: Int { MemoryLayout<Self>.stride }
}

/// A number of 128 bits in halves.
private struct Halves: BitwiseCopyable {
  private var low: UInt64 = 0
  private var high: Int64 = 0

  @inline(__always)
  var whole: Int128 {
    get { Int128(high) << 64 | Int128(low) }
    set {
      low = UInt64(truncatingIfNeeded: newValue)
      high = Int64(truncatingIfNeeded: newValue >> 64)
    }
  }
}

/// The sum of numbers of 64 bits: of as many as can ever come, 128 bits hold it.
struct LongSum: SumCell {
  private var halves = Halves()

  init() {}

  @inline(__always)
  mutating func add(_ value: Int128) { halves.whole &+= value }
  @inline(__always)
  mutating func add(_ other: LongSum) { halves.whole &+= other.halves.whole }

  var value: Int128? { halves.whole }
  var double: Double { Double(halves.whole) }

  /// Written like any sum.
  func write(to writer: inout ByteWriter) {
    writer.signed(halves.whole)
    writer.signed(0)
  }

  init(_ reader: inout ByteReader) throws(DamagedBytes) {
    halves.whole = try reader.signed(as: Int128.self)
    guard try reader.signed() == 0 else { throw DamagedBytes("a sum is too large") }
  }
}

/// A sum that is exact however large it gets: 128 bits, and how often it went over their end, upwards less downwards.
struct ExactSum: SumCell {
  private var halves = Halves()
  private var overflows: Int64 = 0

  init() {}

  @inline(__always)
  mutating func add(_ value: Int128) {
    let (sum, overflow) = halves.whole.addingReportingOverflow(value)
    halves.whole = sum
    if overflow { overflows += value > 0 ? 1 : -1 }
  }

  @inline(__always)
  mutating func add(_ other: ExactSum) {
    add(other.halves.whole)
    overflows += other.overflows
  }

  var value: Int128? { overflows == 0 ? halves.whole : nil }
  var double: Double { overflows == 0 ? Double(halves.whole) : Double(halves.whole) + Double(overflows) * 0x1p128 }

  func write(to writer: inout ByteWriter) {
    writer.signed(halves.whole)
    writer.signed(overflows)
  }

  init(_ reader: inout ByteReader) throws(DamagedBytes) {
    halves.whole = try reader.signed(as: Int128.self)
    let overflows = try reader.signed()
    guard overflows.magnitude <= UInt64(ByteReader.countMax) else { throw DamagedBytes("a sum is too large") }
    self.overflows = overflows
  }
}
