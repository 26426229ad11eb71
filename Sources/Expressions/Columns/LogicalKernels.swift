internal import Events

/// `&&` and `||`: the right side is evaluated only for rows that the left one has not decided.
final class LogicalKernel: ComputingKernel {
  private let left: Kernel
  private let right: Kernel
  private let decides: Bool
  private let open: Selection

  init(_ left: Kernel, _ right: Kernel, decides: Bool, capacity: Int) {
    self.left = left
    self.right = right
    self.decides = decides
    open = Selection(capacity: capacity)
    super.init(.bool, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let first = left.evaluate(frame, rows)
    let result = output.column
    open.removeAll()
    for index in 0..<rows.count {
      let row = rows.rows[index]
      if first.states[Int(row)] == CellState.value.rawValue, first.bools[Int(row)] == decides {
        result.states[Int(row)] = CellState.value.rawValue
        result.bools[Int(row)] = decides
      } else {
        open.append(row)
      }
    }
    guard open.count > 0 else { return result }
    // Both sides may be one kernel's output only if they are the same field, which nothing writes to.
    let second = right.evaluate(frame, open)
    for index in 0..<open.count {
      let row = Int(open.rows[index])
      let hasSecond = second.states[row] == CellState.value.rawValue
      if hasSecond, second.bools[row] == decides {
        result.states[row] = CellState.value.rawValue
        result.bools[row] = decides
      } else {
        let isKnown = hasSecond && first.states[row] == CellState.value.rawValue
        result.states[row] = isKnown ? CellState.value.rawValue : CellState.error.rawValue
        result.bools[row] = !decides
      }
    }
    return result
  }
}

final class NotKernel: ComputingKernel {
  private let operand: Kernel

  init(_ operand: Kernel, capacity: Int) {
    self.operand = operand
    super.init(.bool, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let source = operand.evaluate(frame, rows)
    let result = output.column
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      let hasValue = source.states[row] == CellState.value.rawValue
      result.states[row] = hasValue ? CellState.value.rawValue : CellState.error.rawValue
      result.bools[row] = hasValue && !source.bools[row]
    }
    return result
  }
}

/// `a ? b : c`: each side is evaluated only for the rows that need it.
final class ConditionalKernel: ComputingKernel {
  private let test: Kernel
  private let yes: Kernel
  private let no: Kernel
  private let yesRows: Selection
  private let noRows: Selection

  init(_ test: Kernel, _ yes: Kernel, _ no: Kernel, type: ColumnType, capacity: Int) {
    self.test = test
    self.yes = yes
    self.no = no
    yesRows = Selection(capacity: capacity)
    noRows = Selection(capacity: capacity)
    super.init(type, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let flags = test.evaluate(frame, rows)
    let result = output.column
    yesRows.removeAll()
    noRows.removeAll()
    for index in 0..<rows.count {
      let row = rows.rows[index]
      if flags.states[Int(row)] != CellState.value.rawValue {
        result.states[Int(row)] = CellState.error.rawValue
      } else if flags.bools[Int(row)] {
        yesRows.append(row)
      } else {
        noRows.append(row)
      }
    }
    copy(yes.evaluate(frame, yesRows), yesRows, result)
    copy(no.evaluate(frame, noRows), noRows, result)
    return result
  }

  private func copy(_ source: Column, _ rows: Selection, _ target: Column) {
    let stride = target.type.stride
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      target.states[row] =
        source.states[row] == CellState.value.rawValue ? CellState.value.rawValue : CellState.error.rawValue
      (target.cells + row * stride).copyMemory(from: source.cells + row * stride, byteCount: stride)
    }
  }
}
