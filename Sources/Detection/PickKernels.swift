internal import Events
internal import Expressions

/// What makes one event's value win over another's.
enum PickRule {
  case smallest, largest, earliest, latest

  init(_ function: AggregateFunction) {
    switch function {
    case .min: self = .smallest
    case .max: self = .largest
    case .earliest: self = .earliest
    default: self = .latest
    }
  }
}

/// 128 bits as they lie in a column, without the alignment of `Int128`.
struct WideInteger: Comparable, BitwiseCopyable {
  var low: UInt64
  var high: Int64

  static func < (left: WideInteger, right: WideInteger) -> Bool { (left.high, left.low) < (right.high, right.low) }
}

/// `min`, `max`, `earliest` and `latest` of values that lie in the cell. Of equal times, `earliest` takes the event that
/// came first and `latest` the one that came last. No event: an error value.
class PickKernel<Value: Comparable & BitwiseCopyable>: AggregateKernel {
  struct Cell {
    var value: Value
    var time: Int64
    var order: Int64
    var isSet: Bool
  }

  private let rule: PickRule

  init(_ call: AggregateCall, capacity: Int) {
    rule = PickRule(call.function)
    super.init(call, pieceSize: MemoryLayout<Cell>.stride, capacity: capacity)
  }

  /// What `run` does, compiled for one type by each subclass.
  @inline(__always)
  final func pick(_ segment: WindowSegment) {
    guard let values = values?.cells else { return }
    let results = output.column.cells
    let stride = MemoryLayout<Value>.stride
    let times = segment.batch.times
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      if isTaken(row) {
        let own = cell(piece).assumingMemoryBound(to: Cell.self)
        let value = values.load(fromByteOffset: row * stride, as: Value.self)
        let new = Cell(value: value, time: times[row], order: segment.batch.records[row].order, isSet: true)
        if !own.pointee.isSet || wins(new, over: own.pointee) { own.pointee = new }
      }
      var best: Cell?
      forEachCell(segment, index) {
        let cell = $0.assumingMemoryBound(to: Cell.self)
        guard cell.pointee.isSet else { return }
        if best == nil || wins(cell.pointee, over: best ?? cell.pointee) { best = cell.pointee }
      }
      if let best { results.storeBytes(of: best.value, toByteOffset: row * stride, as: Value.self) }
      output.column.states[row] = (best == nil ? CellState.error : .value).rawValue
    }
  }

  @inline(__always)
  private final func wins(_ new: Cell, over old: Cell) -> Bool {
    switch rule {
    // What is no number (it differs from itself) gives way to any that is one.
    case .smallest: new.value < old.value || (old.value != old.value && new.value == new.value)
    case .largest: new.value > old.value || (old.value != old.value && new.value == new.value)
    case .earliest: (new.time, new.order) < (old.time, old.order)
    case .latest: (new.time, new.order) > (old.time, old.order)
    }
  }

  override func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    let cell = cell(piece).load(as: Cell.self)
    writer.flag(cell.isSet)
    guard cell.isSet else { return }
    withUnsafeBytes(of: cell.value) { writer.raw($0) }
    writer.fixed(cell.time)
    writer.fixed(cell.order)
  }

  override func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
    guard try reader.flag() else { return }
    let bytes = try reader.raw(MemoryLayout<Value>.size)
    if Value.self == UInt8.self, bytes[0] > 1 { throw DamagedBytes("a bool is \(bytes[0])") }
    let value = bytes.loadUnaligned(as: Value.self)
    cell(piece).assumingMemoryBound(to: Cell.self).pointee = Cell(
      value: value, time: try reader.fixed(), order: try reader.fixed(), isSet: true)
  }
}

final class IntegerPickKernel: PickKernel<Int64> {
  override func run(_ segment: WindowSegment) { pick(segment) }
}

final class UnsignedPickKernel: PickKernel<UInt64> {
  override func run(_ segment: WindowSegment) { pick(segment) }
}

final class DoublePickKernel: PickKernel<Double> {
  override func run(_ segment: WindowSegment) { pick(segment) }
}

final class DecimalPickKernel: PickKernel<WideInteger> {
  override func run(_ segment: WindowSegment) { pick(segment) }
}

final class BoolPickKernel: PickKernel<UInt8> {
  override func run(_ segment: WindowSegment) { pick(segment) }
}

/// The same for texts, which lie outside the cell.
final class TextPickKernel: AggregateKernel {
  struct Cell {
    var text: UnsafeMutablePointer<UInt8>?
    var count: Int
    var capacity: Int
    var time: Int64
    var order: Int64
    var isSet: Bool
  }

  private let rule: PickRule
  private var held = 0

  init(_ call: AggregateCall, capacity: Int) {
    rule = PickRule(call.function)
    super.init(call, pieceSize: MemoryLayout<Cell>.stride, capacity: capacity)
  }

  override var outsideByteCount: Int { held }

  override func destroy(
    piece: UnsafeMutablePointer<WindowPiece>, number: Int64, of entry: UnsafeMutablePointer<KeyEntry>
  ) {
    let cell = cell(piece).load(as: Cell.self)
    held -= cell.capacity
    cell.text?.deallocate()
  }

