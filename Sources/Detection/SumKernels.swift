internal import Events
internal import Expressions

/// `count()` and `count(condition)`.
final class CountKernel: AggregateKernel {
  override func run(_ segment: WindowSegment) {
    let results = output.column.ints
    let states = output.column.states
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      if isTaken(row) { cell(piece).assumingMemoryBound(to: Int64.self).pointee += 1 }
      var total: Int64 = 0
      forEachCell(segment, index) { total += $0.load(as: Int64.self) }
      results[row] = total
      states[row] = CellState.value.rawValue
    }
  }

  override func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    writer.count(cell(piece).load(as: Int64.self))
  }

  override func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
    cell(piece).storeBytes(of: Int64(try reader.count()), as: Int64.self)
  }
}

/// `sum` of doubles: within a piece in offset order, then the pieces from the newest to the oldest.
final class DoubleSumKernel: AggregateKernel {
  override func run(_ segment: WindowSegment) {
    guard let values = values?.doubles else { return }
    let results = output.column.doubles
    let states = output.column.states
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      if isTaken(row) { cell(piece).assumingMemoryBound(to: Double.self).pointee += values[row] }
      var total = 0.0
      forEachCell(segment, index) { total += $0.load(as: Double.self) }
      results[row] = total
      states[row] = CellState.value.rawValue
    }
  }

  override func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    writer.fixed(cell(piece).load(as: UInt64.self))
  }

  override func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
    cell(piece).storeBytes(of: try reader.fixed(as: UInt64.self), as: UInt64.self)
  }
}

/// `avg` of doubles; no event: an error value.
final class DoubleAverageKernel: AggregateKernel {
  struct Cell {
    var sum: Double
    var count: Int64
  }

  override func run(_ segment: WindowSegment) {
    guard let values = values?.doubles else { return }
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      if isTaken(row) {
        let cell = cell(piece).assumingMemoryBound(to: Cell.self)
        cell.pointee.sum += values[row]
        cell.pointee.count += 1
      }
      var total = Cell(sum: 0, count: 0)
      forEachCell(segment, index) {
        let cell = $0.load(as: Cell.self)
        total.sum += cell.sum
        total.count += cell.count
      }
      output.column.doubles[row] = total.sum / Double(total.count)
      output.column.states[row] = (total.count > 0 ? CellState.value : .error).rawValue
    }
  }

  override func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    let cell = cell(piece).load(as: Cell.self)
    writer.fixed(cell.sum.bitPattern)
    writer.count(cell.count)
  }

  override func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
    let sum = Double(bitPattern: try reader.fixed(as: UInt64.self))
    cell(piece).storeBytes(of: Cell(sum: sum, count: Int64(try reader.count())), as: Cell.self)
  }
}

/// `sum` of ints, uints, decimals and durations: exact; a sum that its type can't hold is an error value. What has left the
/// window no longer counts, so an error passes.
final class IntegerSumKernel: AggregateKernel {
  private let isWide: Bool

  init(_ call: AggregateCall, isWide: Bool, capacity: Int) {
    self.isWide = isWide
    super.init(call, pieceSize: isWide ? ExactSum.size : LongSum.size, capacity: capacity)
  }

  override func run(_ segment: WindowSegment) {
    if isWide { run(segment, ExactSum.self) } else { run(segment, LongSum.self) }
  }

  @inline(__always)
  private func run<Cell: SumCell>(_ segment: WindowSegment, _: Cell.Type) {
    guard let values else { return }
    let output = output.column
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      if isTaken(row) { cell(piece).assumingMemoryBound(to: Cell.self).pointee.add(values.integer(row)) }
      var total = Cell()
      forEachCell(segment, index) { total.add($0.load(as: Cell.self)) }
      let fits = total.value.map { output.store($0, row) } ?? false
      output.states[row] = (fits ? CellState.value : .error).rawValue
    }
  }

  override func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    if isWide {
      cell(piece).load(as: ExactSum.self).write(to: &writer)
    } else {
      cell(piece).load(as: LongSum.self).write(to: &writer)
    }
  }

  override func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
    if isWide {
      cell(piece).storeBytes(of: try ExactSum(&reader), as: ExactSum.self)
    } else {
      cell(piece).storeBytes(of: try LongSum(&reader), as: LongSum.self)
    }
  }
}

