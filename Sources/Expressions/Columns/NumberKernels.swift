internal import Events

/// Compares numbers that lie alike.
final class ComparisonKernel<T: Comparable>: ComputingKernel {
  private let operation: Operation
  private let left: Kernel
  private let right: Kernel

  init(_ operation: Operation, _ left: Kernel, _ right: Kernel, capacity: Int) {
    self.operation = operation
    self.left = left
    self.right = right
    super.init(.bool, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let a = left.evaluate(frame, rows)
    let b = right.evaluate(frame, rows)
    switch operation {
    case .equal: compare(a, b, rows) { $0 == $1 }
    case .notEqual: compare(a, b, rows) { $0 != $1 }
    case .less: compare(a, b, rows) { $0 < $1 }
    case .lessOrEqual: compare(a, b, rows) { $0 <= $1 }
    case .greater: compare(a, b, rows) { $0 > $1 }
    default: compare(a, b, rows) { $0 >= $1 }
    }
    return output.column
  }

  @inline(__always)
  private func compare(_ a: Column, _ b: Column, _ rows: Selection, _ test: (T, T) -> Bool) {
    let x = a.cells.assumingMemoryBound(to: T.self)
    let y = b.cells.assumingMemoryBound(to: T.self)
    let flags = output.column.bools
    let states = output.column.states
    let numbers = rows.rows
    for index in 0..<rows.count {
      let row = Int(numbers[index])
      let hasValues = a.states[row] | b.states[row] == CellState.value.rawValue
      states[row] = hasValues ? CellState.value.rawValue : CellState.error.rawValue
      flags[row] = test(x[row], y[row])
    }
  }
}

/// Integer arithmetic that never wraps.
final class IntegerKernel: ComputingKernel {
  private let operation: Operation
  private let left: Kernel
  private let right: Kernel

  init(_ operation: Operation, _ left: Kernel, _ right: Kernel, capacity: Int) {
    self.operation = operation
    self.left = left
    self.right = right
    super.init(.int, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let a = left.evaluate(frame, rows)
    let b = right.evaluate(frame, rows)
    switch operation {
    case .add: compute(a, b, rows) { $0.addingReportingOverflow($1) }
    case .subtract: compute(a, b, rows) { $0.subtractingReportingOverflow($1) }
    case .multiply: compute(a, b, rows) { $0.multipliedReportingOverflow(by: $1) }
    case .divide: compute(a, b, rows) { $0.dividedReportingOverflow(by: $1) }
    default: compute(a, b, rows) { $0.remainderReportingOverflow(dividingBy: $1) }
    }
    return output.column
  }

  @inline(__always)
  private func compute(
    _ a: Column, _ b: Column, _ rows: Selection, _ body: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
  ) {
    let column = output.column
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      guard a.states[row] | b.states[row] == CellState.value.rawValue else {
        column.states[row] = CellState.error.rawValue
        continue
      }
      let result = body(a.ints[row], b.ints[row])
      column.ints[row] = result.partialValue
      column.states[row] = result.overflow ? CellState.error.rawValue : CellState.value.rawValue
    }
  }
}

final class DoubleKernel: ComputingKernel {
  private let operation: Operation
  private let left: Kernel
  private let right: Kernel

  init(_ operation: Operation, _ left: Kernel, _ right: Kernel, capacity: Int) {
    self.operation = operation
    self.left = left
    self.right = right
    super.init(.double, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let a = left.evaluate(frame, rows)
    let b = right.evaluate(frame, rows)
    switch operation {
    case .add: compute(a, b, rows) { $0 + $1 }
    case .subtract: compute(a, b, rows) { $0 - $1 }
    case .multiply: compute(a, b, rows) { $0 * $1 }
    default: compute(a, b, rows) { $0 / $1 }
    }
    return output.column
  }

  @inline(__always)
  private func compute(_ a: Column, _ b: Column, _ rows: Selection, _ body: (Double, Double) -> Double) {
    let column = output.column
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      let hasValues = a.states[row] | b.states[row] == CellState.value.rawValue
      column.states[row] = hasValues ? CellState.value.rawValue : CellState.error.rawValue
      column.doubles[row] = body(a.doubles[row], b.doubles[row])
    }
  }
}

/// `double(x)` of an int or of money.
final class ToDoubleKernel: ComputingKernel {
  private let operand: Kernel
  private let scale: Int?

  init(_ operand: Kernel, scale: Int?, capacity: Int) {
    self.operand = operand
    self.scale = scale
    super.init(.double, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let source = operand.evaluate(frame, rows)
    let column = output.column
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      guard source.states[row] == CellState.value.rawValue else {
        column.states[row] = CellState.error.rawValue
        continue
      }
      column.doubles[row] = scale.map { Conversions.decimal(source.decimals[row], $0) } ?? Double(source.ints[row])
      column.states[row] = CellState.value.rawValue
    }
    return column
  }
}
