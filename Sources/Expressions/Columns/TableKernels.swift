internal import Events

/// Looks the keys of all rows up at once.
final class TableLookup {
  private let table: Int
  private let key: Kernel
  let entries: UnsafeMutablePointer<Int32>

  init(table: Int, key: Kernel, capacity: Int) {
    self.table = table
    self.key = key
    entries = .allocate(capacity: max(capacity, 1))
  }

  deinit { entries.deallocate() }

  /// Fills `entries` by row, and returns the keys.
  func find(_ frame: Frame, _ rows: Selection) -> Column {
    let keys = key.evaluate(frame, rows)
    frame.tables[table].find(keys, rows: rows, into: entries)
    return keys
  }

  func snapshot(_ frame: Frame) -> any ReferenceTable { frame.tables[table] }
}

/// `x in table`.
final class MembershipKernel: ComputingKernel {
  private let lookup: TableLookup

  init(table: Int, key: Kernel, capacity: Int) {
    lookup = TableLookup(table: table, key: key, capacity: capacity)
    super.init(.bool, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let keys = lookup.find(frame, rows)
    let column = output.column
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      let hasKey = keys.states[row] == CellState.value.rawValue
      column.states[row] = hasKey ? CellState.value.rawValue : CellState.error.rawValue
      column.bools[row] = lookup.entries[row] >= 0
    }
    return column
  }
}

/// `table[x].column`.
final class TableColumnKernel: ComputingKernel {
  private let lookup: TableLookup
  private let place: Int
  private var elseCell: (table: ObjectIdentifier, cell: ConstantCell?)?

  init(table: Int, column: Int, key: Kernel, type: ColumnType, capacity: Int) {
    lookup = TableLookup(table: table, key: key, capacity: capacity)
    place = column
    super.init(type, capacity: capacity)
  }

  override func evaluate(_ frame: Frame, _ rows: Selection) -> Column {
    let keys = lookup.find(frame, rows)
    let table = lookup.snapshot(frame)
    let source = table.storage(column: place)
    let missing = missingCell(table)
    let column = output.column
    let stride = column.type.stride
    for index in 0..<rows.count {
      let row = Int(rows.rows[index])
      let entry = Int(lookup.entries[row])
      if keys.states[row] != CellState.value.rawValue {
        column.states[row] = CellState.error.rawValue
      } else if entry >= 0 {
        let hasValue = source.states[entry] == CellState.value.rawValue
        column.states[row] = hasValue ? CellState.value.rawValue : CellState.error.rawValue
        (column.cells + row * stride).copyMemory(from: source.cells + entry * stride, byteCount: stride)
      } else if let missing {
        missing.write(to: column, row: row)
      } else {
        column.states[row] = CellState.error.rawValue
      }
    }
    return column
  }

  /// What an absent key reads as, made once for each version of the table.
  private func missingCell(_ table: any ReferenceTable) -> ConstantCell? {
    let identity = ObjectIdentifier(table)
    if let elseCell, elseCell.table == identity { return elseCell.cell }
    let cell = table.value(entry: -1, column: place).flatMap { ConstantCell($0, type: output.column.type) }
    elseCell = (identity, cell)
    return cell
  }
}
