internal import Events

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
      forEachCell(piece, segment.ranges[index]) { total += $0.load(as: Int64.self) }
      results[row] = total
      states[row] = CellState.value.rawValue
    }
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
      forEachCell(piece, segment.ranges[index]) { total += $0.load(as: Double.self) }
      results[row] = total
      states[row] = CellState.value.rawValue
    }
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
      forEachCell(piece, segment.ranges[index]) {
        let cell = $0.load(as: Cell.self)
        total.sum += cell.sum
        total.count += cell.count
      }
      output.column.doubles[row] = total.sum / Double(total.count)
      output.column.states[row] = (total.count > 0 ? CellState.value : .error).rawValue
    }
  }
}

/// `sum` of ints, uints, decimals and durations: exact in 128 bits; a sum that its type can't hold is an error value. What
/// has left the window no longer counts, so an error passes.
final class IntegerSumKernel: AggregateKernel {
  struct Cell {
    var sum: Int128
    /// Whether the piece itself overflowed 128 bits.
    var isBroken: Bool
  }

  override func run(_ segment: WindowSegment) {
    guard let values else { return }
    let output = output.column
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      if isTaken(row) { Self.add(values.integer(row), to: cell(piece).assumingMemoryBound(to: Cell.self)) }
      var total = Cell(sum: 0, isBroken: false)
      forEachCell(piece, segment.ranges[index]) {
        let cell = $0.assumingMemoryBound(to: Cell.self)
        Self.add(cell.pointee.sum, to: &total)
        if cell.pointee.isBroken { total.isBroken = true }
      }
      let fits = !total.isBroken && output.store(total.sum, row)
      output.states[row] = (fits ? CellState.value : .error).rawValue
    }
  }

  @inline(__always)
  static func add(_ value: Int128, to cell: UnsafeMutablePointer<Cell>) {
    let (sum, overflow) = cell.pointee.sum.addingReportingOverflow(value)
    cell.pointee.sum = sum
    if overflow { cell.pointee.isBroken = true }
  }
}

/// `avg` of ints, uints and decimals, from an exact sum; no event: an error value.
final class IntegerAverageKernel: AggregateKernel {
  struct Cell {
    var sum: Int128
    var count: Int64
    var isBroken: Bool
  }

  override func run(_ segment: WindowSegment) {
    guard let values else { return }
    let unit = values.type.decimalUnit
    for index in 0..<segment.rows.count {
      let row = Int(segment.rows.rows[index])
      let piece = segment.pieces[index]
      if isTaken(row) {
        Self.add(
          Cell(sum: values.integer(row), count: 1, isBroken: false), to: cell(piece).assumingMemoryBound(to: Cell.self))
      }
      var total = Cell(sum: 0, count: 0, isBroken: false)
      forEachCell(piece, segment.ranges[index]) { Self.add($0.load(as: Cell.self), to: &total) }
      output.column.doubles[row] = Double(total.sum) / Double(total.count) / unit
      output.column.states[row] = (total.count > 0 && !total.isBroken ? CellState.value : .error).rawValue
    }
  }

  @inline(__always)
  private static func add(_ part: Cell, to cell: UnsafeMutablePointer<Cell>) {
    let (sum, overflow) = cell.pointee.sum.addingReportingOverflow(part.sum)
    cell.pointee.sum = sum
    cell.pointee.count += part.count
    if overflow || part.isBroken { cell.pointee.isBroken = true }
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