/// `avg` of ints, uints and decimals, from an exact sum; no event: an error value.
final class IntegerAverageKernel: AggregateKernel {
  struct Cell<Sum: SumCell> {
    var sum = Sum()
    var count: Int64 = 0
  }

  private let isWide: Bool

  init(_ call: AggregateCall, isWide: Bool, capacity: Int) {
    self.isWide = isWide
    let size = isWide ? MemoryLayout<Cell<ExactSum>>.stride : MemoryLayout<Cell<LongSum>>.stride
    super.init(call, pieceSize: size, capacity: capacity)
  }

  override func run(_ segment: WindowSegment) {
    if isWide { run(segment, ExactSum.self) } else { run(segment, LongSum.self) }
  }

  @inline(__always)
  private func run<Sum: SumCell>(_ segment: WindowSegment, _: Sum.Type) {
    guard let values else { return }
    let unit = values.type.decimalUnit
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      if isTaken(row) {
        let cell = cell(piece).assumingMemoryBound(to: Cell<Sum>.self)
        cell.pointee.sum.add(values.integer(row))
        cell.pointee.count += 1
      }
      var total = Cell<Sum>()
      forEachCell(segment, index) {
        let cell = $0.load(as: Cell<Sum>.self)
        total.sum.add(cell.sum)
        total.count += cell.count
      }
      output.column.doubles[row] = total.sum.double / Double(total.count) / unit
      output.column.states[row] = (total.count > 0 ? CellState.value : .error).rawValue
    }
  }

  override func write(_ piece: UnsafeMutablePointer<WindowPiece>, to writer: inout ByteWriter) {
    if isWide { write(piece, ExactSum.self, to: &writer) } else { write(piece, LongSum.self, to: &writer) }
  }

  private func write<Sum: SumCell>(
    _ piece: UnsafeMutablePointer<WindowPiece>, _: Sum.Type, to writer: inout ByteWriter
  ) {
    let cell = cell(piece).load(as: Cell<Sum>.self)
    cell.sum.write(to: &writer)
    writer.count(cell.count)
  }

  override func read(_ reader: inout ByteReader, into piece: UnsafeMutablePointer<WindowPiece>) throws(DamagedBytes) {
    if isWide { try read(&reader, ExactSum.self, into: piece) } else { try read(&reader, LongSum.self, into: piece) }
  }

  private func read<Sum: SumCell>(
    _ reader: inout ByteReader, _: Sum.Type, into piece: UnsafeMutablePointer<WindowPiece>
  ) throws(DamagedBytes) {
    let sum = try Sum(&reader)
    cell(piece).storeBytes(of: Cell(sum: sum, count: Int64(try reader.count())), as: Cell<Sum>.self)
  }
}

extension Column {
  /// A cell of a whole-numbered type.
  @inline(__always)
  fileprivate func integer(_ row: Int) -> Int128 {
    switch type {
    case .decimal: decimals[row]
    case .uint: Int128(uints[row])
    default: Int128(ints[row])
    }
  }

  /// Whether the cell's type holds the value; it is stored then.
  fileprivate func store(_ value: Int128, _ row: Int) -> Bool {
    switch type {
    case .decimal:
      decimals[row] = value
      return true
    case .uint:
      guard let number = UInt64(exactly: value) else { return false }
      uints[row] = number
      return true
    default:
      guard let number = Int64(exactly: value) else { return false }
      ints[row] = number
      return true
    }
  }
}

extension ColumnType {
  /// How many units make one: 10^scale for a decimal.
  fileprivate var decimalUnit: Double {
    guard case .decimal(let scale) = self else { return 1 }
    return (0..<scale).reduce(1.0) { unit, _ in unit * 10 }
  }
}