  override func run(_ segment: WindowSegment) {
    guard let values = values?.views else { return }
    let results = output.column.views
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      if isTaken(row) { take(values[row], segment, row, cell(piece).assumingMemoryBound(to: Cell.self)) }
      var best: Cell?
      forEachCell(segment, index) {
        let cell = $0.assumingMemoryBound(to: Cell.self)
        guard cell.pointee.isSet else { return }
        if best == nil || wins(cell.pointee, over: best ?? cell.pointee) { best = cell.pointee }
      }
      if let best { results[row] = text(best, values[row], segment.batch.records[row].order) }
      output.column.states[row] = (best == nil ? CellState.error : .value).rawValue
    }
  }

  /// Copies of texts that results of this batch point to, by the order of the event that they come from.
  private var copies: [Int64: UnsafeMutableBufferPointer<UInt8>] = [:]
  /// The longest text of this batch, in bytes.
  private var longest = 0

  deinit { forgetCopies() }

  override func prepare(_ frame: Frame, rows: Selection) {
    super.prepare(frame, rows: rows)
    forgetCopies()
    longest = 0
    guard let values else { return }
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      if isTaken(row) { longest = max(longest, values.views[row].count) }
    }
  }

  override var growthLimit: Int { super.growthLimit + 2 * longest }

  private func forgetCopies() {
    for copy in copies.values { copy.deallocate() }
    copies.removeAll(keepingCapacity: true)
  }

  /// The event's own text where it is the one; else a copy, because a later event may write over the cell's.
  private func text(_ best: Cell, _ own: BytesView, _ order: Int64) -> BytesView {
    if best.order == order { return own }
    let copy = copies[best.order] ?? copied(best)
    return BytesView(start: UnsafePointer(copy.baseAddress), count: copy.count)
  }

  private func copied(_ cell: Cell) -> UnsafeMutableBufferPointer<UInt8> {
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: cell.count)
    _ = copy.initialize(fromContentsOf: UnsafeMutableBufferPointer(start: cell.text, count: cell.count))
    copies[cell.order] = copy
    return copy
  }

  private func take(
    _ value: BytesView, _ segment: WindowSegment, _ row: Int, _ cell: UnsafeMutablePointer<Cell>
  ) {
    let new = Cell(
      text: value.start.map { UnsafeMutablePointer(mutating: $0) }, count: value.count, capacity: 0,
      time: segment.batch.times[row], order: segment.batch.records[row].order, isSet: true)
    guard !cell.pointee.isSet || wins(new, over: cell.pointee) else { return }
    if value.count > cell.pointee.capacity {
      let capacity = max(16, value.count.nextPowerOfTwo)
      held += capacity - cell.pointee.capacity
      cell.pointee.text?.deallocate()
      cell.pointee.text = .allocate(capacity: capacity)
      cell.pointee.capacity = capacity
    }
    if let source = value.start { cell.pointee.text?.update(from: source, count: value.count) }
    cell.pointee.count = value.count
    cell.pointee.time = new.time
    cell.pointee.order = new.order
    cell.pointee.isSet = true
  }

  private func wins(_ new: Cell, over old: Cell) -> Bool {
    switch rule {
    case .smallest: Self.order(new, old) < 0
    case .largest: Self.order(new, old) > 0
    case .earliest: (new.time, new.order) < (old.time, old.order)
    case .latest: (new.time, new.order) > (old.time, old.order)
    }
  }

  /// Byte order, which for UTF-8 is the order of code points, as CEL compares texts.
  private static func order(_ left: Cell, _ right: Cell) -> Int {
    let a = UnsafeBufferPointer(start: left.text, count: left.count)
    let b = UnsafeBufferPointer(start: right.text, count: right.count)
    if a.lexicographicallyPrecedes(b) { return -1 }
    return b.lexicographicallyPrecedes(a) ? 1 : 0
  }

  // MARK: State

  /// No record is as long.
  private static let capacityMax = 1 << 30

  override func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    let cell = cell(piece).load(as: Cell.self)
    writer.flag(cell.isSet)
    guard cell.isSet else { return }
    writer.run(UnsafeBufferPointer(start: cell.text, count: cell.count))
    // What it holds counts towards the bound of state, and depends on what was in it before.
    writer.count(cell.capacity)
    writer.fixed(cell.time)
    writer.fixed(cell.order)
  }

  override func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
    guard try reader.flag() else { return }
    let text = try reader.run()
    if output.column.type == .string, String(validating: text, as: UTF8.self) == nil {
      throw DamagedBytes("a text is not UTF-8")
    }
    let capacity = try reader.count(upTo: Self.capacityMax)
    guard capacity >= text.count else { throw DamagedBytes("a text is longer than what holds it") }
    let time = try reader.fixed()
    let order = try reader.fixed()
    let target: UnsafeMutablePointer<UInt8>? = capacity > 0 ? .allocate(capacity: capacity) : nil
    if let target, let source = text.baseAddress {
      UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: text.count)
    }
    held += capacity
    cell(piece).assumingMemoryBound(to: Cell.self).pointee = Cell(
      text: target, count: text.count, capacity: capacity, time: time, order: order, isSet: true)
  }

  override func adopt(_ other: AggregateKernel) {
    guard let other = other as? TextPickKernel else { return }
    held = other.held
    other.held = 0
  }

  override var holdsMemory: Bool { true }
}

extension Int {
  fileprivate var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
