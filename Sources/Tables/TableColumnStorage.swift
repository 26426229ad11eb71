import Events

/// The cells of one column of a table, for all its entries: filled by `append` while a list loads, on one thread, and
/// never changed once a `TableSnapshot` holds it. A column that has had no value yet takes no memory.
final class TableColumnStorage {
  let type: ColumnType
  private(set) var count = 0
  private var capacity = 0
  private var states: UnsafeMutablePointer<UInt8>
  private var cells: UnsafeMutableRawPointer

  init(type: ColumnType) {
    self.type = type
    states = .allocate(capacity: 1)
    cells = .allocate(byteCount: 16, alignment: 16)
  }

  deinit {
    states.deallocate()
    cells.deallocate()
  }

  /// The cells as a column of `count` rows; complete only after `finish`.
  var column: Column { Column(type: type, states: states, cells: cells) }

  var byteCount: Int { max(capacity, 1) * (1 + type.stride) }

  /// Adds the next entry's cell. A null, or a value that is not of the column's type, is an absent cell.
  func append(_ value: Scalar, texts: TextArena) {
    if case .null = value, capacity == 0 {
      count += 1
      return
    }
    if count >= capacity { resize(max(64, count * 2)) }
    let row = count
    states[row] = CellState.value.rawValue
    switch (type, value) {
    case (.string, .string(let text)): column.views[row] = texts.store(text)
    case (.int, .int(let number)), (.timestamp, .timestamp(let number)): column.ints[row] = number
    case (.double, .double(let number)): column.doubles[row] = number
    case (.bool, .bool(let flag)): column.bools[row] = flag
    case (.decimal(let scale), .decimal(let units, let given)) where scale == given: column.decimals[row] = units
    default: states[row] = CellState.absent.rawValue
    }
    count += 1
  }

  /// Gives back the memory that no entry takes, and gives a column without values its absent cells.
  func finish() { resize(count) }

  func value(_ row: Int) -> Scalar {
    guard row < capacity, states[row] == CellState.value.rawValue else { return .null }
    switch type {
    case .string, .bytes: return .string(column.views[row].string)
    case .int: return .int(column.ints[row])
    case .uint: return .uint(column.uints[row])
    case .double: return .double(column.doubles[row])
    case .bool: return .bool(column.bools[row])
    case .decimal(let scale): return .decimal(column.decimals[row], scale: scale)
    case .timestamp: return .timestamp(column.ints[row])
    case .duration: return .duration(column.ints[row])
    case .list: return .null
    }
  }

  private func resize(_ wanted: Int) {
    let size = max(wanted, 1)
    if size == capacity { return }
    let kept = min(count, capacity, size)
    let newStates = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    newStates.initialize(repeating: CellState.absent.rawValue, count: size)
    newStates.update(from: states, count: kept)
    let newCells = UnsafeMutableRawPointer.allocate(byteCount: size * type.stride, alignment: 16)
    newCells.initializeMemory(as: UInt8.self, repeating: 0, count: size * type.stride)
    newCells.copyMemory(from: cells, byteCount: kept * type.stride)
    states.deallocate()
    cells.deallocate()
    states = newStates
    cells = newCells
    capacity = size
  }
}
