public import Events

/// Evaluates an expression over whole columns: a tree of kernels, one for each operation, each with memory of its own. An
/// operation without a kernel goes row by row through `Interpreter`.
public final class ColumnEvaluator {
  private let root: Kernel

  init(_ node: Node, capacity: Int) { root = KernelBuilder(capacity: capacity).build(node) }

  /// The values of the selected rows; they stand until the next call. A row without a value is absent or an error.
  public func evaluate(_ frame: Frame, rows: Selection) -> Column { root.evaluate(frame, rows) }

  /// Puts the rows for which the expression is true into `result`, and says for how many it has no value.
  public func filter(_ frame: Frame, rows: Selection, into result: Selection) -> Int {
    let column = root.evaluate(frame, rows)
    let states = column.states
    let flags = column.bools
    let source = rows.rows
    let target = result.rows
    var kept = 0
    var errors = 0
    for index in 0..<rows.count {
      let row = source[index]
      if states[Int(row)] != CellState.value.rawValue {
        errors += 1
      } else if flags[Int(row)] {
        target[kept] = row
        kept += 1
      }
    }
    result.count = kept
    return errors
  }
}

/// One operation over columns.
class Kernel {
  func evaluate(_ frame: Frame, _ rows: Selection) -> Column { preconditionFailure("a kernel evaluates") }
}

/// A kernel that writes its results to a column of its own.
class ComputingKernel: Kernel {
  let output: ColumnStorage

  init(_ type: ColumnType, capacity: Int) { output = ColumnStorage(type: type, capacity: capacity) }
}

/// A column of the frame, as it is.
final class FieldKernel: Kernel {
  private let slot: Int
  init(slot: Int) { self.slot = slot }
  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column { frame.columns[slot] }
}

/// The same value in every row.
final class ConstantKernel: ComputingKernel {
  private let cell: ConstantCell

  init(_ cell: ConstantCell, capacity: Int) {
    self.cell = cell
    super.init(cell.type, capacity: capacity)
    for row in 0..<capacity { cell.write(to: output.column, row: row) }
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column { output.column }
}

/// `has(event.x)`.
final class HasKernel: ComputingKernel {
  private let slot: Int

  init(slot: Int, capacity: Int) {
    self.slot = slot
    super.init(.bool, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let states = frame.columns[slot].states
    let column = output.column
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      column.bools[row] = states[row] != CellState.absent.rawValue
      column.states[row] = CellState.value.rawValue
    }
    return column
  }
}

/// Any operation, row by row.
final class RowKernel: ComputingKernel {
  private let node: Node
  private var owned: [ConstantCell] = []

  init(_ node: Node, type: ColumnType, capacity: Int) {
    self.node = node
    super.init(type, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    owned.removeAll(keepingCapacity: true)
    let column = output.column
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      var interpreter = Interpreter(frame: frame, row: row)
      guard let value = try? interpreter.evaluate(node), write(value, column, row) else {
        column.states[row] = CellState.error.rawValue
        continue
      }
    }
    return column
  }

  private func write(_ value: Value, _ column: Column, _ row: Int) -> Bool {
    switch (column.type, value) {
    case (.int, .int(let number)): column.ints[row] = number
    case (.double, .double(let number)): column.doubles[row] = number
    case (.bool, .bool(let flag)): column.bools[row] = flag
    case (.timestamp, .timestamp(let time)), (.duration, .duration(let time)):
      guard let time = Int64(exactly: time) else { return false }
      column.ints[row] = time
    case (.bytes, .bytes(let bytes)):
      let cell = ConstantCell(bytes: bytes)
      owned.append(cell)
      cell.write(to: column, row: row)
    default:
      guard let scalar = value.scalar, let cell = ConstantCell(scalar, type: column.type) else { return false }
      owned.append(cell)
      cell.write(to: column, row: row)
    }
    column.states[row] = CellState.value.rawValue
    return true
  }
}
